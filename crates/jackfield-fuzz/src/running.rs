//! Programs that nobody knows, run for a moment.

use std::{
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use jackfield_engines::{
    Call, Instance, Limits, MOST_ARGUMENTS, Memories, Program, Project, Start, TrapKind,
};

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

/// Of all its memories.
fn size(instance: &Instance) -> u64 {
    let memories = 0..=instance.program().regions().len();
    let sizes = memories.map_while(|memory| Some(instance.bytes(u32::try_from(memory).ok()?)?.len() as u64));
    sizes.sum()
}

/// A call of each function that it exports, with ones.
fn calls(program: &Program) -> Vec<Call> {
    let ones = [1.0; MOST_ARGUMENTS];
    let call = |name: &str| {
        let made = (0..=MOST_ARGUMENTS).find_map(|count| program.call(name, &ones[..count]).ok());
        made.expect("what is offered can be called")
    };
    program.exports().map(|(name, _)| call(name)).collect()
}

/// Runs it: its start, a tick, a block, and whatever else it exports. Of one that is said to end, nobody ends the calls.
pub(crate) fn run(program: &Program) {
    let Ok(mut instance) = program.blank() else { return };
    assert_eq!(size(&instance), program.memory_bytes());
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
    for call_made in calls(program) {
        call(&mut |instance| instance.call(&call_made).err().map(|trap| trap.kind));
    }
    assert!(size(&instance) <= 1 << 20);
}
