//! Programs that nobody knows, run for a moment.

use std::{
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use jackfield_engines::{Instance, Limits, Program, Project, Start, TrapKind};

/// How long a program that can be interrupted may take.
const PATIENCE: Duration = Duration::from_millis(1);

/// A megabyte is room enough.
pub(crate) fn compile(project: &Project) -> Option<Program> {
    let limits = Limits::default().max_memory_bytes(1 << 20);
    match Program::compile(project, &limits) {
        Ok(program) => {
            assert!(program.memory_bytes() <= limits.max_memory_bytes);
            Some(program)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// Runs it: its start, a tick and a block. Of one that is said to end, nobody ends the calls.
pub(crate) fn run(program: &Program) {
    let Ok(mut instance) = program.blank() else { return };
    assert_eq!(instance.memory().len() as u64, program.memory_bytes());
    let ends = program.always_ends();
    let mut call = |run: &mut (dyn FnMut(&mut Instance) -> Option<TrapKind> + Send)| {
        if ends {
            let trap = run(&mut instance);
            assert!(trap != Some(TrapKind::Interrupted), "nobody did");
            return;
        }
        let interrupt = instance.interrupt_handle();
        let (done, waiting) = channel();
        thread::scope(|threads| {
            threads.spawn(move || {
                // Until it is over: a call that has not begun yet is not interrupted.
                while waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    interrupt.interrupt();
                }
            });
            run(&mut instance);
            done.send(()).ok();
        });
    };
    call(&mut |instance| match instance.start(Start::Init) {
        Err(jackfield_engines::StartError::Trapped { source, .. }) => Some(source.kind),
        _ => None,
    });
    call(&mut |instance| instance.cycle().err().map(|trap| trap.kind));
    call(&mut |instance| instance.buffer().err().map(|trap| trap.kind));
    assert!(instance.memory().len() <= 1 << 20);
}
