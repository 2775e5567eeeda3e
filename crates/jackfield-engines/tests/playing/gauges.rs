//! What a program's variables hold, seen from outside while it plays.

use crate::support::{project, runner};
use jackfield_engines::{
    AccessError, Calls, CaptureError, Captures, Controls, GaugeError, GaugeReader, Gauges, KnobReceiver,
    Knobs, Limits, Processor, Program, Project, Reading, Start, Value, Voice,
};
use jackfield_testkit::realtime;
use std::time::Duration;

fn controls(knobs: KnobReceiver, gauges: GaugeReader, project: &Project) -> Controls {
    with_captures(knobs, gauges, project, &Captures::default())
}

fn with_captures(
    knobs: KnobReceiver,
    gauges: GaugeReader,
    project: &Project,
    captures: &Captures,
) -> Controls {
    let program = Program::compile(project, &Limits::default()).unwrap();
    Controls::new(knobs, Calls::default().connect(program), gauges, captures.connect(project.map.clone()))
}

/// Plays, and is captured.
fn captured(project: &Project, captures: &Captures) -> Processor {
    let knobs = Knobs::new().connect(project.map.clone()).0;
    let gauges = Gauges::new().connect(project.map.clone());
    let controls = with_captures(knobs, gauges, project, captures);
    Processor::new(Voice::new(runner(project), controls).0, 0, None).0
}

fn play_a_block(processor: &mut Processor) {
    let mut output = [0.0; 256];
    realtime(|| processor.process(&[], &mut output));
}

#[test]
fn a_gauge_shows_what_its_variable_holds_after_every_block() {
    let (project, gauges, knobs) = (project("first-light"), Gauges::new(), Knobs::new());
    let bpm = gauges.watch("tempo.bpm").unwrap();
    assert_eq!(bpm.read(), None, "nothing plays yet");
    let (receiver, _) = knobs.connect(project.map.clone());
    let controls = controls(receiver, gauges.connect(project.map.clone()), &project);
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
        let mut controls = controls(Knobs::new().connect(project.map.clone()).0, reader, &project);
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

#[tokio::test]
async fn an_array_is_captured_as_it_is_after_a_block_without_touching_the_allocator() {
    let (project, captures) = (project("ramp"), Captures::default());
    let array = project.map.variables().find(|variable| variable.elements == 128).unwrap().id.clone();
    assert_eq!(captures.take(&array).await, Err(CaptureError::NothingPlays));
    let mut processor = captured(&project, &captures);
    let mut capture = std::pin::pin!(captures.take(&array));
    assert!(futures_util::poll!(capture.as_mut()).is_pending());
    play_a_block(&mut processor);
    let Reading::Many(samples) = capture.await.unwrap() else { panic!("an array") };
    let ramp = |steps: f32| (0..128_i16).map(move |n| Value::F32(f32::from(n) / steps));
    let found = samples.iter().copied();
    assert!(found.clone().eq(ramp(65_536.0)) || found.eq(ramp(128.0)), "{samples:?}");
    captures.take("nobody.there").await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_capture_of_what_does_not_play_any_more_is_given_up() {
    let (project, captures) = (project("ramp"), Captures::default());
    let taker = captures.connect(project.map.clone());
    let id = project.map.variables().next().unwrap().id.clone();
    assert_eq!(captures.take(&id).await, Err(CaptureError::NothingPlays));
    drop(taker);
}

#[tokio::test]
async fn a_window_of_an_array_is_captured_and_only_where_there_is_one() {
    let (project, captures) = (project("ramp"), Captures::default());
    let array = project.map.variables().find(|variable| variable.elements == 128).unwrap().id.clone();
    let mut processor = captured(&project, &captures);
    let mut all = std::pin::pin!(captures.take(&array));
    assert!(futures_util::poll!(all.as_mut()).is_pending());
    play_a_block(&mut processor);
    let Reading::Many(all) = all.await.unwrap() else { panic!("an array") };
    let mut part = std::pin::pin!(captures.window(&array, 100..=102));
    assert!(futures_util::poll!(part.as_mut()).is_pending());
    play_a_block(&mut processor);
    let Reading::Many(part) = part.await.unwrap() else { panic!("three of an array") };
    assert_eq!(part.len(), 3);
    let steps =
        |values: &[Value]| values.windows(2).map(|two| two[1].as_f64() - two[0].as_f64()).sum::<f64>();
    assert_eq!(steps(&part), steps(&all[100..=102]));
    for (window, index) in [(0..129, 128), (128..129, 128), (5..5, 5)] {
        let error = captures.window(&array, window).await.unwrap_err();
        assert_eq!(error, CaptureError::Access(AccessError::NoSuchElement { index, elements: 128 }));
    }
}

#[tokio::test(start_paused = true)]
async fn variables_are_followed_at_a_rate_and_told_only_when_they_change() {
    let (project, gauges, knobs) = (project("first-light"), Gauges::new(), Knobs::new());
    let every = Duration::from_millis(40);
    let mut followed = gauges.follow(["tempo.bpm", "filter.cutoff"], every).unwrap();
    assert_eq!(followed.changed().await, [None, None], "nothing plays yet");
    let (receiver, _) = knobs.connect(project.map.clone());
    let controls = controls(receiver, gauges.connect(project.map.clone()), &project);
    let (voice, _monitor) = Voice::new(runner(&project), controls);
    let (mut processor, _, _swaps) = Processor::new(voice, 0, None);
    play_a_block(&mut processor);
    let begun = tokio::time::Instant::now();
    assert_eq!(followed.changed().await, [Some(Value::F32(66.0)), Some(Value::F32(2800.0))]);
    for bpm in [70.0, 80.0, 90.0] {
        knobs.set("tempo.bpm", bpm).unwrap();
        play_a_block(&mut processor);
    }
    assert_eq!(followed.changed().await[0], Some(Value::F32(90.0)), "only what holds when the time has come");
    assert_eq!(begun.elapsed(), every * 2);
    play_a_block(&mut processor);
    let unchanged = tokio::time::timeout(Duration::from_secs(1), followed.changed()).await;
    assert!(unchanged.is_err(), "nothing has changed: {unchanged:?}");
    let error = gauges.follow(["tempo.bpm", "tempo.bmp"], every).unwrap_err();
    assert!(matches!(error, GaugeError::Unknown(_)));
}
