//! Settings on top of settings: per session, and for the global scope.

use jackfield::{
    ChangeError, NewSession, PluginRuntime, Priority, RuntimeSettings, Slot, UnknownReferences, prelude::*,
};
use jackfield_testkit::{Diary, Probe};

const VOICE: Slot<str> = Slot::new("voice");

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

async fn runtime(diary: &Diary) -> PluginRuntime {
    PluginRuntime::builder()
        .plugin(Probe::new("a", diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("b", diary).offers(VOICE, Priority::LOW))
        .init()
        .await
        .unwrap()
}

#[tokio::test]
async fn sessions_may_differ_in_who_wins() {
    // R-SES-02
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let plain = runtime.create_session("plain").await.unwrap();
    let other = NewSession::new("other", ()).overlay(settings("services.'b:voice'.priority = 900"));
    let other = runtime.create_session(other).await.unwrap();
    assert_eq!(&*plain.resolve(VOICE).unwrap(), "a 1");
    assert_eq!(&*other.resolve(VOICE).unwrap(), "b 2");
}

#[tokio::test]
async fn a_full_update_keeps_what_a_session_has_on_top() {
    // J-03, F-41, R-SET-06
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let over = settings("plugins.a.enabled = false");
    let session = runtime.create_session(NewSession::new("one", ()).overlay(over.clone())).await.unwrap();
    let next = settings("plugins.b.config.x = 1");
    runtime.update_settings(next.clone()).await.unwrap();
    assert_eq!(*session.settings(), next.overlaid(&over));
    assert_eq!(session.overlay(), over);
    assert!(session.resolve(VOICE).unwrap().starts_with("b"));
}

#[tokio::test]
async fn a_session_follows_its_own_settings_and_nobody_else_does() {
    // R-SET-26
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let (one, two) =
        (runtime.create_session("one").await.unwrap(), runtime.create_session("two").await.unwrap());
    let mut stream = runtime.settings_stream();
    diary.take();
    let report = one.update_overlay(settings("plugins.a.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "-a .a ~b ~a ~b", "in `one`, and `two` is told that nothing changed");
    assert_eq!(report.plan.to_string(), "- a   (settings)   voice: a → b");
    assert!(one.resolve(VOICE).unwrap().starts_with("b"));
    assert!(two.resolve(VOICE).unwrap().starts_with("a"));
    assert!(runtime.settings().is_empty());
    runtime.shutdown().await.unwrap();
    assert!(stream.next().await.is_none(), "and the stream said nothing");
}

#[tokio::test]
async fn a_wrong_overlay_is_refused_and_changes_nothing() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    let wrong = settings("plugins.c = {}");
    assert!(matches!(session.update_overlay(wrong.clone()).await, Err(ChangeError::Refused(_))));
    assert!(session.overlay().is_empty());
    let opened = runtime.create_session(NewSession::new("two", ()).overlay(wrong)).await;
    assert!(matches!(opened, Err(ChangeError::Refused(_))));
    assert_eq!(runtime.sessions().len(), 1);
}

struct House;
impl GlobalPlugin for House {
    fn manifest(&self) -> Manifest {
        Manifest::new("house")
    }
}

#[tokio::test]
async fn a_global_overlay_takes_the_sessions_along_that_need_the_global_plugin() {
    // F-11, R-SET-25
    let diary = Diary::default();
    let guest = Probe::new("guest", &diary).needs("house");
    let runtime = PluginRuntime::builder().plugin(House).plugin(guest).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    runtime.update_global_overlay(settings("plugins.house.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "+guest -guest .guest");
    assert!(runtime.settings().is_empty());
    runtime.update_settings(settings("[plugins.house]")).await.unwrap();
    assert_eq!(diary.take(), "", "what is on top stays on top");
    runtime.update_global_overlay(RuntimeSettings::default()).await.unwrap();
    assert_eq!(diary.take(), "+guest");
}

#[tokio::test]
async fn the_stream_is_told_when_an_overlay_brings_other_settings_into_force() {
    // R-SET-25
    let diary = Diary::default();
    let probe = Probe::new("a", &diary);
    let builder = PluginRuntime::builder().plugin(probe).unknown_references(UnknownReferences::Skip);
    let runtime = builder.init().await.unwrap();
    let mut stream = runtime.settings_stream();
    runtime.update_settings_snapshot(settings("[plugins.stranger]\n[plugins.a]")).await.unwrap();
    assert_eq!(*stream.next().await.unwrap(), settings("[plugins.stranger]\n[plugins.a]"));
    runtime.update_global_overlay(settings("")).await.unwrap();
    assert_eq!(
        *runtime.settings(),
        settings("[plugins.a]"),
        "the stranger is passed over, now that it matters"
    );
    runtime.update_global_overlay(settings("")).await.unwrap();
    runtime.shutdown().await.unwrap();
    assert_eq!(*stream.next().await.unwrap(), settings("[plugins.a]"));
    assert!(stream.next().await.is_none());
}
