use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
};

use jackfield_engines::{
    ContractError, Instance, Interrupt, Limits, Program, ProgramError, Project, Start, StartError, Trap,
    TrapKind, Value,
};
use jackfield_testkit::fixtures;

use crate::support::{compiled, from_init, from_wat, offline, render};

fn bad(name: &str) -> Project {
    Project::load(fixtures::path(&format!("wat/{name}.project.json"))).unwrap()
}

fn refused(project: &Project) -> ProgramError {
    Program::compile(project, &Limits::default()).unwrap_err()
}

fn difference(text: &str) -> ContractError {
    match refused(&from_wat(text)) {
        ProgramError::OtherContract { difference, .. } => difference,
        other => panic!("{other}"),
    }
}

type Call = fn(&mut Instance) -> Result<(), Trap>;

type Running = JoinHandle<(Instance, Result<(), Trap>)>;

/// Calls on a thread of its own, which gives the instance back with the result.
fn elsewhere(mut instance: Instance, call: Call) -> (Interrupt, Running) {
    let interrupt = instance.interrupt_handle();
    let running = thread::spawn(move || {
        let result = call(&mut instance);
        (instance, result)
    });
    while interrupt.call_in_progress().is_none() {
        thread::yield_now();
    }
    (interrupt, running)
}

fn map_read(instance: &Instance, id: &str) -> Value {
    instance.program().map().read(instance.memory(), id).unwrap()
}

#[test]
fn a_program_that_never_returns_is_ended_from_another_thread() {
    // J-25
    for call in [Instance::buffer, Instance::cycle] {
        let mut instance = from_init(&bad("runaway"));
        // It may be ended before its first round; once it must be in the middle of its loop.
        while map_read(&instance, "spin.calls") == Value::I32(0) {
            let (interrupt, running) = elsewhere(instance, call);
            interrupt.interrupt();
            let result;
            (instance, result) = running.join().unwrap();
            assert_eq!(result.unwrap_err().kind, TrapKind::Interrupted);
            assert_eq!(interrupt.call_in_progress(), None);
        }
    }
}

#[test]
fn a_program_that_hangs_later_plays_on_once_its_cause_is_gone() {
    // J-25
    let project = bad("late-runaway");
    let mut early = offline(&project);
    let channels = render(&mut early, 64, None);
    assert!(channels.iter().flatten().all(|frame| *frame == 0.125));

    let mut instance = from_init(&project);
    (0..64).for_each(|_| instance.buffer().unwrap());
    let (interrupt, running) = elsewhere(instance, Instance::buffer);
    interrupt.interrupt();
    let (mut instance, result) = running.join().unwrap();
    assert_eq!(result.unwrap_err().kind, TrapKind::Interrupted);
    project.map.write(instance.memory_mut(), "spin.calls", Value::I32(0)).unwrap();
    assert_eq!(instance.buffer(), Ok(()));
}

#[test]
fn an_interruption_without_a_call_is_for_no_call() {
    let mut instance = from_init(&bad("late-runaway"));
    let interrupt = instance.interrupt_handle();
    interrupt.interrupt();
    assert_eq!(instance.buffer(), Ok(()));
    interrupt.interrupt_call(1);
    assert_eq!(instance.buffer(), Ok(()));
}

#[test]
fn an_interruption_leaves_other_instances_of_the_program_alone() {
    // `cycle` turns a while if word 1 is 0, for ever otherwise.
    let project = from_wat(
        r#"(module (import "js" "memory" (memory 1))
            (func (export "init")) (func (export "buffer"))
            (func (export "cycle") (local $n i32)
              (loop $again
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $n) (i32.const 20000)))
                (br_if $again (i32.load (i32.const 4))))))"#,
    );
    let program = compiled(&project);
    let (stop, stopped) = mpsc::channel::<()>();
    let mut patient = program.instantiate().unwrap();
    let bystander = thread::spawn(move || {
        let mut calls = 0_u32;
        while stopped.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
            patient.cycle().unwrap();
            calls += 1;
        }
        calls
    });
    for _ in 0..100 {
        let mut endless = program.instantiate().unwrap();
        endless.memory_mut()[4] = 1;
        let (interrupt, running) = elsewhere(endless, Instance::cycle);
        interrupt.interrupt();
        assert_eq!(running.join().unwrap().1.unwrap_err().kind, TrapKind::Interrupted);
    }
    drop(stop);
    assert!(bystander.join().unwrap() > 0);
}

#[test]
fn a_start_that_never_returns_can_be_ended_too() {
    let project = from_wat(
        r#"(module (import "js" "memory" (memory 1))
            (func (export "init") (loop $again (br $again)))
            (func (export "buffer")) (func (export "cycle")))"#,
    );
    let mut instance = compiled(&project).blank().unwrap();
    let interrupt = instance.interrupt_handle();
    let starting = thread::spawn(move || instance.start(Start::Init));
    while interrupt.call_in_progress().is_none() {
        thread::yield_now();
    }
    interrupt.interrupt();
    let Err(StartError::Trapped { source, .. }) = starting.join().unwrap() else { panic!("it was ended") };
    assert_eq!((source.function.as_ref(), source.kind), ("init", TrapKind::Interrupted));
}

