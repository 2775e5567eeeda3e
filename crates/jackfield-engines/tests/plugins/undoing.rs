//! A change in which engines switch fails elsewhere, and is taken back.

use crate::stage::{Recorded, Stage, engines, project};
use jackfield::Hook;
use jackfield_engines::ENGINES;
use jackfield_testkit::{Diary, Fault, Probe};
use std::sync::Arc;

#[tokio::test]
async fn a_manager_that_an_undo_brings_back_plays_what_it_played() {
    let (device, diary) = (Recorded::default(), Diary::default());
    let builder = engines(&device).plugin(Probe::new("faulty", &diary));
    let stage = Stage::of(builder, &project("dc/dc")).await;
    stage.change(|s| s.disable("faulty")).await.unwrap();
    diary.inject("faulty", Hook::Attach, Fault::Error);
    let both = |s: &mut jackfield::RuntimeSettings| {
        s.disable("engine-manager");
        s.enable("faulty");
    };
    stage.change(both).await.unwrap_err();
    assert_eq!(device.take(), ["open", "close", "open"]);
    assert_eq!(stage.active().as_deref(), Some("audio"));
    assert!(Arc::ptr_eq(&stage.engines, &stage.session.resolve(ENGINES).unwrap()));
    stage.session.close().await.unwrap();
    assert_eq!(device.take(), ["close"]);
}

#[tokio::test]
async fn what_fails_before_the_manager_is_told_is_not_heard() {
    let (device, diary) = (Recorded::default(), Diary::default());
    let builder = engines(&device).plugin(Probe::new("faulty", &diary));
    let stage = Stage::of(builder, &project("dc/dc")).await;
    stage.change(|s| s.disable("faulty")).await.unwrap();
    diary.inject("faulty", Hook::Attach, Fault::Error);
    let both = |s: &mut jackfield::RuntimeSettings| {
        s.disable("engine-audio");
        s.enable("faulty");
    };
    stage.change(both).await.unwrap_err();
    assert_eq!(device.take(), ["open"]);
}

#[tokio::test]
async fn what_fails_after_the_manager_was_told_brings_the_engine_back() {
    let (device, diary) = (Recorded::default(), Diary::default());
    let builder = engines(&device).plugin(Probe::new("faulty", &diary));
    let stage = Stage::of(builder, &project("dc/dc")).await;
    diary.inject("faulty", Hook::SettingsChanged, Fault::Error);
    stage.change(|s| s.disable("engine-audio")).await.unwrap_err();
    assert_eq!(device.take(), ["open", "close", "open"]);
    assert_eq!((stage.active().as_deref(), stage.engines.status().stands_in), (Some("audio"), false));
    assert!(stage.engines.store().runtime_registry.get().get("audio").is_some());
}

#[tokio::test]
async fn a_manager_that_is_switched_off_releases_the_device_and_a_new_one_knows_nothing() {
    let device = Recorded::default();
    let stage = Stage::of(engines(&device), &project("dc/dc")).await;
    stage.change(|s| s.disable("engine-manager")).await.unwrap();
    assert_eq!(device.take(), ["open", "close"]);
    assert!(stage.engines.play(project("dc/dc")).await.is_err());
    stage.change(|s| s.enable("engine-manager")).await.unwrap();
    let engines = stage.session.resolve(ENGINES).unwrap();
    assert!(engines.store().project.get().is_none());
    assert_eq!(device.take(), [""; 0]);
}
