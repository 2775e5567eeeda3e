use jackfield_engines::{Instance, Trap, TrapKind, trace};
use jackfield_testkit::fixtures;
use serde_json::Value;

use crate::support::{
    audio_settings, check_memory, check_outputs, check_scalars, from_init, loose, offline, render,
};

/// Runs the cycles of a log and compares what each leaves. Gives back what its last cycle said, and the instance.
#[track_caller]
fn check_log(name: &str) -> (Result<(), Trap>, Instance) {
    let project = loose(&format!("extras/{name}.wasm"));
    let expected = expected(name);
    let mut instance = from_init(&project);
    if let Some(init) = expected.get("memoryAfterInit") {
        check_memory(&project.map, instance.memory(), &init["bytes"], init);
    }
    let mut last = Ok(());
    for entry in expected["log"].as_array().unwrap() {
        last = instance.cycle();
        assert_eq!(last.is_err(), !entry["trap"].is_null(), "cycle {}", entry["cycle"]);
        check_scalars(&project.map, instance.memory(), &entry["scalars"]);
    }
    (last, instance)
}

fn expected(name: &str) -> Value {
    fixtures::json(&format!("extras/{name}.expected.json"))
}

fn words(expected: &Value) -> Vec<u8> {
    let words = expected["wordsI32"].as_array().unwrap().iter();
    words.flat_map(|word| i32::try_from(word.as_i64().unwrap()).unwrap().to_le_bytes()).collect()
}

#[test]
fn a_trap_in_the_middle_of_a_cycle_keeps_what_was_stored_and_the_next_tick_runs() {
    // A.2, E.1
    let (last, mut instance) = check_log("trapCastToInt");
    let trap = last.unwrap_err();
    assert_eq!(trap.function, "cycle");
    assert!(matches!(trap.kind, TrapKind::BadConversion | TrapKind::Overflow), "{trap:?}");
    assert!(instance.cycle().is_err(), "traps again, and can be asked again");
}

#[test]
fn a_trace_goes_on_after_a_trap_and_tells() {
    let mut instance = from_init(&loose("extras/trapCastToInt.wasm"));
    let trace = trace(&mut instance, 10);
    let log = expected("trapCastToInt");
    let log = log["log"].as_array().unwrap();
    let first = log.iter().find(|entry| !entry["trap"].is_null()).unwrap()["cycle"].as_u64().unwrap();
    assert_eq!(trace.first_trap.as_ref().map(|(cycle, _)| *cycle), Some(first));
    assert_eq!((trace.cycles, trace.traps), (10, 11 - first));
}

#[test]
fn a_loop_leaves_after_1000_rounds() {
    // A.6
    assert_eq!(check_log("loopGuard").0, Ok(()));
}

#[test]
fn a_bad_address_becomes_word_0() {
    // A.6
    let (last, instance) = check_log("outOfBounds");
    assert_eq!(last, Ok(()));
    let word = expected("outOfBounds")["log"][0]["word0"].as_i64().unwrap();
    assert_eq!(instance.memory()[..4], i32::try_from(word).unwrap().to_le_bytes());
}

#[test]
fn a_negative_address_traps() {
    // A.6
    let (last, _) = check_log("outOfBoundsNegative");
    assert_eq!(last.unwrap_err().kind, TrapKind::OutOfBounds);
}

#[test]
fn initial_array_elements_land_where_the_compiler_put_them() {
    // A.7: one word too high, baked into the program
    let project = loose("extras/arrayInitOffByOne.wasm");
    let expected = expected("arrayInitOffByOne");
    let instance = from_init(&project);
    let init = &expected["memoryAfterInit"];
    check_memory(&project.map, instance.memory(), &init["bytes"], init);
    let words = words(&expected);
    assert_eq!(instance.memory()[..words.len()], words);
}

#[test]
fn two_names_may_share_an_address() {
    // A.7
    let project = loose("extras/twoLoops.wasm");
    let expected = expected("twoLoops");
    let instance = from_init(&project);
    let init = &expected["memoryAfterInit"];
    check_memory(&project.map, instance.memory(), &init["bytes"], init);
    let address = |id: &str| project.map.variable(id).unwrap().byte_address;
    assert_eq!(address("twoloops.__loopErrorSignaler"), address("twoloops.b"));
}

#[test]
fn routes_that_lead_nowhere_are_skipped() {
    // E.2: ids that do not resolve, a third part, channels and outputs that do not exist, a short block
    let project = loose("extras/audioRouting.wasm");
    let expected = expected("audioRouting");
    let (addresses, warnings) = audio_settings(&project).routes(&project.map);
    let resolved: Vec<_> = addresses
        .outputs
        .iter()
        .map(|route| (u64::from(route.byte_address / 4), u64::from(route.port), u64::from(route.channel)))
        .collect();
    let known: Vec<_> = expected["initMessage"]["audioOutputBuffers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| {
            ["audioBufferWordAddress", "output", "channel"].map(|key| route[key].as_u64().unwrap()).into()
        })
        .collect();
    assert_eq!(resolved, known);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    check_outputs(&render(&mut offline(&project), 4, None), &expected["outputs"]);
}

#[test]
fn frames_past_the_end_of_memory_are_silent() {
    // E.2, J-26: where upstream gives NaN
    let project = loose("extras/audioBufferPastEnd.wasm");
    let expected = expected("audioBufferPastEnd");
    let from = usize::try_from(expected["nanFrom"].as_u64().unwrap()).unwrap();
    let [left, right] = render(&mut offline(&project), 1, None);
    assert_eq!(left[0], 0.25);
    assert!(left[..from].iter().all(|frame| frame.is_finite()));
    assert!(left[from..].iter().all(|frame| frame.to_bits() == 0), "from frame {from} on");
    assert!(right.iter().all(|frame| frame.to_bits() == 0), "no route leads there");
}
