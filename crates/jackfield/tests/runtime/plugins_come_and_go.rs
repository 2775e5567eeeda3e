//! Plugins added and removed while the runtime runs; plans that are applied later; settings that come too fast.

use jackfield::{ChangeError, Hook, PluginId, PluginRuntime, Priority, RuntimeSettings, Slot};
use jackfield_testkit::{Diary, Fault, Probe};

const VOICE: Slot<str> = Slot::new("voice");

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

async fn runtime(diary: &Diary) -> PluginRuntime {
    let a = Probe::new("a", diary).offers(VOICE, Priority::NORMAL);
    PluginRuntime::builder().plugin(a).init().await.unwrap()
}

#[tokio::test]
async fn a_plugin_that_is_added_takes_part_at_once_and_in_sessions_to_come() {
    // R-PLG-13, J-15, F-22
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    diary.take();
    let report = runtime.add_plugin(Probe::new("b", &diary).offers(VOICE, Priority::HIGH)).await.unwrap();
    assert_eq!(report.plan.to_string(), "+ b   (on by default)   voice: a → b");
    assert_eq!(diary.take(), "+b ~a");
    assert!(session.resolve(VOICE).unwrap().starts_with("b"));
    drop(session.close().await.unwrap());
    assert_eq!(diary.take(), "-b .b -a .a");
    let _session = runtime.create_session("two").await.unwrap();
    assert_eq!(diary.take(), "+a +b");
}

#[tokio::test]
async fn a_plugin_that_is_removed_goes_and_what_settings_say_of_it_waits() {
    // R-PLG-13, J-15
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    let kept = settings("plugins.a = {}\nservices.'a:voice'.priority = 7");
    runtime.update_settings(kept.clone()).await.unwrap();
    diary.take();
    let a = PluginId::new("a");
    let report = runtime.remove_plugin(&a).await.unwrap();
    assert_eq!(report.plan.to_string(), "- a   (removed)   voice: a → nobody");
    assert_eq!(diary.take(), "-a .a");
    assert!(session.resolve(VOICE).is_err());
    assert!(runtime.update_settings(kept.clone()).await.is_ok(), "it is no stranger");
    assert_eq!(*runtime.settings(), kept);
    assert!(matches!(runtime.remove_plugin(&a).await, Err(ChangeError::NoSuchPlugin { .. })));

    runtime.add_plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL)).await.unwrap();
    assert_eq!(session.candidates(&VOICE.id())[0].priority, Priority::new(7));
}

#[tokio::test]
async fn a_plugin_that_does_not_go_with_the_others_or_fails_is_not_added() {
    // R-PLG-04
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let _session = runtime.create_session("one").await.unwrap();
    let twice = runtime.add_plugin(Probe::new("a", &diary)).await.unwrap_err();
    assert_eq!(twice.to_string(), "the plugin cannot be added: there are two plugins called `a`");
    diary.inject("b", Hook::Attach, Fault::Error);
    let error = runtime.add_plugin(Probe::new("b", &diary)).await.unwrap_err();
    assert!(matches!(error, ChangeError::Reverted { .. }));
    assert_eq!(runtime.status().plugins.len(), 1);
}

#[tokio::test]
async fn a_plan_is_applied_as_it_was_shown_or_not_at_all() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    let off = settings("plugins.a.enabled = false");
    let (plan, stale) = (runtime.plan(&off).unwrap(), runtime.plan(&off).unwrap());
    runtime.apply(plan).await.unwrap();
    assert_eq!(diary.take(), "-a .a");
    assert_eq!(*runtime.settings(), off);
    let error = runtime.apply(stale).await.unwrap_err();
    assert_eq!(error.to_string(), "the plan was made for generation 2, and the runtime is at 3; plan again");
}

#[tokio::test]
async fn of_settings_that_come_too_fast_the_newest_are_followed() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let change = |x: i32| runtime.update_latest(settings(&format!("plugins.a.config.x = {x}")));
    let (one, two, three) = tokio::join!(change(1), change(2), change(3));
    assert!(matches!(one, Err(ChangeError::Superseded)));
    assert!(matches!(two, Err(ChangeError::Superseded)));
    assert!(three.is_ok());
    assert_eq!(*runtime.settings(), settings("plugins.a.config.x = 3"));
}

#[tokio::test]
async fn the_newest_wish_is_answered_also_when_the_runtime_goes() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let late = runtime.clone();
    let (down, wish) = tokio::join!(runtime.shutdown(), late.update_latest(settings("")));
    assert!(down.is_ok() && matches!(wish, Err(ChangeError::Closed)));
    assert!(matches!(late.update_latest(settings("")).await, Err(ChangeError::Closed)));
    assert!(matches!(late.update_latest(settings("")).await, Err(ChangeError::Closed)));
}
