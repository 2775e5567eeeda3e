//! The end of a manager is the end of its engine.

use crate::stage::{Act, Stage, Step};
use jackfield_engines::{Answer, ManagerState, SwitchError};

#[tokio::test]
async fn closing_returns_when_the_engine_has_stopped() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.manager.close().await;
    stage.calls(&["prepare a", "start a 50", "stop a"]);
    assert_eq!((stage.alive(), stage.status().state), (0, ManagerState::Idle));
    stage.manager.close().await;
    stage.calls(&[]);
}

#[tokio::test]
async fn dropping_the_manager_stops_the_engine_too() {
    let stage = Stage::new();
    stage.plays("a").await;
    let mut status = stage.manager.status();
    let calls = stage.drop_manager();
    while status.changed().await.is_ok() {}
    assert_eq!(calls(), ["prepare a", "start a 50", "stop a"]);
}

#[tokio::test]
async fn closing_does_not_wait_for_a_preparation() {
    let stage = Stage::new();
    stage.next("a", Step::Prepare, Act::Hang);
    let ticket = stage.manager.apply();
    stage.until(|status| status.state == ManagerState::Preparing).await;
    stage.manager.close().await;
    let Answer::Refused(error) = ticket.await else { panic!("it was not prepared") };
    assert!(matches!(*error, SwitchError::Closed));
}

#[tokio::test]
async fn an_engine_that_is_starting_when_the_manager_closes_is_stopped() {
    let stage = Stage::new();
    let gate = stage.gate("a", Step::Start);
    let ticket = stage.manager.apply();
    stage.until(|status| status.state == ManagerState::Starting).await;
    let closing = stage.manager.close();
    gate.add_permits(1);
    closing.await;
    assert!(ticket.await.is_applied());
    stage.calls(&["prepare a", "start a 50", "stop a"]);
    assert_eq!(stage.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn closing_gives_up_on_an_engine_that_does_not_stop() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.next("a", Step::Stop, Act::Hang);
    stage.manager.close().await;
}
