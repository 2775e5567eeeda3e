use jackfield_engines::{Offline, TrapKind, Value};
use jackfield_testkit::fixtures;

use crate::support::{check_memory, check_outputs, offline, project, render};

/// After the 256 buffers that go well.
fn at_the_brink() -> (Offline, [Vec<f32>; 2]) {
    let mut offline = offline(&project("trap-later"));
    let channels = render(&mut offline, 256, None);
    (offline, channels)
}

#[test]
fn the_first_256_buffers_are_upstreams() {
    let expected = fixtures::expected("trap-later");
    let (_, channels) = at_the_brink();
    let hashes = channels.each_ref().map(|channel| fixtures::sha256_of_samples(channel));
    assert_eq!(serde_json::json!(hashes), expected["trap"]["allOutputSha256"]);
    check_outputs(&channels.map(|channel| channel[..64 * 128].to_vec()), &expected["outputs"]);
}

#[test]
fn call_257_traps_silently_and_keeps_what_was_stored() {
    // A.2, J-25
    let expected = fixtures::expected("trap-later");
    let (mut offline, _) = at_the_brink();
    let mut output = [[f32::NAN; 128]; 2];
    let trap = offline.render_block(&[], &mut output).unwrap_err();
    assert_eq!((trap.function.as_ref(), trap.kind), ("buffer", TrapKind::BadConversion));
    assert_eq!(
        trap.to_string(),
        "`buffer` ended early: a float that is not a number or out of range was made an integer"
    );
    assert_eq!(output, [[0.0; 128]; 2]);
    let bytes = &expected["memoryAfterInit"]["bytes"];
    let map = offline.instance().program().map();
    check_memory(map, offline.instance().memory(), bytes, &expected["trap"]["memoryAfterTrap"]);
    assert!(offline.render_block(&[], &mut output).is_err(), "so does every later call");
}

#[test]
fn a_program_that_trapped_recovers_when_its_cause_is_gone() {
    let expected = fixtures::expected("trap-later");
    let (mut offline, _) = at_the_brink();
    let mut output = [[0.0; 128]; 2];
    offline.render_block(&[], &mut output).unwrap_err();
    let map = offline.instance().program().map().clone();
    map.write(offline.instance_mut().memory_mut(), "fuse.limit", Value::I32(65_536)).unwrap();
    render(&mut offline, 256, None);
    let bytes = &expected["memoryAfterInit"]["bytes"];
    let after = &expected["trap"]["recovery"]["memoryAfter256MoreBuffers"];
    check_memory(&map, offline.instance().memory(), bytes, after);
}
