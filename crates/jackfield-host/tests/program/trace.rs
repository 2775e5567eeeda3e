//! `jackfield trace`: what a timer program does, as a document.

use std::fs;

use jackfield_testkit::fixtures;
use serde_json::{Value, json};

use crate::support::Place;

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn tally(cycles: &str) -> Value {
    let place = Place::with("tally");
    document(&place.run(&["trace", "tally.project.json", "--cycles", cycles]).good())
}

/// `value` is the number that the expectations describe, exactly.
#[track_caller]
fn check_scalar(id: &str, value: &Value, expected: &Value) {
    match expected["t"].as_str() {
        Some("i32") => assert_eq!(value.as_i64(), expected["v"].as_i64(), "{id}"),
        Some("f32") => {
            let number = value.as_f64().unwrap_or_else(|| panic!("{id}: {value}"));
            assert_eq!(f64::from(number as f32), number, "{id} is no single-precision number");
            assert_eq!(u64::from((number as f32).to_bits()), expected["bits"].as_u64().unwrap(), "{id}");
        }
        other => panic!("{id}: {other:?}"),
    }
}

#[test]
fn tally_is_exact_after_1_10_100_and_1000_cycles() {
    let after = tally("1000")["after"].take();
    let expected = fixtures::expected("tally")["after"].take();
    assert_eq!(after.as_object().unwrap().keys().collect::<Vec<_>>(), ["1", "10", "100", "1000"]);
    for (cycle, moment) in expected.as_object().unwrap() {
        let values = after[cycle].as_object().unwrap();
        let scalars = moment["scalars"].as_object().unwrap();
        let arrays = moment["arrays"].as_object().unwrap();
        for (id, scalar) in scalars {
            check_scalar(id, &values[id], scalar);
        }
        for (id, array) in arrays {
            let numbers = |array: &Value| -> Vec<f64> {
                array.as_array().unwrap().iter().map(|element| element.as_f64().unwrap()).collect()
            };
            assert_eq!(numbers(&values[id]), numbers(array), "{id} after {cycle}");
        }
    }
}

#[test]
fn every_variable_of_the_map_is_there_in_its_order() {
    let after = tally("1")["after"]["1"].take();
    let map = fixtures::json("tally/tally.map.json");
    let modules = map["compiledModules"].as_object().unwrap().iter();
    let mut modules: Vec<_> = modules.map(|(id, module)| (module["index"].as_u64(), id, module)).collect();
    modules.sort_by_key(|(index, ..)| *index);
    let ids = modules.iter().flat_map(|(_, module, entry)| {
        entry["memoryMap"].as_object().unwrap().keys().map(move |name| format!("{module}.{name}"))
    });
    assert_eq!(after.as_object().unwrap().keys().cloned().collect::<Vec<_>>(), ids.collect::<Vec<_>>());
}

#[test]
fn variables_that_the_compiler_made_are_there_too() {
    let after = tally("1")["after"]["1"].take();
    assert_eq!(after["decade.__sleeper2"], 1);
    assert_eq!(after["edges.__risingEdgeDetector_previousValue7"], 0);
}

#[test]
fn the_document_says_what_ran() {
    let mut document = tally("10");
    document["after"].take();
    let expected = json!({
        "project": "tally", "engine": "WebWorkerLogicRuntime", "cycles": 10, "after": null, "messages": [],
    });
    assert_eq!(document, expected);
}

/// J-27: where upstream forgets the port, it is the first.
fn messages(expected: &Value) -> Value {
    let messages = expected["messages"].as_array().unwrap().iter().map(|sent| {
        let port = sent.get("port").cloned().unwrap_or(json!(1));
        json!({ "cycle": sent["cycle"], "message": sent["message"], "port": port })
    });
    messages.collect()
}

// E.3, E.4
#[test]
fn night_bus_sends_the_messages_that_upstream_sends_in_their_order() {
    let place = Place::with("night-bus");
    let said = document(&place.run(&["trace", "night-bus.project.json", "--cycles", "500"]).good());
    assert_eq!(said["messages"], messages(&fixtures::expected("night-bus")));
    assert_eq!(said["engine"], "WebWorkerMIDIRuntime");
}

// E.4
#[test]
fn what_comes_in_changes_what_night_bus_sends_as_upstream() {
    let place = Place::with("night-bus");
    let expected = fixtures::expected("night-bus")["withInput"].take();
    place.write("input.json", expected["midiInputBeforeCycle"].to_string());
    let arguments = ["trace", "night-bus.project.json", "--cycles", "500", "--midi-input", "input.json"];
    let said = document(&place.run(&arguments).good());
    assert_eq!(said["messages"], messages(&expected));
}

