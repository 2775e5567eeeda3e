//! A change is made whole or not at all.

use std::{sync::Arc, time::Duration};

use jackfield::{ChangeError, Hook, PluginRuntime, Priority, RuntimeSettings, Session, Slot};
use jackfield_testkit::{Diary, Fault, Probe};

const VOICE: Slot<str> = Slot::new("voice");

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

/// `old` is on and has the slot, `stays` is on, `new` is off and would win the slot.
async fn runtime(diary: &Diary) -> (PluginRuntime, Session) {
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("old", diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("stays", diary).offers(VOICE, Priority::LOW))
        .plugin(Probe::new("new", diary).offers(VOICE, Priority::HIGH))
        .settings(settings("plugins.new.enabled = false"))
        .hook_deadline(Duration::from_secs(1))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    diary.take();
    (runtime, session)
}

const SWAP: &str = "plugins.old.enabled = false";

#[tokio::test]
async fn after_a_failing_attach_the_same_instances_are_back() {
    // R-SET-24, F-09, F-13
    let diary = Diary::default();
    let (runtime, session) = runtime(&diary).await;
    let (before, status) = (session.resolve(VOICE).unwrap(), runtime.status());
    diary.inject("new", Hook::Attach, Fault::Error);

    let error = runtime.update_settings(settings(SWAP)).await.unwrap_err();

    assert!(matches!(error, ChangeError::Reverted { .. }), "{error}");
    assert_eq!(diary.take(), "-old .old +new -new .new +old");
    assert!(Arc::ptr_eq(&before, &session.resolve(VOICE).unwrap()), "the very same service");
    assert_eq!(runtime.status(), status);
    assert_eq!(*runtime.settings(), settings("plugins.new.enabled = false"));
}

#[tokio::test]
async fn a_panic_and_a_hook_that_hangs_are_failures_like_any_other() {
    // R-STF-17, F-44
    for (fault, reason) in [(Fault::Panic, "it panicked"), (Fault::Hang, "it did not return within 1s")] {
        tokio::time::pause();
        let diary = Diary::default();
        let (runtime, session) = runtime(&diary).await;
        let before = session.resolve(VOICE).unwrap();
        diary.inject("new", Hook::Attach, fault);
        let error = runtime.update_settings(settings(SWAP)).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert!(Arc::ptr_eq(&before, &session.resolve(VOICE).unwrap()));
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_builder_or_a_registration_that_fails_changes_nothing() {
    // R-SET-14, F-08
    for hook in [Hook::Build, Hook::Register] {
        let diary = Diary::default();
        let (runtime, session) = runtime(&diary).await;
        let before = session.resolve(VOICE).unwrap();
        diary.inject("new", hook, Fault::Panic);
        let error = runtime.update_settings(settings(SWAP)).await.unwrap_err();
        assert!(matches!(error, ChangeError::Reverted { .. }), "{error}");
        assert_eq!(diary.take(), "-old .old +old");
        assert!(Arc::ptr_eq(&before, &session.resolve(VOICE).unwrap()));
    }
}

#[tokio::test]
async fn a_survivor_that_cannot_follow_takes_the_change_back() {
    // R-SET-19
    let diary = Diary::default();
    let (runtime, session) = runtime(&diary).await;
    let before = session.resolve(VOICE).unwrap();
    diary.inject("stays", Hook::SettingsChanged, Fault::Error);
    runtime.update_settings(settings(SWAP)).await.unwrap_err();
    assert_eq!(diary.take(), "-old .old +new ~stays -new .new +old");
    assert!(Arc::ptr_eq(&before, &session.resolve(VOICE).unwrap()));
}

#[tokio::test]
async fn whoever_does_not_come_back_is_named_and_tried_again() {
    let diary = Diary::default();
    let (runtime, session) = runtime(&diary).await;
    diary.inject("new", Hook::Attach, Fault::Error);
    diary.inject("old", Hook::Attach, Fault::Error);

    let error = runtime.update_settings(settings(SWAP)).await.unwrap_err();

    let ChangeError::Degraded { lost, .. } = error else { panic!("{error}") };
    assert_eq!(lost[0].plugin.as_str(), "old");
    assert_eq!(&*session.resolve(VOICE).unwrap(), "stays 1", "the next best has the slot");
    let old = &runtime.status().scopes[1].plugins[0];
    assert_eq!(old.cause.to_string(), "failed: old was told to fail");

    diary.heal();
    diary.take();
    let report = runtime.update_settings(RuntimeSettings::clone(&runtime.settings())).await.unwrap();
    assert_eq!(report.plan.to_string(), "+ old   (on by default)   voice: stays → old");
    assert_eq!(diary.take(), "+old ~stays");
}

#[tokio::test]
async fn a_failure_in_one_session_takes_the_others_back() {
    // R-SET-20, R-SET-21
    let diary = Diary::default();
    let (runtime, one) = runtime(&diary).await;
    let two = runtime.create_session("two").await.unwrap();
    let before = [one.resolve(VOICE).unwrap(), two.resolve(VOICE).unwrap()];
    diary.inject("new", Hook::Attach, Fault::Panic);
    runtime.update_settings(settings(SWAP)).await.unwrap_err();
    for (session, before) in [&one, &two].into_iter().zip(&before) {
        assert!(Arc::ptr_eq(before, &session.resolve(VOICE).unwrap()));
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_no_half_made_change() {
    let diary = Diary::default();
    let (runtime, session) = runtime(&diary).await;
    let mut stream = runtime.settings_stream();
    let change = runtime.update_settings(settings(SWAP));
    // Polled once, so that the change is asked for, and dropped.
    tokio::select! {
        biased;
        _ = change => unreachable!("the driver has not run yet"),
        () = std::future::ready(()) => {}
    }
    stream.next().await.unwrap();
    assert_eq!(diary.take(), "-old .old +new ~stays");
    assert_eq!(&*session.resolve(VOICE).unwrap(), "new 1");
}

/// Notes who has the slot whenever it is told of a change.
struct Watcher(Diary);
impl jackfield::Plugin for Watcher {
    fn manifest(&self) -> jackfield::Manifest {
        jackfield::Manifest::new("watcher")
    }
    async fn settings_changed(
        &self,
        cx: &jackfield::SessionContext,
        _: &jackfield::SettingsChange,
    ) -> jackfield::PluginResult {
        self.0.write(format!("[{}]", cx.resolve(VOICE)?));
        Ok(())
    }
}

#[tokio::test]
async fn whoever_was_told_is_told_again_when_all_is_as_it_was() {
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Watcher(diary.clone()))
        .plugin(Probe::new("old", &diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("stays", &diary).offers(VOICE, Priority::LOW))
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    diary.inject("stays", Hook::SettingsChanged, Fault::Error);
    runtime.update_settings(settings(SWAP)).await.unwrap_err();
    assert_eq!(diary.take(), "-old .old [stays 1] ~stays +old [old 1]");
}
