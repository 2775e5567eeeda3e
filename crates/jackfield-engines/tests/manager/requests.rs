//! Requests wait in a place for one, and each gets an answer.

use crate::stage::{Stage, Step, config};
use jackfield_engines::{Answer, ManagerState, ProjectConfig, SwitchError};

// J-20
#[tokio::test]
async fn of_the_requests_that_wait_the_last_is_served_and_the_others_hear_of_it() {
    let stage = Stage::new();
    let gate = stage.gate("a", Step::Prepare);
    stage.config("a", 1);
    let served = stage.manager.apply();
    stage.until(|status| status.state == ManagerState::Preparing).await;
    stage.config("b", 2);
    let superseded = stage.manager.apply();
    stage.config("b", 3);
    let last = stage.manager.apply();
    assert!(matches!(superseded.await, Answer::Superseded));
    gate.add_permits(1);
    assert!(served.await.is_applied());
    assert!(last.await.is_applied());
    stage.calls(&["prepare a", "start a 1", "prepare b", "stop a", "start b 3"]);
}

#[tokio::test]
async fn an_engine_is_made_from_the_store_as_it_was_when_it_was_asked_for() {
    let stage = Stage::new();
    let gate = stage.gate("a", Step::Prepare);
    stage.config("a", 1);
    let ticket = stage.manager.apply();
    stage.until(|status| status.state == ManagerState::Preparing).await;
    stage.config("a", 2);
    gate.add_permits(1);
    ticket.await;
    stage.calls(&["prepare a", "start a 1"]);
}

#[tokio::test]
async fn a_request_whose_caller_hangs_up_is_carried_out_all_the_same() {
    let stage = Stage::new();
    stage.config("b", 50);
    drop(stage.manager.apply());
    stage.settled().await;
    stage.calls(&["prepare b", "start b 50"]);
}

#[tokio::test]
async fn compiling_that_begins_asks_for_nothing() {
    let stage = Stage::new();
    stage.config("b", 50);
    stage.store.compiler.is_compiling.set(true);
    tokio::task::yield_now().await;
    assert_eq!(stage.status().state, ManagerState::Idle);
    stage.calls(&[]);
}

#[tokio::test]
async fn a_place_behind_the_end_of_the_list_gives_the_default_with_its_own_settings() {
    let stage = Stage::new();
    let mut config = config("b", 20);
    config.selected_runtime = 3;
    stage.store.compiled_project_config.set(config);
    assert!(stage.manager.apply().await.is_applied());
    stage.calls(&["prepare a", "start a 50"]);
    stage.logs(&[
        "Requesting runtime: #3",
        "Unknown runtime #3, falling back to default: a",
        "Successfully initialized runtime: a",
    ]);
}

// `legacy-config/unknown-runtime`: the rate of the selected element is used.
#[tokio::test]
async fn an_engine_that_stands_in_takes_over_the_rate() {
    let stage = Stage::new();
    stage.config("SteamOrganRuntime", 20);
    assert!(stage.manager.apply().await.is_applied());
    stage.calls(&["prepare a", "start a 20"]);
}

#[tokio::test]
async fn an_engine_is_found_by_the_name_8f4e_has_for_it() {
    let stage = Stage::new();
    stage.plays("LegacyB").await;
    assert_eq!(stage.status().active.unwrap().as_str(), "b");
    stage.logs(&[
        "Requesting runtime: LegacyB",
        "Loaded runtime from registry: b",
        "Successfully initialized runtime: b",
    ]);
}

// J-28: every engine has its own defaults.
#[tokio::test]
async fn what_the_project_leaves_open_is_the_engines_own_default() {
    let stage = Stage::new();
    let mut config: ProjectConfig = config("b", 0);
    config.runtime_settings[0].settings.clear();
    stage.store.compiled_project_config.set(config);
    assert!(stage.manager.apply().await.is_applied());
    stage.calls(&["prepare b", "start b 50"]);
}

#[tokio::test]
async fn after_closing_a_request_is_refused() {
    let stage = Stage::new();
    stage.manager.close().await;
    let Answer::Refused(error) = stage.manager.apply().await else { panic!("closed") };
    assert!(matches!(*error, SwitchError::Closed));
    stage.compiled();
    stage.calls(&[]);
}
