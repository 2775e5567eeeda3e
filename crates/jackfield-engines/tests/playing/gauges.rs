//! What a program's variables hold, seen from outside while it plays.

use crate::support::{project, runner};
use assert_no_alloc::assert_no_alloc;
use jackfield_engines::{
    Controls, GaugeError, Gauges, Knobs, Limits, Processor, Program, Start, Value, Voice,
};

fn play_a_block(processor: &mut Processor) {
    let mut output = [0.0; 256];
    assert_no_alloc(|| processor.process(&[], &mut output));
}

#[test]
fn a_gauge_shows_what_its_variable_holds_after_every_block() {
    let (project, gauges, knobs) = (project("first-light"), Gauges::new(), Knobs::new());
    let bpm = gauges.watch("tempo.bpm").unwrap();
    assert_eq!(bpm.read(), None, "nothing plays yet");
    let (receiver, _) = knobs.connect(project.map.clone());
    let controls = Controls::new(receiver, gauges.connect(project.map.clone()));
    let (voice, _monitor) = Voice::new(runner(&project), controls);
    let (mut processor, _, _swaps) = Processor::new(voice, 0, None);
    assert_eq!(bpm.read(), None, "it has not been read yet");
    play_a_block(&mut processor);
    assert_eq!(bpm.read(), Some(Value::F32(66.0)));
    knobs.set("tempo.bpm", 120.0).unwrap();
    let cutoff = gauges.watch("filter.cutoff").unwrap();
    play_a_block(&mut processor);
    assert_eq!((bpm.read(), cutoff.read()), (Some(Value::F32(120.0)), Some(Value::F32(2800.0))));
}

#[test]
fn gauges_go_on_with_the_next_program_and_show_nothing_where_it_has_no_such_variable() {
    let gauges = Gauges::new();
    let (tens, feedback) = (gauges.watch("decade.tens").unwrap(), gauges.watch("delay.feedback").unwrap());
    for (name, expected) in
        [("tally", (Some(Value::I32(0)), None)), ("first-light", (None, Some(Value::F32(0.5))))]
    {
        let project = project(name);
        let reader = gauges.connect(project.map.clone());
        let controls = Controls::new(Knobs::new().connect(project.map.clone()).0, reader);
        let program = Program::compile(&project, &Limits::default()).unwrap();
        let mut instance = program.instantiate_from(Start::Init).unwrap();
        instance.cycle().unwrap();
        controls.after(instance.memory());
        assert_eq!((tens.read(), feedback.read()), expected);
    }
}

#[test]
fn what_is_not_there_or_not_single_cannot_be_watched() {
    let (project, gauges) = (project("first-light"), Gauges::new());
    let _reader = gauges.connect(project.map.clone());
    let error = gauges.watch("filter.cutof").unwrap_err();
    assert_eq!(error.to_string(), "no variable `filter.cutof`; nearest is `filter.cutoff`");
    let array = project.map.variables().find(|variable| variable.elements > 1).unwrap();
    assert!(matches!(gauges.watch(&array.id), Err(GaugeError::Array { .. })));
}

#[test]
fn there_is_room_for_sixty_four_and_again_when_they_are_dropped() {
    let gauges = Gauges::new();
    let id = |n: usize| format!("module.variable{n}");
    let held: Vec<_> = (0..64).map(|n| gauges.watch(&id(n)).unwrap()).collect();
    assert!(matches!(gauges.watch("one.more"), Err(GaugeError::TooMany { most: 64 })));
    let again = gauges.watch(&id(0)).unwrap();
    drop(held);
    let _one_more = gauges.watch("one.more").unwrap();
    assert_eq!(again.id(), "module.variable0");
}
