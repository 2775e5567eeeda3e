//! Each session has an engine of its own, and leaves nothing behind.

use crate::stage::{Loader, Recorded, Stage, engines, project};
use jackfield_engines::{ENGINES, EngineId, ManagerState};

#[tokio::test]
async fn two_sessions_play_side_by_side_and_one_may_go() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    let other = stage.runtime.create_session("grace").await.unwrap();
    let theirs = other.resolve(ENGINES).unwrap();
    theirs.play(project("ramp/ramp")).await.unwrap();
    assert_eq!(device.take(), ["open", "open"]);
    device.play(0, 10);
    device.play(1, 20);
    let heard = |engines: &jackfield_engines::Engines| {
        let mut frames = [0.0; 2 * 960];
        let read = engines.console().tape().read(&mut frames);
        (read.frames, frames[2])
    };
    assert_eq!(heard(&stage.engines), (480, 0.25));
    assert_eq!(heard(&theirs), (960, 1.0 / 65_536.0));
    other.close().await.unwrap();
    assert_eq!(device.take(), ["close"]);
    device.play(0, 10);
    assert_eq!(heard(&stage.engines).0, 960);
}

#[tokio::test]
async fn settings_move_the_engines_of_all_sessions() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    let other = stage.runtime.create_session("grace").await.unwrap();
    let theirs = other.resolve(ENGINES).unwrap();
    theirs.play(project("dc/dc")).await.unwrap();
    stage.change(|s| s.disable("engine-audio")).await.unwrap();
    assert_eq!(stage.active().as_deref(), Some("worker"));
    assert_eq!(theirs.status().active, Some(EngineId::new("worker")));
    assert_eq!(device.take(), ["open", "open", "close", "close"]);
}

// Pitfall: the device is still held when the session is gone.
#[tokio::test]
async fn a_closed_session_has_released_its_device() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    let report = stage.session.close().await.unwrap();
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(device.take(), ["open", "close"]);
    stage.runtime.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_session_whose_project_cannot_be_played_is_not_opened_and_leaves_nothing() {
    let device = Recorded::default();
    let runtime = engines(&device).plugin(Loader(project("wat/missing-export"))).init().await.unwrap();
    let error = runtime.create_session("ada").await.unwrap_err().to_string();
    assert!(error.contains("plugin `loader` failed to attach"), "{error}");
    assert_eq!(device.take(), [""; 0]);
    device.refuse(true);
    let runtime = engines(&device).plugin(Loader(project("dc/dc"))).init().await.unwrap();
    assert!(runtime.create_session("ada").await.is_err());
    assert_eq!((device.take(), runtime.status().scopes.len()), (vec![], 1));
}

#[tokio::test]
async fn a_loader_that_is_switched_off_and_on_stops_and_plays() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device).plugin(Loader(project("dc/dc"))), &project("dc/dc")).await;
    assert_eq!(device.take(), ["open"]);
    stage.change(|s| s.disable("loader")).await.unwrap();
    assert_eq!((device.take(), stage.engines.status().state), (vec!["close"], ManagerState::Idle));
    stage.change(|s| s.enable("loader")).await.unwrap();
    assert_eq!((device.take(), stage.active().as_deref()), (vec!["open"], Some("audio")));
    stage.session.close().await.unwrap();
    assert_eq!(device.take(), ["close"]);
}

#[tokio::test]
async fn while_nothing_is_to_play_engines_come_and_go_unheard() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    stage.engines.stop().await;
    stage.change(|s| s.disable("engine-main")).await.unwrap();
    stage.change(|s| s.enable("engine-main")).await.unwrap();
    assert_eq!((device.take(), stage.active()), (vec!["open", "close"], None));
}

// J-28
#[tokio::test]
async fn a_project_that_cannot_be_played_does_not_stay() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    stage.engines.play(project("wat/missing-export")).await.unwrap_err();
    let name = stage.engines.store().project.get().as_ref().as_ref().map(|project| project.name.clone());
    assert_eq!((name.as_deref(), stage.active().as_deref()), (Some("dc"), Some("audio")));
    assert!(stage.engines.status().failed.is_some());
    stage.change(|s| s.disable("engine-audio")).await.unwrap();
    assert_eq!(stage.active().as_deref(), Some("worker"));
}