#[test]
fn input_that_is_no_midi_is_refused_with_its_place() {
    let place = Place::with("night-bus");
    for (text, what) in [
        ("{ \"40\": [[17, 20]] }", "[17, 20] before cycle 40 is no message; "),
        ("[]", "invalid type: sequence, expected a map at line 1 column 0; "),
    ] {
        place.write("input.json", text);
        let done = place.run(&["trace", "night-bus.project.json", "--midi-input", "input.json"]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
        assert!(done.stderr.starts_with(&format!("jackfield: input.json: {what}")), "{done:?}");
    }
}

#[test]
fn only_moments_that_were_reached_are_in_it() {
    let reached = |cycles| tally(cycles)["after"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(reached("9"), ["1"]);
    assert_eq!(reached("10"), ["1", "10"]);
    assert_eq!(reached("999"), ["1", "10", "100"]);
}

#[test]
fn it_goes_to_a_file_or_to_standard_output() {
    let place = Place::with("tally");
    let said = place.run(&["trace", "tally.project.json", "--cycles", "10"]).good();
    let out = place.run(&["trace", "tally.project.json", "--cycles", "10", "--out", "t.json"]);
    assert_eq!(out.good(), "");
    assert_eq!(fs::read_to_string(place.file("t.json")).unwrap(), said);
}

#[test]
fn a_thousand_cycles_run_unless_told_otherwise() {
    let place = Place::with("tally");
    assert_eq!(document(&place.run(&["trace", "tally.project.json"]).good())["cycles"], 1000);
}

#[test]
fn the_newest_generation_is_traced_too() {
    let place = Place::new();
    let program = fixtures::path("new-abi/new-abi.wasm");
    let said = place.run(&["trace", program.to_str().unwrap(), "--cycles", "1"]).good();
    let after = document(&said)["after"]["1"].take();
    assert!(after["clock:seconds"].as_f64().unwrap() > 0.0, "{after}");
}

#[test]
fn cycles_that_break_are_counted_and_the_document_is_whole() {
    let place = Place::new();
    let program = fixtures::path("extras/trapCastToInt.wasm");
    let log = fixtures::json("extras/trapCastToInt.expected.json");
    let log = log["log"].as_array().unwrap();
    let traps = log.iter().filter(|entry| !entry["trap"].is_null()).count();
    let first = log.iter().find(|entry| !entry["trap"].is_null()).unwrap();
    let cycles = log.len();

    let program = program.to_str().unwrap();
    let done = place.run(&["trace", program, "--cycles", &cycles.to_string(), "--out", "t.json"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let message = format!("{program}: {traps} of {cycles} cycles broke, the first was {}: ", first["cycle"]);
    assert!(done.stderr.starts_with(&format!("jackfield: {message}")), "{message}\n{done:?}");
    assert_eq!(document(&fs::read_to_string(place.file("t.json")).unwrap())["cycles"], cycles);
}

#[test]
fn a_program_that_does_not_return_ends_the_trace() {
    let place = Place::new();
    let project = fixtures::path("wat/late-runaway.project.json");
    fs::copy(project, place.file("late.project.json")).unwrap();
    let done = place.run(&["trace", "late.project.json"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(
        done.stderr,
        "jackfield: late.project.json: 1 of 65 cycles broke, the first was 65: `cycle` ended early: it took too \
         long and was interrupted\n"
    );
    let document = document(&done.stdout);
    assert_eq!((&document["cycles"], &document["after"]["10"]["spin.calls"]), (&json!(65), &json!(10)));
}

// A.8, E.3
#[test]
fn what_lies_in_regions_is_traced_and_checked_like_all_else() {
    let place = Place::new();
    let keys = fixtures::path("regions/keys.wat").display().to_string();
    let traced = document(&place.run(&["trace", &keys, "--cycles", "1"]).good());
    let values = ["midinoteout:gate", "pitch:note", "other:note"].map(|id| traced["after"]["1"][id].as_i64());
    assert_eq!(values, [Some(1), Some(64), Some(99)]);
    assert_eq!(traced["messages"][0]["message"], json!([0x90, 64, 127]));
    assert_eq!(place.run(&["check", &keys]).good(), format!("{keys}: ok\n"));
}
