//! What engines and their manager have to say arrives on the session's bus.

use crate::stage::{Heard, Recorded, Stage, engines, project};
use jackfield::{Envelope, RuntimeSettings};
use jackfield_engines::{EngineEvent, EngineId, ManagerState, ManagerStatus};

fn plays(engine: &'static str) -> impl Fn(&ManagerStatus) -> bool {
    move |status| status.state == ManagerState::Running && status.active == Some(EngineId::new(engine))
}

fn begins(engine: &'static str) -> impl Fn(&EngineEvent) -> bool {
    move |event| matches!(event, EngineEvent::Initialized { engine: begun, .. } if begun.as_str() == engine)
}

#[tokio::test]
async fn a_switch_is_told_by_the_engine_and_by_the_manager() {
    let stage = Stage::of(engines(&Recorded::default()), &project("dc/dc")).await;
    let (mut events, mut statuses) = (Heard::on(&stage.session), Heard::on(&stage.session));
    stage.change(|s| s.disable("engine-audio")).await.unwrap();
    events.until(begins("worker")).await;
    let status = statuses.until(plays("worker")).await;
    assert_eq!((status.requested.as_deref(), status.stands_in), (Some("AudioWorkletRuntime"), true));
    assert_eq!(status.previous, Some(EngineId::new("audio")));
}

#[tokio::test]
async fn after_a_stop_what_plays_next_is_told_too() {
    let stage = Stage::of(engines(&Recorded::default()), &project("dc/dc")).await;
    let (mut events, mut statuses) = (Heard::on(&stage.session), Heard::on(&stage.session));
    stage.engines.stop().await;
    statuses.until(|status: &ManagerStatus| status.state == ManagerState::Idle).await;
    stage.engines.play(project("dc/dc")).await.unwrap();
    events.until(begins("audio")).await;
    statuses.until(plays("audio")).await;
}

#[tokio::test]
async fn the_end_is_told_before_the_manager_s_plugin_is_gone() {
    let stage = Stage::of(engines(&Recorded::default()), &project("dc/dc")).await;
    let mut statuses = Heard::<ManagerStatus>::on(&stage.session);
    stage.change(|s| s.disable("engine-manager")).await.unwrap();
    let last = statuses.last().unwrap();
    assert_eq!((last.state, last.active), (ManagerState::Idle, None));
}

// An asynchronous handler must not keep what is told from those who come after it.
#[tokio::test]
async fn a_handler_of_engine_events_may_change_the_settings_and_wait_for_that() {
    let stage = Stage::of(engines(&Recorded::default()), &project("dc/dc")).await;
    let runtime = stage.runtime.clone();
    let reaction = stage.session.bus().on_async(move |event: &mut Envelope<EngineEvent>| {
        let settings = begins("worker")(event).then(|| runtime.settings().with(|s| s.disable("engine-main")));
        let runtime = runtime.clone();
        Box::pin(async move {
            if let Some(settings) = settings {
                runtime.update_settings(settings).await.unwrap();
            }
        })
    });
    let _reaction = reaction.unwrap();
    let mut events = Heard::on(&stage.session);
    stage.change(|s: &mut RuntimeSettings| s.disable("engine-audio")).await.unwrap();
    events.until(begins("worker")).await;
    assert!(!stage.runtime.settings().is_plugin_enabled(&"engine-main".parse().unwrap()));
    stage.session.close().await.unwrap();
}
