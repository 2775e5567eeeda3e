//! The plugin of the engine that plays is switched off, and on again.

use crate::stage::{BROKEN, Broken, Recorded, Stage, engines, project};
use jackfield_engines::{EngineId, EnginePlugin, ManagerState};

#[tokio::test]
async fn when_the_plugin_of_the_engine_that_plays_is_switched_off_the_default_plays_in_the_same_change() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    assert_eq!(stage.active().as_deref(), Some("audio"));
    stage.change(|s| s.disable("engine-audio")).await.unwrap();
    let status = stage.engines.status();
    assert_eq!((status.state, status.active), (ManagerState::Running, Some(EngineId::new("worker"))));
    assert_eq!(status.requested.as_deref(), Some("AudioWorkletRuntime"));
    assert!(status.stands_in);
    assert_eq!(device.take(), ["open", "close"]);
    assert_eq!(stage.engines.console().playing().borrow().as_ref().unwrap().engine, EngineId::new("worker"));
}

// J-22
#[tokio::test]
async fn switched_on_again_it_plays_again() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    stage.change(|s| s.disable("engine-audio")).await.unwrap();
    stage.change(|s| s.enable("engine-audio")).await.unwrap();
    let status = stage.engines.status();
    assert_eq!((status.active, status.stands_in), (Some(EngineId::new("audio")), false));
    assert_eq!(device.take(), ["open", "close", "open"]);
}

#[tokio::test]
async fn an_engine_that_does_not_play_comes_and_goes_unheard() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    stage.change(|s| s.disable("engine-main")).await.unwrap();
    stage.change(|s| s.enable("engine-main")).await.unwrap();
    assert_eq!(device.take(), ["open"]);
}

#[tokio::test]
async fn a_change_that_leaves_no_engine_is_taken_back_and_what_plays_plays_on() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("ramp/ramp")).await;
    device.play(0, 20);
    let all = |s: &mut jackfield::RuntimeSettings| {
        ["engine-audio", "engine-worker", "engine-main"].iter().for_each(|id| s.disable(id));
    };
    let error = stage.change(all).await.unwrap_err();
    assert!(error.contains("there is no engine `AudioWorkletRuntime`"), "{error}");
    let status = stage.engines.status();
    assert_eq!((status.state, status.active), (ManagerState::Running, Some(EngineId::new("audio"))));
    assert_eq!((status.requested.as_deref(), status.stands_in), (Some("AudioWorkletRuntime"), false));
    assert!(status.failed.is_some());
    assert_eq!(device.take(), ["open"]);
    // The program has not been started anew either: its left channel goes on counting.
    device.play(0, 10);
    let mut frames = [0.0; 2 * 1440];
    assert_eq!(stage.engines.console().tape().read(&mut frames).frames, 1440);
    let count = |frame: usize| frames[2 * frame] * 65_536.0;
    assert_eq!([count(959), count(960), count(1439)], [959.0, 960.0, 1439.0]);
    stage.change(|s| s.disable("engine-main")).await.unwrap();
    assert_eq!(stage.engines.status().failed, None);
}

#[tokio::test]
async fn when_the_default_cannot_be_made_the_change_is_taken_back_and_what_plays_plays_on() {
    let device = Recorded::default();
    let broken = EnginePlugin::new("engine-broken", "fails", BROKEN, Broken);
    let stage = Stage::of(engines(&device).plugin(broken), &project("dc/dc")).await;
    stage.change(|s| s.configure("engine-manager", "default", "broken")).await.unwrap();
    let error = stage.change(|s| s.disable("engine-audio")).await.unwrap_err();
    assert!(error.contains("engine `broken` could not be prepared"), "{error}");
    assert_eq!((device.take(), stage.active().as_deref()), (vec!["open"], Some("audio")));
}

#[tokio::test]
async fn what_did_not_play_before_is_no_reason_to_refuse_a_change() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    stage.change(|s| s.disable("engine-audio")).await.unwrap();
    device.refuse(true);
    stage.change(|s| s.disable("engine-worker")).await.unwrap_err();
    stage.engines.stop().await;
    stage.engines.play(project("dc/dc")).await.unwrap();
    // Audio does not start and the worker comes back; with the worker gone, nothing plays any more.
    stage.change(|s| s.enable("engine-audio")).await.unwrap_err();
    stage.engines.stop().await;
    stage.change(|s| s.enable("engine-audio")).await.unwrap();
    stage.engines.play(project("dc/dc")).await.unwrap_err();
    stage.change(|s| s.disable("engine-main")).await.unwrap();
    assert_eq!((stage.active(), device.take()), (None, vec!["open", "close"]));
}

#[tokio::test]
async fn the_default_follows_the_manager_s_configuration() {
    let stage = Stage::of(engines(&Recorded::default()), &project("legacy-config/unknown-runtime")).await;
    assert_eq!(stage.active().as_deref(), Some("worker"));
    stage.change(|s| s.configure("engine-manager", "default", "main")).await.unwrap();
    assert_eq!(stage.active().as_deref(), Some("main"));
    stage.change(|s| s.configure("engine-manager", "default", "nobody")).await.unwrap_err();
    assert_eq!(stage.active().as_deref(), Some("main"));
    assert_eq!(stage.engines.store().default_runtime_id.get().as_str(), "main");
}
