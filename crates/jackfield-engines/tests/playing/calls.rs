//! Functions of the program that plays, called from outside.

use crate::support::runner;
use jackfield_engines::{Console, OutsideCallError, Processor, Project, TrapKind, Voice, VoiceMonitor};
use jackfield_testkit::{fixtures, realtime};

/// Plays as the audio engine does, with the console's controls.
fn processor(console: &Console, project: &Project) -> (Processor, VoiceMonitor) {
    let runner = runner(project);
    let (controls, unset) = console.connect(runner.instance().program());
    assert_eq!(unset, []);
    let (voice, monitor) = Voice::new(runner, controls);
    (Processor::new(voice, 0, None).0, monitor)
}

fn new_abi() -> Project {
    Project::load(fixtures::path("new-abi/new-abi.wasm")).unwrap()
}

// E.4: a second run of the fixture, with keys pressed from outside
#[test]
fn keys_that_are_pressed_from_outside_are_heard_from_the_next_block_on_bit_for_bit() {
    let (console, project) = (Console::new(), new_abi());
    let (mut processor, _monitor) = processor(&console, &project);
    let expected = &fixtures::expected("new-abi")["withCalls"];
    let mut left = Vec::new();
    for buffer in 0..64 {
        for call in
            expected["exportCalls"].as_array().unwrap().iter().filter(|call| call["beforeBuffer"] == buffer)
        {
            let arguments: Vec<f64> = serde_json::from_value(call["args"].clone()).unwrap();
            console.calls().call(call["export"].as_str().unwrap(), &arguments).unwrap();
        }
        let mut output = [0.0; 256];
        realtime(|| processor.process(&[], &mut output));
        left.extend(output.into_iter().step_by(2));
    }
    crate::support::check_samples(&left, &fixtures::samples(&expected["outputs"][0]["float32Base64"]));
}

#[test]
fn a_call_is_refused_while_nothing_plays_and_when_too_many_wait() {
    let (console, project) = (Console::new(), new_abi());
    let press = || console.calls().call("onKey", &[144.0, 60.0, 100.0]);
    assert_eq!(press(), Err(OutsideCallError::NothingPlays));
    let (playing, _monitor) = processor(&console, &project);
    let offered = console.calls().offered();
    assert!(offered.contains(&("onKey".to_owned(), "(i32, i32, i32) -> ()".to_owned())), "{offered:?}");
    for _ in 0..256 {
        press().unwrap();
    }
    assert!(matches!(press(), Err(OutsideCallError::Busy { .. })));
    drop(playing);
    assert_eq!(press(), Err(OutsideCallError::NothingPlays));
    assert!(console.calls().offered().is_empty());
}

// J-25
#[test]
fn a_function_that_traps_breaks_the_program_like_any_other_trap() {
    let wat = r#"(module (import "host" "memory" (memory 1))
        (func (export "initDefaults")) (func (export "main"))
        (func (export "buffer") (f32.store (i32.const 4) (f32.const 0.5)))
        (func (export "divide") (param i32) (drop (i32.div_s (i32.const 1) (local.get 0)))))"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.wat");
    std::fs::write(&file, wat).unwrap();
    std::fs::copy(fixtures::path("wat/wat.map.json"), folder.path().join("own.map.json")).unwrap();
    let left = r#"{ "memoryId": "speakers.left", "channel": 0, "output": 0 }"#;
    let config =
        format!(r#"{{ "runtimeSettings": {{ "runtime": "audio", "audioOutputBuffers": [{left}] }} }}"#);
    std::fs::write(folder.path().join("own.config.json"), config).unwrap();
    let (console, project) = (Console::new(), Project::load(&file).unwrap());
    let (mut processor, mut monitor) = processor(&console, &project);
    let mut output = [0.0; 256];
    processor.process(&[], &mut output);
    assert_eq!(output[0], 0.5);
    console.calls().call("divide", &[0.0]).unwrap();
    processor.process(&[], &mut output);
    assert!(output.iter().all(|sample| *sample == 0.0), "silence, not the block before once more");
    let trap = monitor.take_fault().unwrap();
    assert_eq!((&*trap.function, trap.kind), ("divide", TrapKind::DivisionByZero));
}
