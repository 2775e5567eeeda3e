use jackfield_engines::{BlockRunner, Element, Program, TrapKind, Value};
use jackfield_testkit::{asks_nothing, is_watched, realtime};

use crate::support::{audio_settings, from_init, from_wat, project};

#[test]
fn a_block_is_run_without_touching_the_allocator() {
    let project = project("echo");
    let (addresses, warnings) = audio_settings(&project).routes(&project.map);
    assert_eq!(warnings, []);
    let mut runner = BlockRunner::new(from_init(&project), addresses);
    let mut output = [[0.0; 128]; 2];
    Program::prepare_thread();
    realtime(|| {
        for _ in 0..32 {
            runner.run(&[[0.5; 128]], &mut output).unwrap();
        }
    });
    assert!(output.iter().flatten().any(|frame| *frame != 0.0));
}

#[test]
fn a_tick_and_a_look_at_memory_do_not_touch_the_allocator() {
    let project = project("tally");
    let mut instance = from_init(&project);
    Program::prepare_thread();
    let count = realtime(|| {
        instance.cycle().unwrap();
        let count = project.map.get("counter.count").unwrap();
        count.write(instance.memory_mut(), 0, Element::I32.value_of(41.0)).unwrap();
        instance.cycle().unwrap();
        count.read(instance.memory(), 0)
    });
    assert_eq!(count, Ok(Value::I32(42)));
}

/// They come as signals of different kinds, and the last one is none.
#[test]
fn a_trap_of_any_kind_waits_for_nobody_and_the_thread_is_watched_on() {
    let traps = [
        ("i32.const -4 i32.load drop", TrapKind::OutOfBounds),
        ("f32.const nan i32.trunc_f32_s drop", TrapKind::BadConversion),
        ("i32.const 1 i32.const 0 i32.div_s drop", TrapKind::DivisionByZero),
        ("i32.const -2147483648 i32.const -1 i32.div_s drop", TrapKind::Overflow),
        ("unreachable", TrapKind::Unreachable),
        ("call $cycle", TrapKind::StackOverflow),
    ];
    for (code, kind) in traps {
        let mut instance = from_init(&from_wat(&format!(
            r#"(module (import "js" "memory" (memory 1)) (func (export "init")) (func (export "buffer"))
                (func $cycle (export "cycle") {code}))"#
        )));
        Program::prepare_thread();
        let trapped = asks_nothing(|| instance.cycle());
        assert_eq!(trapped.unwrap_err().kind, kind);
        if is_watched() {
            let then_yields = || {
                instance.cycle().unwrap_err();
                std::thread::yield_now();
            };
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| asks_nothing(then_yields)));
            let message = caught.unwrap_err();
            assert!(message.downcast_ref::<String>().unwrap().ends_with("`sched_yield`"), "{message:?}");
        }
    }
}
