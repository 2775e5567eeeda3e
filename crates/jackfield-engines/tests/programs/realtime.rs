use assert_no_alloc::assert_no_alloc;
use jackfield_engines::{BlockRunner, Element, Program, Value};

use crate::support::{audio_settings, from_init, project};

#[test]
fn a_block_is_run_without_touching_the_allocator() {
    let project = project("echo");
    let (addresses, warnings) = audio_settings(&project).routes(&project.map);
    assert_eq!(warnings, []);
    let mut runner = BlockRunner::new(from_init(&project), addresses);
    let mut output = [[0.0; 128]; 2];
    Program::prepare_thread();
    assert_no_alloc(|| {
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
    let count = assert_no_alloc(|| {
        instance.cycle().unwrap();
        let count = project.map.get("counter.count").unwrap();
        count.write(instance.memory_mut(), 0, Element::I32.value_of(41.0)).unwrap();
        instance.cycle().unwrap();
        count.read(instance.memory(), 0)
    });
    assert_eq!(count, Ok(Value::I32(42)));
}
