//! Programs with several memories, while they play: turned, looked at, and edited.

use crate::support::{Session, processor, runner};
use jackfield_engines::{
    Carry, Console, EngineEvent, EngineFactory, EngineSettings, Knobs, ManualClock, Processor, Program,
    Project, Reading, ResetReason, Swap, TimerEngine, Value, Voice,
};
use jackfield_testkit::{fixtures, realtime};
use std::sync::Arc;
use std::time::Duration;

fn regions(name: &str) -> Arc<Project> {
    Arc::new(Project::load(fixtures::path(&format!("regions/{name}.wat"))).unwrap())
}

/// The next block, left and right, without touching the allocator.
fn block(processor: &mut Processor) -> [Vec<f32>; 2] {
    let mut output = [0.0; 256];
    Program::prepare_thread();
    realtime(|| processor.process(&[], &mut output));
    [0, 1].map(|channel| output.iter().skip(channel).step_by(2).copied().collect())
}

#[tokio::test]
async fn what_lies_in_a_region_is_turned_and_looked_at_while_it_plays() {
    let (console, runner) = (Console::new(), runner(&regions("regions")));
    let (knobs, gauges, captures) = (console.knobs(), console.gauges(), console.captures());
    let (controls, unset) = console.connect(runner.instance().program());
    assert_eq!(unset, []);
    let (voice, _monitor) = Voice::new(runner, controls);
    let (mut processor, _, _swaps) = Processor::new(voice, 0, None);
    let ids = ["wave:level", "wave:far", "view:count", "player:count"];
    let watched = ids.map(|id| gauges.watch(id).unwrap());
    knobs.set("wave:level", 0.25).unwrap();
    knobs.set("wave:far", -1.0).unwrap();
    assert_eq!(block(&mut processor)[0], [0.25; 128]);
    let read = watched.map(|gauge| gauge.read().unwrap());
    assert_eq!(read, [Value::F32(0.25), Value::F32(-1.0), Value::I32(128), Value::I32(128)]);
    knobs.unset("wave:level").unwrap();
    assert_eq!(block(&mut processor)[0], [0.5; 128]);

    // At the same address of another memory lies what is heard on the left.
    for (id, expected) in [("view:right", 0.0), ("speakers:left", 0.5)] {
        let mut capture = std::pin::pin!(captures.take(id));
        assert!(futures_util::poll!(capture.as_mut()).is_pending());
        block(&mut processor);
        assert_eq!(capture.await.unwrap(), Reading::Many(vec![Value::F32(expected); 128]), "{id}");
    }
    let mut capture = std::pin::pin!(captures.take("wave:far"));
    assert!(futures_util::poll!(capture.as_mut()).is_pending());
    block(&mut processor);
    assert_eq!(capture.await.unwrap(), Reading::One(Value::F32(-1.0)));
}

// J-24
#[test]
fn values_follow_their_variables_into_another_region() {
    let (before, after) = (regions("regions"), regions("moved"));
    let knobs = Knobs::new();
    let (mut playing, mut control) = processor(&before, 0, knobs.connect(before.map.clone()).0, None);
    knobs.set("wave:level", 0.75).unwrap();
    knobs.set("wave:far", 3.0).unwrap();
    assert_eq!(block(&mut playing)[0], [0.75; 128]);

    let carry = Carry::between(&before.map, &after.map, |_| false);
    assert_eq!(carry.report().reset, [("player:level".to_owned(), ResetReason::Pointer)]);
    assert_eq!((carry.report().carried, carry.report().gone.len()), (7, 0));
    let (voice, _monitor) = Voice::new(runner(&after), Knobs::new().connect(after.map.clone()).0);
    control.swaps.send(Box::new(Swap::new(voice, carry, 0))).unwrap();
    assert_eq!(block(&mut playing)[0], [0.75; 128]);
    let (voice, _) = playing.into_parts();
    let read =
        ["wave:far", "view:count", "player:count"].map(|id| after.map.read(voice.instance(), id).unwrap());
    assert_eq!(read, [Value::F32(3.0), Value::I32(256), Value::I32(256)]);
}

#[test]
fn a_pointer_keeps_its_value_while_nothing_moves_from_one_memory_to_another() {
    let map = regions("regions").map.clone();
    assert_eq!(Carry::between(&map, &map, |_| false).report().reset, []);
}

#[tokio::test]
async fn a_program_with_regions_ticks_and_an_edit_that_moves_its_variables_is_taken_up() {
    let clock = ManualClock::new();
    let engine = TimerEngine::worker_with_clock(Arc::new(clock.clone()));
    let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
    let ticking = |name: &str| {
        let mut project = Project::clone(&regions(name));
        project.config.runtime_settings =
            vec![EngineSettings { runtime: "worker".to_owned(), settings: serde_json::Map::new() }];
        Arc::new(project)
    };
    session.play(ticking("regions")).await;
    let count = session.console.gauges().watch("view:count").unwrap();
    let level = session.console.gauges().watch("wave:level").unwrap();
    session.console.knobs().set("wave:level", 0.75).unwrap();
    clock.advance(Duration::from_millis(100));
    assert_eq!((count.read(), level.read()), (Some(Value::I32(5)), Some(Value::F32(0.75))));
    session.play(ticking("moved")).await;
    clock.advance(Duration::from_millis(20));
    assert_eq!((count.read(), level.read()), (Some(Value::I32(6)), Some(Value::F32(0.75))));
    let heard = session.heard.lock().unwrap().clone();
    let swapped = heard.iter().filter(|event| matches!(event, EngineEvent::Swapped { .. }));
    assert_eq!(swapped.count(), 1);
    session.manager.close().await;
}