#[test]
fn a_program_that_asks_for_too_much_memory_is_refused() {
    let error = refused(&bad("greedy"));
    assert!(
        matches!(error, ProgramError::TooMuchMemory { bytes: 0x1_0000_0000, limit: 0x400_0000, .. }),
        "{error}"
    );
}

#[test]
fn memory_grows_up_to_the_limit_and_no_further() {
    let project = bad("greedy-grow");
    let answer = |instance: &Instance| map_read(instance, "spin.calls");

    let mut instance = from_init(&project);
    instance.cycle().unwrap();
    assert_eq!((answer(&instance), instance.memory().len()), (Value::I32(-1), 65_536));

    let limits = Limits::default().max_memory_bytes(128 << 20);
    let mut instance = Program::compile(&project, &limits).unwrap().instantiate().unwrap();
    instance.cycle().unwrap();
    assert_eq!((answer(&instance), instance.memory().len()), (Value::I32(1), 1_025 * 65_536));
    instance.cycle().unwrap();
    assert_eq!((answer(&instance), instance.memory().len()), (Value::I32(-1), 1_025 * 65_536));
}

#[test]
fn a_program_that_imports_more_than_its_memory_is_refused_by_name() {
    assert_eq!(
        refused(&bad("bad-import")).to_string(),
        "program `bad-import` cannot be played: it imports function `js.now`; a program may import only its memory"
    );
}

#[test]
fn a_program_that_lacks_an_export_is_refused_by_name() {
    assert_eq!(
        refused(&bad("missing-export")).to_string(),
        "program `missing-export` cannot be played: it exports no function `buffer`; a program that imports \
         `js.memory` exports `init`, `cycle` and `buffer`"
    );
}

#[test]
fn a_program_with_another_signature_is_refused_by_name() {
    assert_eq!(
        refused(&bad("wrong-signature")).to_string(),
        "program `wrong-signature` cannot be played: it exports `buffer` as (i32) -> (i32); it must be () -> ()"
    );
}

#[test]
fn what_is_webassembly_but_no_program_is_refused_for_what_it_is() {
    assert_eq!(difference("(module)"), ContractError::NoMemory);
    let other = ContractError::OtherMemory { module: "env".into(), name: "memory".into() };
    assert_eq!(difference(r#"(module (import "env" "memory" (memory 1)))"#), other);
    let two = r#"(module (import "js" "memory" (memory 1)) (memory 1))"#;
    assert_eq!(difference(two), ContractError::HiddenMemory { count: 1 });
    let start = r#"(module (import "js" "memory" (memory 1)) (func $s) (start $s))"#;
    assert_eq!(difference(start), ContractError::HasStart);
    let wide = r#"(module (import "js" "memory" (memory i64 1)))"#;
    assert_eq!(difference(wide), ContractError::UnusualMemory);
    let table = r#"(module (import "js" "memory" (memory 1)) (import "js" "t" (table 1 funcref)))"#;
    assert!(matches!(difference(table), ContractError::ForeignImport { kind: "table", .. }));
}

#[test]
fn a_program_that_really_shares_its_memory_is_refused() {
    // A.3: the shared flag is cleared because no atomics are there; here some are.
    let project = from_wat(
        r#"(module (import "js" "memory" (memory 1 1 shared))
            (func (export "init")) (func (export "buffer"))
            (func (export "cycle") (drop (i32.atomic.load (i32.const 0)))))"#,
    );
    let error = refused(&project);
    assert!(matches!(error, ProgramError::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("threads"), "{error}");
}

#[test]
fn endless_recursion_is_a_trap_like_any_other() {
    let project = from_wat(
        r#"(module (import "js" "memory" (memory 1))
            (func (export "init")) (func (export "buffer")) (func $deeper (export "cycle") (call $deeper)))"#,
    );
    let mut instance = from_init(&project);
    assert_eq!(instance.cycle().unwrap_err().kind, TrapKind::StackOverflow);
    assert_eq!(instance.buffer(), Ok(()));
}

#[test]
fn a_program_that_lays_out_data_of_its_own_is_made_while_another_copy_of_it_is_interrupted() {
    let project = from_wat(
        r#"(module (import "js" "memory" (memory 1))
            (func (export "init")) (func (export "cycle") (loop (br 0))) (func (export "buffer"))
            (data (i32.const 8) "data"))"#,
    );
    let program = compiled(&project);
    for _ in 0..20 {
        let (interrupt, running) = elsewhere(program.blank().unwrap(), Instance::cycle);
        let interrupting = thread::spawn(move || interrupt.interrupt());
        while !interrupting.is_finished() {
            assert_eq!(program.blank().unwrap().memory()[8..12], *b"data");
        }
        assert_eq!(running.join().unwrap().1.unwrap_err().kind, TrapKind::Interrupted);
    }
}
