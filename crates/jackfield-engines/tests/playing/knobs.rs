use crate::support::{project, runner};
use jackfield_engines::{BlockRunner, KnobError, Knobs, NumberError, Project, Value};
use std::collections::BTreeMap;

fn value(runner: &BlockRunner, project: &Project, id: &str) -> f64 {
    project.map.read(runner.instance().memory(), id).unwrap().as_f64()
}

#[test]
fn a_value_that_was_wanted_before_is_there_when_a_program_starts() {
    let (knobs, project) = (Knobs::new(), project("first-light"));
    knobs.set("tempo.bpm", 90.0).unwrap();
    let mut runner = runner(&project);
    let (mut receiver, problems) = knobs.connect(project.map.clone());
    assert_eq!(problems, []);
    assert!(receiver.has_changes());
    receiver.apply(runner.instance_mut().memory_mut());
    assert_eq!(project.map.read(runner.instance().memory(), "tempo.bpm").unwrap(), Value::F32(90.0));
}

#[test]
fn unsetting_a_knob_restores_the_programs_default() {
    let (knobs, project) = (Knobs::new(), project("first-light"));
    let mut runner = runner(&project);
    let (mut receiver, _) = knobs.connect(project.map.clone());
    let default = value(&runner, &project, "tempo.bpm");
    knobs.set("tempo.bpm", 33.0).unwrap();
    receiver.apply(runner.instance_mut().memory_mut());
    assert!(value(&runner, &project, "tempo.bpm") != default);
    knobs.unset("tempo.bpm").unwrap();
    receiver.apply(runner.instance_mut().memory_mut());
    assert_eq!(value(&runner, &project, "tempo.bpm").to_bits(), default.to_bits());
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let (knobs, project) = (Knobs::new(), project("first-light"));
    let (_receiver, _) = knobs.connect(project.map.clone());
    let error = knobs.set("tempo.bmp", 90.0).unwrap_err();
    assert_eq!(error.to_string(), "no variable `tempo.bmp`; nearest is `tempo.bpm`");
    assert_eq!(knobs.wanted(), BTreeMap::new());
}

#[test]
fn what_is_no_value_for_a_variable_is_refused() {
    let (knobs, project) = (Knobs::new(), project("tally"));
    let (_receiver, _) = knobs.connect(project.map.clone());
    assert!(matches!(
        knobs.set("counter.count", f64::NAN),
        Err(KnobError::Number { problem: NumberError::NotFinite { .. }, .. })
    ));
    assert!(matches!(
        knobs.set("counter.count", 3e9),
        Err(KnobError::Number { problem: NumberError::OutOfRange { .. }, .. })
    ));
    assert!(matches!(
        knobs.set("counter.count", 0.5),
        Err(KnobError::Number { problem: NumberError::NotWhole { .. }, .. })
    ));
    assert!(matches!(knobs.set("shelf.slots", 1.0), Err(KnobError::NotANumber { .. })));
    assert_eq!(knobs.set("counter.count", 7.0), Ok(()));
}

#[test]
fn replacing_sets_what_is_in_it_unsets_the_rest_and_reports_what_it_cannot() {
    let (knobs, project) = (Knobs::new(), project("tally"));
    let mut runner = runner_of_tally(&project);
    let (mut receiver, _) = knobs.connect(project.map.clone());
    assert_eq!(knobs.replace(BTreeMap::from([("counter.count".to_owned(), 5.0)])), []);
    receiver.apply(&mut runner);
    assert_eq!(project.map.read(&runner, "counter.count"), Ok(Value::I32(5)));
    let problems = knobs.replace(BTreeMap::from([("counter.coutn".to_owned(), 6.0)]));
    assert!(
        matches!(&*problems, [KnobError::Unknown(unknown)] if unknown.nearest.as_deref() == Some("counter.count"))
    );
    receiver.apply(&mut runner);
    assert_eq!(project.map.read(&runner, "counter.count"), Ok(Value::I32(0)));
}

/// Only its memory.
fn runner_of_tally(project: &Project) -> Vec<u8> {
    vec![0; project.config.memory_size_bytes as usize]
}

#[test]
fn when_nothing_plays_a_knob_is_remembered_for_what_will() {
    let (knobs, project) = (Knobs::new(), project("tally"));
    let (receiver, _) = knobs.connect(project.map.clone());
    drop(receiver);
    for count in 0..5000 {
        knobs.set("counter.count", f64::from(count)).unwrap();
    }
    assert_eq!(knobs.wanted()["counter.count"].to_bits(), 4999f64.to_bits());
}

#[test]
fn a_program_that_does_not_take_its_changes_is_not_waited_for() {
    let (knobs, project) = (Knobs::new(), project("tally"));
    let (_receiver, _) = knobs.connect(project.map.clone());
    let refused = (0..5000).find_map(|count| knobs.set("counter.count", f64::from(count)).err());
    assert!(matches!(refused, Some(KnobError::Busy { .. })));
}
