//! Engines are foreign code: what they do wrong stays with them.

use crate::stage::{Act, Stage, Step};
use jackfield_engines::{Answer, ManagerState, SwitchError};

#[tokio::test(start_paused = true)]
async fn while_the_next_engine_cannot_be_prepared_the_old_one_plays_on() {
    for act in [Act::Fail, Act::Panic, Act::Hang] {
        let stage = Stage::new();
        stage.plays("a").await;
        stage.next("b", Step::Prepare, act.clone());
        stage.config("b", 50);
        let Answer::Refused(error) = stage.manager.apply().await else { panic!("{act:?}") };
        assert!(matches!(*error, SwitchError::Prepare { .. }), "{error:?}");
        stage.calls(&["prepare a", "start a 50", "prepare b"]);
        assert_eq!(stage.status().state, ManagerState::Running);
        assert_eq!(stage.status().failed.unwrap().requested, "b");
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_start_is_followed_by_the_one_before() {
    for act in [Act::Fail, Act::Panic, Act::Hang] {
        let stage = Stage::new();
        stage.plays("a").await;
        stage.next("b", Step::Start, act.clone());
        stage.config("b", 50);
        assert!(!stage.manager.apply().await.is_applied(), "{act:?}");
        stage.calls(&[
            "prepare a",
            "start a 50",
            "prepare b",
            "stop a",
            "start b 50",
            "prepare a",
            "start a 50",
        ]);
        assert_eq!(stage.most_alive(), 1);
    }
}

#[tokio::test]
async fn when_the_one_before_does_not_come_back_either_nothing_plays_and_the_next_request_starts_afresh() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.next("b", Step::Start, Act::Fail);
    stage.next("a", Step::Prepare, Act::Panic);
    stage.config("b", 50);
    assert!(!stage.manager.apply().await.is_applied());
    let status = stage.status();
    assert_eq!((status.state, status.active, stage.alive()), (ManagerState::Failed, None, 0));
    stage.plays("b").await;
    assert_eq!(stage.status().failed, None);
}

// Two engines must not play at once, so one that will not stop is in the way until it does.
#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_stop_holds_up_the_next_until_it_does() {
    let stage = Stage::new();
    stage.plays("a").await;
    let gate = stage.gate("a", Step::Stop);
    stage.config("b", 50);
    let Answer::Refused(error) = stage.manager.apply().await else { panic!("a does not stop") };
    assert!(matches!(*error, SwitchError::StillStopping { .. }), "{error:?}");
    assert_eq!((stage.status().state, stage.alive()), (ManagerState::Failed, 1));
    assert!(!stage.manager.apply().await.is_applied());
    assert_eq!(stage.alive(), 1);
    gate.add_permits(1);
    let status = stage.until(|status| status.state == ManagerState::Running).await;
    assert_eq!((status.active.unwrap().as_str(), stage.most_alive()), ("b", 1));
}

#[tokio::test]
async fn an_update_that_is_refused_leaves_the_engine_playing_and_says_so() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.next("a", Step::Sync, Act::Fail);
    stage.config("a", 60);
    let Answer::Refused(error) = stage.manager.apply().await else { panic!("refused") };
    assert!(matches!(*error, SwitchError::Sync { .. }), "{error:?}");
    stage.calls(&["prepare a", "start a 50", "sync a 60"]);
    assert_eq!(stage.status().state, ManagerState::Running);
}

// J-23
#[tokio::test]
async fn an_engine_that_cannot_take_a_change_over_while_running_is_made_anew() {
    let stage = Stage::new();
    stage.plays("a").await;
    stage.next("a", Step::Sync, Act::Restart);
    stage.config("a", 60);
    assert!(stage.manager.apply().await.is_applied());
    stage.calls(&["prepare a", "start a 50", "sync a 60", "prepare a", "stop a", "start a 60"]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_breaks_over_an_update_is_made_anew() {
    for act in [Act::Panic, Act::Hang] {
        let stage = Stage::new();
        stage.plays("a").await;
        stage.next("a", Step::Sync, act);
        assert!(stage.manager.apply().await.is_applied());
        stage.calls(&["prepare a", "start a 50", "sync a 50", "prepare a", "stop a", "start a 50"]);
        assert_eq!(stage.most_alive(), 1);
    }
}
