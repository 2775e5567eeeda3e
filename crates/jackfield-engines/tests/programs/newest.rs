use jackfield_engines::{Generation, Project};
use jackfield_testkit::fixtures;

use crate::support::{check_memory, check_outputs, compiled, from_init, loose, offline, render};

fn new_abi() -> Project {
    loose("new-abi/new-abi.wasm")
}

#[test]
fn the_newest_generation_plays_bit_for_bit() {
    // A.1, J-29
    let project = new_abi();
    let expected = fixtures::expected("new-abi");
    let init = &expected["memoryAfterInitDefaults"];
    assert_eq!(compiled(&project).generation(), Generation::Newest);
    let mut offline = offline(&project);
    check_memory(&project.map, offline.instance().memory(), &init["bytes"], init);
    check_outputs(&render(&mut offline, 64, None), &expected["outputs"]);
    check_memory(
        &project.map,
        offline.instance().memory(),
        &init["bytes"],
        &expected["memoryAfter64Buffers"],
    );
}

#[test]
fn exported_functions_can_be_called_between_blocks() {
    // E.4: MIDI input arrives that way
    let project = new_abi();
    let expected = fixtures::expected("new-abi");
    let with_calls = &expected["withCalls"];
    let mut offline = offline(&project);
    let mut channels = [Vec::new(), Vec::new()];
    for buffer in 0..64 {
        for call in
            with_calls["exportCalls"].as_array().unwrap().iter().filter(|call| call["beforeBuffer"] == buffer)
        {
            let arguments: Vec<f64> = serde_json::from_value(call["args"].clone()).unwrap();
            let instance = offline.instance_mut();
            let call = instance.program().call(call["export"].as_str().unwrap(), &arguments).unwrap();
            instance.call(&call).unwrap();
        }
        for (channel, frames) in channels.iter_mut().zip(render(&mut offline, 1, None)) {
            channel.extend(frames);
        }
    }
    check_outputs(&channels, &with_calls["outputs"]);
    let bytes = &expected["memoryAfterInitDefaults"]["bytes"];
    check_memory(&project.map, offline.instance().memory(), bytes, &with_calls["memoryAfter64Buffers"]);
}

#[test]
fn one_buffer_is_128_mains() {
    let project = new_abi();
    let expected = fixtures::expected("new-abi");
    let mut instance = from_init(&project);
    for _ in 0..64 * 128 {
        instance.cycle().unwrap();
    }
    let bytes = &expected["memoryAfterInitDefaults"]["bytes"];
    check_memory(&project.map, instance.memory(), bytes, &expected["memoryAfter64Buffers"]);
}

#[test]
fn a_program_without_buffer_plays_silence() {
    // A.1: a host must treat it as optional
    let text = r#"(module (import "host" "memory" (memory 1))
        (func (export "initDefaults")) (func (export "main")))"#;
    let project = crate::support::from_wat(text);
    let mut instance = from_init(&project);
    assert!(!instance.has_buffer());
    assert_eq!(instance.buffer(), Ok(()));
    assert_eq!(instance.cycle(), Ok(()));
}
