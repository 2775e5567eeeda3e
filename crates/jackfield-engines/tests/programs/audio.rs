use jackfield_engines::{Element, Instance, Program, Start, Value};
use jackfield_testkit::fixtures;

use crate::support::{
    audio_settings, check_memory, check_outputs, compiled, from_init, offline, project, render,
};

/// Memory after init, 64 blocks, memory after them: all as upstream's own host gives them.
#[track_caller]
fn check(name: &str) {
    let project = project(name);
    let expected = fixtures::expected(name);
    let init = &expected["memoryAfterInit"];
    let mut offline = offline(&project);
    check_memory(&project.map, offline.instance().memory(), &init["bytes"], init);
    assert_eq!(offline.instance().memory()[..4], [0; 4], "A.4: word 0 belongs to nobody");

    let input = expected["input"].get("float32Base64").map(fixtures::samples);
    let channels = render(&mut offline, 64, input.as_deref());
    check_outputs(&channels, &expected["outputs"]);
    check_memory(
        &project.map,
        offline.instance().memory(),
        &init["bytes"],
        &expected["memoryAfter64Buffers"],
    );
}

#[test]
fn first_light_equals_upstream_bit_for_bit() {
    check("first-light");
}

#[test]
fn first_light_with_other_defaults_equals_upstream_bit_for_bit() {
    check("first-light-b");
}

#[test]
fn first_light_with_another_layout_equals_upstream_bit_for_bit() {
    check("first-light-c");
}

#[test]
fn echo_repeats_its_input_bit_for_bit() {
    check("echo");
}

#[test]
fn dc_and_ramp_are_exact() {
    check("dc");
    check("ramp");
}

#[test]
fn heavy_equals_upstream_bit_for_bit() {
    check("heavy");
}

#[test]
fn an_input_that_is_not_connected_leaves_silence() {
    // E.2
    let project = project("echo");
    let channels = render(&mut offline(&project), 8, None);
    assert!(channels.iter().flatten().all(|frame| *frame == 0.0));
    assert_eq!(audio_settings(&project).inputs.len(), 1);
}

#[test]
fn an_input_that_is_unplugged_leaves_its_last_samples() {
    // E.2: no channels, so the program goes on with what it had.
    let project = project("echo");
    let address =
        usize::try_from(audio_settings(&project).routes(&project.map).0.inputs[0].byte_address).unwrap();
    let mut offline = offline(&project);
    render(&mut offline, 1, Some(&[0.5; 128]));
    render(&mut offline, 1, None);
    assert_eq!(offline.instance().memory()[address..address + 4], 0.5_f32.to_le_bytes());
}

#[test]
fn one_buffer_is_128_cycles() {
    // A.2
    let project = project("first-light");
    let expected = &fixtures::expected("first-light");
    let mut instance = from_init(&project);
    for _ in 0..64 * 128 {
        instance.cycle().unwrap();
    }
    let bytes = &expected["memoryAfterInit"]["bytes"];
    check_memory(&project.map, instance.memory(), bytes, &expected["memoryAfter64Buffers"]);
}

#[test]
fn values_written_between_blocks_are_heard() {
    let project = project("first-light");
    let expected = fixtures::expected("first-light");
    let poked = &expected["poked"];
    let mut offline = offline(&project);
    let mut channels = [Vec::new(), Vec::new()];
    for buffer in 0..64 {
        for poke in poked["pokes"].as_array().unwrap().iter().filter(|poke| poke["beforeBuffer"] == buffer) {
            let id = poke["memoryId"].as_str().unwrap();
            let variable = project.map.variable(id).unwrap();
            assert_eq!(variable.element, Element::F32);
            let value = variable.element.value_of(poke["value"].as_f64().unwrap());
            project.map.write(offline.instance_mut().memory_mut(), id, value).unwrap();
        }
        for (channel, frames) in channels.iter_mut().zip(render(&mut offline, 1, None)) {
            channel.extend(frames);
        }
    }
    check_outputs(&channels, &poked["outputs"]);
    let bytes = &expected["memoryAfterInit"]["bytes"];
    check_memory(&project.map, offline.instance().memory(), bytes, &poked["memoryAfter64Buffers"]);
}

#[test]
fn a_snapshot_stands_in_for_init() {
    // B.2: with a snapshot, init is not called.
    let mut project = project("ramp");
    let mut snapshot = project.snapshot.clone().unwrap().to_vec();
    snapshot[0] = 23;
    project.snapshot = Some(snapshot.into());
    let program = compiled(&project);
    assert_eq!(program.instantiate().unwrap().memory()[0], 23);
    assert_eq!(program.instantiate_from(Start::Init).unwrap().memory()[0], 0);
}

#[test]
fn without_a_snapshot_init_is_called() {
    // B.2
    let mut project = project("echo");
    project.snapshot = None;
    let program = compiled(&project);
    let feedback = |instance: &Instance| project.map.read(instance.memory(), "echo.feedback").unwrap();
    assert_eq!(feedback(&program.blank().unwrap()), Value::F32(0.0));
    assert_eq!(feedback(&program.instantiate().unwrap()), Value::F32(0.5));
}

#[test]
fn instances_of_one_program_share_nothing_but_code() {
    let program = compiled(&project("ramp"));
    let [mut first, second] = [(); 2].map(|()| program.instantiate().unwrap());
    let before = second.memory().to_vec();
    first.buffer().unwrap();
    assert!(first.memory() != before && second.memory() == before);
}

#[test]
fn an_instance_may_move_to_another_thread() {
    fn sent<T: Send>(_: &T) {}
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    let program: Program = compiled(&project("dc"));
    let instance = program.instantiate().unwrap();
    shared(&program);
    sent(&instance);
    shared(&instance.interrupt_handle());
}

#[test]
fn a_minute_of_the_demonstration_equals_upstream_bit_for_bit() {
    for name in ["first-light", "first-light-b", "first-light-c"] {
        let expected = &fixtures::expected(name)["minute"];
        let buffers = expected["buffers"].as_u64().unwrap() as usize;
        let channels = render(&mut offline(&project(name)), buffers, None);
        for (channel, expected) in channels.iter().zip(expected["channels"].as_array().unwrap()) {
            assert_eq!(fixtures::sha256_of_samples(channel), expected["sha256"].as_str().unwrap(), "{name}");
        }
    }
}
