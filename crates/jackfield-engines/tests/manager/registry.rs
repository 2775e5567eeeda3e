//! The engines that there are may change while one of them plays.

use crate::stage::{Act, Stage, Step};
use jackfield_engines::{EngineId, EngineRegistry, ManagerState};

#[tokio::test]
async fn when_the_active_engine_is_withdrawn_the_default_takes_over_and_says_so() {
    let stage = Stage::new();
    stage.plays("b").await;
    stage.logs(&[
        "Requesting runtime: b",
        "Loaded runtime from registry: b",
        "Successfully initialized runtime: b",
    ]);
    stage.store.runtime_registry.set(stage.store.runtime_registry.get().without(&EngineId::new("b")));
    let status = stage.until(|status| status.active == Some(EngineId::new("a"))).await;
    assert_eq!(status.requested.as_deref(), Some("b"));
    stage.logs(&[
        "Requesting runtime: b",
        "Unknown runtime b, falling back to default: a",
        "Destroying runtime: b",
        "Successfully initialized runtime: a",
    ]);
}

#[tokio::test]
async fn when_it_comes_back_it_plays_again() {
    let stage = Stage::new();
    let all = stage.store.runtime_registry.get();
    stage.plays("b").await;
    stage.store.runtime_registry.set(all.without(&EngineId::new("b")));
    stage.until(|status| status.active == Some(EngineId::new("a"))).await;
    stage.store.runtime_registry.set(EngineRegistry::clone(&all));
    stage.until(|status| status.active == Some(EngineId::new("b"))).await;
    assert_eq!(stage.most_alive(), 1);
}

#[tokio::test]
async fn a_registration_made_anew_under_the_same_id_is_another_engine() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.store.runtime_registry.set(stage.store.runtime_registry.get().with(stage.stub("a")));
    assert!(stage.manager.apply().await.is_applied());
    stage.calls(&["prepare a", "start a 50", "prepare a", "stop a", "start a 50"]);
}

#[tokio::test]
async fn an_engine_that_does_not_concern_the_project_comes_and_goes_unnoticed() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.calls(&["prepare a", "start a 50"]);
    stage.store.runtime_registry.set(stage.store.runtime_registry.get().with(stage.stub("c")));
    tokio::task::yield_now().await;
    stage.calls(&[]);
}

#[tokio::test]
async fn before_anything_is_asked_for_the_registry_may_change_freely() {
    let stage = Stage::new();
    stage.store.runtime_registry.set(EngineRegistry::default());
    tokio::task::yield_now().await;
    assert_eq!(stage.status().state, ManagerState::Idle);
}

#[tokio::test]
async fn a_withdrawn_engine_stops_even_when_there_is_nothing_in_its_place() {
    let stage = Stage::new();
    stage.plays("b").await;
    stage.store.runtime_registry.set(EngineRegistry::default());
    stage.until(|status| status.state == ManagerState::Failed).await;
    assert_eq!(stage.alive(), 0);
}

#[tokio::test]
async fn a_withdrawn_engine_is_not_brought_back_when_the_default_does_not_start() {
    let stage = Stage::new();
    stage.plays("b").await;
    stage.next("a", Step::Start, Act::Fail);
    stage.store.runtime_registry.set(stage.store.runtime_registry.get().without(&EngineId::new("b")));
    let status = stage.until(|status| status.state == ManagerState::Failed).await;
    assert_eq!((status.active, stage.alive()), (None, 0));
    stage.calls(&["prepare b", "start b 50", "prepare a", "stop b", "start a 50"]);
}
