use std::sync::Arc;

use jackfield::{NewSession, prelude::*};
use jackfield_testkit::{Diary, Probe};

use crate::cast::{Part, open, settings};

const VOICE: Slot<str> = Slot::new("voice");

#[tokio::test]
async fn a_fake_at_the_top_outranks_whatever_plugins_ask_for() {
    // R-TST-04
    let loud = |id: &'static str, priority| {
        Part::new(id).registers(move |services| services.provide(VOICE).priority(priority).value(id.into()))
    };
    let parts =
        vec![loud("loud", Priority::HIGH), loud("fake", Priority::SYSTEM), loud("quiet", Priority::LOW)];
    let (_runtime, session) = open(parts, "").await;
    assert_eq!(session.resolve(VOICE).unwrap(), Arc::from("fake"));
}

#[tokio::test]
async fn a_session_with_just_the_plugins_that_a_test_wants_is_opened_and_not_put_together_by_hand() {
    // R-TST-05, F-34
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("wanted", &diary))
        .plugin(Probe::new("other", &diary))
        .init()
        .await
        .unwrap();
    let only = NewSession::new("fixture", ()).overlay(settings("plugins.other.enabled = false"));
    let session = runtime.create_session(only).await.unwrap();
    assert_eq!(diary.take(), "+wanted");
    let mut status = runtime.status();
    status.scopes[1].attached.clear(); // a copy, as everything that is handed out
    assert_eq!(runtime.status().scopes[1].attached, [PluginId::new("wanted")]);
    drop(session);
}
