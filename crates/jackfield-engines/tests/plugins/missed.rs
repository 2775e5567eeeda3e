//! What becomes of missed ticks is said by the settings, while it ticks.

use crate::stage::{Stage, project};
use jackfield::{PluginRuntime, RuntimeSettings};
use jackfield_engines::{EngineManagerPlugin, ManualClock, TimerEngine, TimerEnginePlugin};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

fn configure(key: &str, value: impl Into<Value>) -> impl FnOnce(&mut RuntimeSettings) {
    let (pin, key, value) = ("engine-worker:engine.worker".parse().unwrap(), key.to_owned(), value.into());
    move |settings| drop(settings.service_mut(pin).config.insert(key, value))
}

#[tokio::test]
async fn a_change_of_what_becomes_of_missed_ticks_is_followed_without_a_new_start() {
    let clock = ManualClock::new();
    let worker = TimerEngine::worker_with_clock(Arc::new(clock.clone()));
    let builder = PluginRuntime::builder()
        .plugin(TimerEnginePlugin::new(worker))
        .plugin(TimerEnginePlugin::new(TimerEngine::main()))
        .plugin(EngineManagerPlugin);
    let stage = Stage::of(builder, &project("tally/tally")).await;
    let mut ticks = 0;
    let mut run_after_a_second = || {
        clock.advance(Duration::from_secs(1));
        let before = ticks;
        ticks = stage.engines.console().load().read().blocks;
        ticks - before
    };
    assert_eq!(run_after_a_second(), 5, "a tenth of a second unless said");
    stage.change(configure("catch_up", "skip")).await.unwrap();
    assert_eq!(run_after_a_second(), 1);
    stage.change(configure("catch_up", "all")).await.unwrap();
    assert_eq!(run_after_a_second(), 50);
    stage.change(configure("catch_up", "bounded")).await.unwrap();
    stage.change(configure("catch_up_ms", 400)).await.unwrap();
    assert_eq!(run_after_a_second(), 20);
    for (key, bad) in [("catch_up", Value::from("sometimes")), ("catch_up_ms", Value::from(0))] {
        let refused = stage.change(configure(key, bad)).await.unwrap_err();
        assert!(refused.contains(key), "{refused}");
        assert_eq!(run_after_a_second(), 20, "as before");
    }
    assert_eq!(stage.active().as_deref(), Some("worker"));
}
