use std::time::Duration;

use jackfield_engines::{Rate, Reading, TimerSettings, Trace, trace};
use jackfield_testkit::fixtures;
use serde_json::Value;

use crate::support::{check_memory, from_init, project};

fn number(expected: &Value) -> Value {
    match (expected["t"].as_str(), expected["v"].as_f64()) {
        (Some("i32"), _) => expected["v"].clone(),
        // The fixture writes whole floats without a point.
        (_, Some(value)) => value.into(),
        _ => expected["v"].clone(),
    }
}

#[test]
fn tally_has_the_values_upstream_has_after_1_10_100_and_1000_cycles() {
    let project = project("tally");
    let expected = fixtures::expected("tally");
    let Trace { after, traps: 0, first_trap: None, .. } = trace(&mut from_init(&project), 1_000) else {
        panic!("tally never traps");
    };
    assert_eq!(after.iter().map(|moment| moment.cycle).collect::<Vec<_>>(), [1, 10, 100, 1_000]);
    for moment in after {
        let expected = &expected["after"][moment.cycle.to_string()];
        let (arrays, scalars) =
            (expected["arrays"].as_object().unwrap(), expected["scalars"].as_object().unwrap());
        assert_eq!(
            moment.values.iter().filter(|(_, value)| matches!(value, Reading::One(_))).count(),
            scalars.len()
        );
        for (id, scalar) in scalars {
            let (_, found) = moment.values.iter().find(|(name, _)| name == id).unwrap();
            assert_eq!(found.to_json(), number(scalar), "{id} after {}", moment.cycle);
        }
        for (id, array) in arrays {
            let (_, found) = moment.values.iter().find(|(name, _)| name == id).unwrap();
            assert_eq!(&found.to_json(), array, "{id} after {}", moment.cycle);
        }
    }
}

#[test]
fn tally_leaves_the_memory_upstream_leaves() {
    let project = project("tally");
    let expected = fixtures::expected("tally");
    let bytes = &expected["memoryAfterInit"]["bytes"];
    let mut instance = from_init(&project);
    check_memory(&project.map, instance.memory(), bytes, &expected["memoryAfterInit"]);
    for cycle in 1..=1_000 {
        instance.cycle().unwrap();
        if let Some(expected) = expected["after"].get(cycle.to_string()) {
            check_memory(&project.map, instance.memory(), bytes, expected);
        }
    }
}

#[test]
fn a_trace_notes_only_what_it_reaches_in_the_order_of_the_map() {
    let project = project("tally");
    let trace = trace(&mut from_init(&project), 99);
    assert_eq!(trace.after.iter().map(|moment| moment.cycle).collect::<Vec<_>>(), [1, 10]);
    let ids: Vec<_> = trace.after[0].values.iter().map(|(id, _)| id.as_str()).take(3).collect();
    assert_eq!(ids, ["counter.count", "decade.tens", "decade.seconds"]);
}

#[test]
fn every_variant_of_the_earlier_settings_gives_the_program_it_asks_for() {
    // C.2
    let expected = fixtures::json("legacy-config/legacy-config.expected.json");
    let bytes = &fixtures::expected("tally")["memoryAfterInit"]["bytes"];
    for variant in ["index-out-of-range", "unknown-runtime"] {
        let path = fixtures::path(&format!("legacy-config/{variant}.project.json"));
        let project = jackfield_engines::Project::load(path).unwrap();
        let expected = &expected["variants"][variant];
        let settings = project
            .config
            .selected()
            .map_or_else(TimerSettings::default, |settings| TimerSettings::read(settings).unwrap());
        let interval = Duration::from_millis(expected["intervalMs"].as_u64().unwrap());
        assert_eq!(Rate::per_second(settings.sample_rate).unwrap().period(), interval, "{variant}");
        let mut instance = from_init(&project);
        for cycle in 1..=100 {
            instance.cycle().unwrap();
            if let Some(after) = expected["after"].get(cycle.to_string()) {
                check_memory(&project.map, instance.memory(), bytes, after);
            }
        }
    }
}
