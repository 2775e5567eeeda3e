//! The recorded scenarios of 8f4e's runtime manager, each as it is there or as Jackfield decided otherwise.

use crate::stage::{Act, Stage, Step};
use jackfield_engines::{Answer, EngineId, EngineRegistry, ManagerState, SwitchError};

fn id(id: &'static str) -> Option<EngineId> {
    Some(EngineId::new(id))
}

// D.1; 8f4e syncs a new runtime twice in one pass, a bug.
#[tokio::test]
async fn the_end_of_the_first_compilation_starts_the_engine_and_the_next_one_syncs_it() {
    let stage = Stage::new();
    stage.config("a", 50);
    stage.compiled();
    stage.settled().await;
    stage.calls(&["prepare a", "start a 50"]);
    assert!(stage.manager.apply().await.is_applied());
    stage.calls(&["sync a 50"]);
    stage.logs(&[
        "Requesting runtime: a",
        "Loaded runtime from registry: a",
        "Successfully initialized runtime: a",
    ]);
}

// D.1.3, J-21
#[tokio::test]
async fn a_switch_prepares_the_next_engine_then_destroys_the_old_then_starts() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.calls(&["prepare a", "start a 50"]);
    stage.config("b", 60);
    stage.compiled();
    stage.until(|status| status.active == id("b")).await;
    stage.calls(&["prepare b", "stop a", "start b 60"]);
    stage.logs(&[
        "Requesting runtime: a",
        "Loaded runtime from registry: a",
        "Successfully initialized runtime: a",
        "Requesting runtime: b",
        "Loaded runtime from registry: b",
        "Destroying runtime: a",
        "Successfully initialized runtime: b",
    ]);
    assert_eq!(stage.status().previous, id("a"));
}

// D.1.2, J-23
#[tokio::test]
async fn new_settings_for_the_same_engine_are_handed_to_it_after_the_next_compilation() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.calls(&["prepare a", "start a 50"]);
    stage.config("a", 999);
    tokio::task::yield_now().await;
    stage.calls(&[]);
    assert!(stage.manager.apply().await.is_applied());
    stage.calls(&["sync a 999"]);
}

// J-21; 8f4e has no engine at all until the next compilation.
#[tokio::test]
async fn when_the_next_engine_does_not_start_the_old_one_comes_back_and_the_next_compilation_tries_again() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.calls(&["prepare a", "start a 50"]);
    stage.next("b", Step::Start, Act::Fail);
    stage.config("b", 60);
    let Answer::Refused(error) = stage.manager.apply().await else { panic!("b did not start") };
    assert!(matches!(&*error, SwitchError::Start { engine, .. } if engine.as_str() == "b"), "{error}");
    stage.calls(&["prepare b", "stop a", "start b 60", "prepare a", "start a 50"]);
    let status = stage.status();
    assert_eq!((status.requested.as_deref(), status.active), (Some("b"), id("a")));
    assert_eq!(status.failed.unwrap().reason, "engine `b` did not start: the engine failed: b boom");

    assert!(stage.manager.apply().await.is_applied());
    stage.calls(&["prepare b", "stop a", "start b 60"]);
    assert_eq!((stage.status().active, stage.status().failed), (id("b"), None));
}

// D.1.4, J-22; in 8f4e asking for the default by name recreates it.
#[tokio::test]
async fn an_unknown_engine_falls_back_to_the_default_and_asking_for_that_by_name_changes_nothing() {
    let stage = Stage::new();
    stage.plays("Nope").await;
    let status = stage.status();
    assert_eq!((status.requested.as_deref(), status.active), (Some("Nope"), id("a")));
    stage.logs(&[
        "Requesting runtime: Nope",
        "Unknown runtime Nope, falling back to default: a",
        "Successfully initialized runtime: a",
    ]);
    stage.plays("Nope").await;
    stage.logs(&[]);
    stage.plays("a").await;
    stage.calls(&["prepare a", "start a 50", "sync a 50", "sync a 50"]);
    assert_eq!(stage.status().requested.as_deref(), Some("a"));
}

#[tokio::test]
async fn without_the_engine_and_without_a_default_the_request_is_refused() {
    let stage = Stage::new();
    stage.store.runtime_registry.set(EngineRegistry::default());
    stage.config("Nope", 50);
    let Answer::Refused(error) = stage.manager.apply().await else { panic!("there is no engine") };
    assert_eq!(error.to_string(), "there is no engine `Nope`, and no default engine `a` either");
    assert_eq!(stage.status().state, ManagerState::Failed);
}

// J-20; 8f4e drops such a request.
#[tokio::test]
async fn a_compilation_that_ends_during_a_switch_is_served_after_it() {
    let stage = Stage::new();
    let gate = stage.gate("a", Step::Start);
    stage.config("a", 50);
    let first = stage.manager.apply();
    stage.until(|status| status.state == ManagerState::Starting).await;
    stage.config("a", 70);
    let second = stage.manager.apply();
    gate.add_permits(1);
    assert!(first.await.is_applied());
    assert!(second.await.is_applied());
    stage.calls(&["prepare a", "start a 50", "sync a 70"]);
}

// 8f4e keeps the old one registered and destroys it again at every compilation.
#[tokio::test]
async fn an_engine_that_panics_while_it_is_destroyed_counts_as_destroyed() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.next("a", Step::Stop, Act::Panic);
    stage.plays("b").await;
    stage.calls(&["prepare a", "start a 50", "prepare b", "stop a", "start b 50"]);
    assert_eq!(stage.alive(), 1);
}

// C.1: the default settings name the default engine; 8f4e fails without settings.
#[tokio::test]
async fn without_any_settings_the_default_engine_plays() {
    let stage = Stage::new();
    assert!(stage.manager.apply().await.is_applied());
    stage.calls(&["prepare a", "start a 50"]);
}

#[tokio::test]
async fn a_name_that_every_javascript_object_has_is_as_unknown_as_any_other() {
    let stage = Stage::new();
    stage.plays("toString").await;
    stage.logs(&[
        "Requesting runtime: toString",
        "Unknown runtime toString, falling back to default: a",
        "Successfully initialized runtime: a",
    ]);
}
