//! Engines may be tried before they are put into the store; and an engine may be told to rest.

use crate::stage::{Act, Stage, Step, config};
use jackfield_engines::{Answer, EngineId, EngineRegistry, ManagerState};

fn only_a(stage: &Stage) -> EngineRegistry {
    stage.store.runtime_registry.get().without(&EngineId::new("b"))
}

#[tokio::test]
async fn a_trial_that_works_out_plays_before_the_store_knows() {
    let stage = Stage::new();
    stage.plays("b").await;
    assert!(stage.manager.try_engines(only_a(&stage), EngineId::new("a")).await.is_applied());
    let status = stage.status();
    assert_eq!((status.active, status.stands_in), (Some(EngineId::new("a")), true));
    stage.store.runtime_registry.set(only_a(&stage));
    tokio::task::yield_now().await;
    stage.calls(&["prepare b", "start b 50", "prepare a", "stop b", "start a 50"]);
}

#[tokio::test]
async fn a_trial_that_leaves_nothing_to_play_changes_nothing() {
    let stage = Stage::new();
    stage.plays("b").await;
    let answer = stage.manager.try_engines(EngineRegistry::default(), EngineId::new("a")).await;
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    stage.calls(&["prepare b", "start b 50"]);
    assert_eq!((stage.status().requested.as_deref(), stage.status().stands_in), (Some("b"), false));
}

#[tokio::test]
async fn when_what_is_tried_does_not_start_the_engine_before_comes_back_though_it_is_not_among_them() {
    let stage = Stage::new();
    stage.plays("b").await;
    stage.next("a", Step::Start, Act::Fail);
    assert!(!stage.manager.try_engines(only_a(&stage), EngineId::new("a")).await.is_applied());
    assert_eq!(stage.status().active, Some(EngineId::new("b")));
}

#[tokio::test(start_paused = true)]
async fn a_trial_given_up_because_an_engine_is_stuck_is_not_taken_up_again_when_it_stops() {
    let stage = Stage::new();
    stage.plays("b").await;
    let gate = stage.gate("b", Step::Stop);
    assert!(!stage.manager.try_engines(only_a(&stage), EngineId::new("a")).await.is_applied());
    gate.add_permits(1);
    let status = stage.until(|status| status.state == ManagerState::Running).await;
    assert_eq!(status.active, Some(EngineId::new("b")));
}

#[tokio::test]
async fn at_rest_nothing_plays_until_somebody_asks() {
    let stage = Stage::new();
    stage.plays("b").await;
    assert!(matches!(stage.manager.rest().await, Answer::Stopped));
    let status = stage.status();
    assert_eq!((status.state, status.requested, status.active), (ManagerState::Idle, None, None));
    assert_eq!(status.previous, Some(EngineId::new("b")));
    stage.store.runtime_registry.set(only_a(&stage));
    tokio::task::yield_now().await;
    assert_eq!(stage.alive(), 0);
    assert!(stage.manager.apply().await.is_applied());
    assert_eq!(stage.status().active, Some(EngineId::new("a")));
}

#[tokio::test]
async fn other_engines_do_not_wake_one_that_is_about_to_rest() {
    let stage = Stage::new();
    stage.plays("b").await;
    let gate = stage.gate("a", Step::Prepare);
    stage.store.compiled_project_config.set(config("a", 50));
    let playing = stage.manager.apply();
    stage.until(|status| status.state == ManagerState::Preparing).await;
    let resting = stage.manager.rest();
    stage.store.runtime_registry.set(only_a(&stage));
    gate.add_permits(1);
    assert!(playing.await.is_applied());
    assert!(matches!(resting.await, Answer::Stopped));
    assert_eq!(stage.alive(), 0);
}
