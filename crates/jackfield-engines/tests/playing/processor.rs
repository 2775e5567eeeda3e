use crate::support::{check_samples, misbehaving, offline, processor, project};
use base64::Engine as _;
use jackfield_engines::{Console, Knobs, Processor, Program, Project, TrapKind};
use jackfield_testkit::fixtures;
use jackfield_testkit::realtime;
use serde_json::json;

/// Plays in device blocks of one size, without touching the allocator.
fn play(processor: &mut Processor, frames: usize, size: usize) -> Vec<f32> {
    let mut output = vec![f32::NAN; frames * 2];
    Program::prepare_thread();
    realtime(|| {
        for block in output.chunks_mut(size * 2) {
            processor.process(&[], block);
        }
    });
    output
}

// J-26
#[test]
fn device_blocks_of_any_size_play_the_same_samples_as_offline() {
    for name in ["dc", "ramp", "first-light"] {
        let project = project(name);
        let expected = offline(&project, 8192);
        for size in [1, 64, 127, 128, 480, 1024, 4096] {
            let (receiver, _) = Knobs::new().connect(project.map.clone());
            let (mut processor, _) = processor(&project, 0, receiver, None);
            check_samples(&play(&mut processor, 8192, size), &expected);
        }
    }
}

#[test]
fn what_a_program_makes_of_its_input_comes_one_program_block_later() {
    let (project, expected) = (project("echo"), fixtures::expected("echo"));
    let input = fixtures::samples(&expected["input"]["float32Base64"]);
    let left = fixtures::samples(&expected["outputs"][0]["float32Base64"]);
    for size in [64, 480, 1000] {
        let (receiver, _) = Knobs::new().connect(project.map.clone());
        let (mut processor, control) = processor(&project, 1, receiver, None);
        assert_eq!(control.monitor.latency(), 128);
        let mut played = Vec::new();
        for input in input.chunks(size) {
            let mut output = vec![0.0; input.len() * 2];
            processor.process(input, &mut output);
            played.extend(output.into_iter().step_by(2));
        }
        let kept = left.len() - 128;
        check_samples(&played[128..], &left[..kept]);
    }
}

#[test]
fn knobs_are_turned_and_the_tape_runs_without_touching_the_allocator() {
    let (project, knobs, console) = (project("first-light"), Knobs::new(), Console::new());
    let (receiver, _) = knobs.connect(project.map.clone());
    let (mut processor, _) = processor(&project, 0, receiver, console.take_writer());
    let mut tape = console.tape();
    let mut all = play(&mut processor, 480, 480);
    knobs.set("tempo.bpm", 160.0).unwrap();
    all.extend(play(&mut processor, 4800, 480));
    let mut taped = vec![0.0; all.len()];
    assert_eq!(tape.read(&mut taped).frames, 5280);
    check_samples(&taped, &all);
    assert!(all[..480] == offline(&project, 240)[..]);
}

#[test]
fn a_turned_knob_is_heard_from_the_next_program_block_on() {
    let (project, knobs) = (project("first-light"), Knobs::new());
    let expected = fixtures::expected("first-light");
    let (receiver, _) = knobs.connect(project.map.clone());
    let (mut processor, _) = processor(&project, 0, receiver, None);
    let pokes = expected["poked"]["pokes"].as_array().unwrap();
    let mut played = Vec::new();
    for block in 0..64 {
        for poke in pokes.iter().filter(|poke| poke["beforeBuffer"] == block) {
            knobs.set(poke["memoryId"].as_str().unwrap(), poke["value"].as_f64().unwrap()).unwrap();
        }
        played.extend(play(&mut processor, 128, 128).into_iter().step_by(2));
    }
    let left = fixtures::samples(&expected["poked"]["outputs"][0]["float32Base64"]);
    check_samples(&played, &left);
}

// E.2, J-25
#[test]
fn after_a_trap_there_is_silence_and_the_reason_is_told_once() {
    let project = project("trap-later");
    let (receiver, _) = Knobs::new().connect(project.map.clone());
    let (mut processor, mut control) = processor(&project, 0, receiver, None);
    let good = play(&mut processor, 256 * 128, 4096);
    assert!(good.iter().any(|sample| *sample != 0.0));
    assert!(!control.voice.is_faulted());
    let mut output = [1.0; 2048];
    processor.process(&[], &mut output);
    assert!(output.iter().all(|sample| *sample == 0.0));
    assert!(control.voice.is_faulted());
    assert_eq!(control.voice.take_fault().unwrap().kind, TrapKind::BadConversion);
    assert_eq!(control.voice.take_fault(), None);
    assert!(play(&mut processor, 512, 128).iter().all(|sample| *sample == 0.0));
}

// J-25
#[test]
fn a_program_that_does_not_return_is_ended_from_outside() {
    let project = misbehaving("late-runaway");
    let (receiver, _) = Knobs::new().connect(project.map.clone());
    let (mut processor, mut control) = processor(&project, 0, receiver, None);
    assert!(play(&mut processor, 64 * 128, 128).iter().all(|sample| *sample == 0.125));
    let interrupt = control.voice.interrupt().clone();
    let mut output = [1.0; 256];
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while interrupt.call_in_progress().is_none() {
                std::thread::yield_now();
            }
            interrupt.interrupt();
        });
        processor.process(&[], &mut output);
    });
    assert!(output.iter().all(|sample| *sample == 0.0));
    assert_eq!(control.voice.take_fault().unwrap().kind, TrapKind::Interrupted);
}

/// A program whose left channel is not a number, then infinite, then a half.
fn not_finite() -> Project {
    let wasm = wat::parse_str(
        r#"(module (import "js" "memory" (memory 1))
            (func (export "init")) (func (export "cycle")) (func (export "buffer"))
            (data (i32.const 4) "\00\00\c0\7f\00\00\80\ff\00\00\00\3f"))"#,
    );
    let wasm = base64::engine::general_purpose::STANDARD.encode(wasm.unwrap());
    let left = json!({ "id": "left", "byteAddress": 4, "numberOfElements": 128, "elementWordSize": 4,
        "isInteger": false, "type": "float", "wordAlignedAddress": 1, "wordAlignedSize": 128 });
    let project = json!({
        "compiledWasm": wasm,
        "compiledModules": { "out": { "id": "out", "index": 0, "byteAddress": 4, "wordAlignedAddress": 1,
            "wordAlignedSize": 128, "memoryMap": { "left": left } } },
        "compiledProjectConfig": { "runtimeSettings": { "runtime": "AudioWorkletRuntime",
            "audioOutputBuffers": [{ "memoryId": "out.left", "channel": 0, "output": 0 }] } },
    });
    Project::from_json("not-finite", &project.to_string()).unwrap()
}

// J-25
#[test]
fn samples_that_are_no_numbers_or_infinite_are_silence_on_the_device_and_on_the_tape() {
    let (project, console) = (not_finite(), Console::new());
    let (receiver, _) = Knobs::new().connect(project.map.clone());
    let (mut processor, control) = processor(&project, 0, receiver, console.take_writer());
    assert_eq!(play(&mut processor, 256, 64)[..6], [0.0, 0.0, 0.0, 0.0, 0.5, 0.0]);
    assert_eq!(control.monitor.not_finite(), 4);
    let mut tape = [1.0; 6];
    assert_eq!(console.tape().read(&mut tape).frames, 3);
    assert_eq!(tape, [0.0, 0.0, 0.0, 0.0, 0.5, 0.0]);
}
