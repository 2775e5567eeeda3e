//! A runtime that leaves out whoever fails, and goes on.

use jackfield::{FailurePolicy, Hook, PluginRuntime, Priority, RuntimeSettings, Slot, prelude::*};
use jackfield_testkit::{Diary, Fault, Probe};

const VOICE: Slot<str> = Slot::new("voice");

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

/// `b` has the slot and `c` needs it; `a` comes next.
async fn runtime(diary: &Diary) -> PluginRuntime {
    PluginRuntime::builder()
        .plugin(Probe::new("a", diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("b", diary).offers(VOICE, Priority::HIGH))
        .plugin(Probe::new("c", diary).needs("b"))
        .failure_policy(FailurePolicy::Quarantine)
        .init()
        .await
        .unwrap()
}

#[tokio::test]
async fn whoever_fails_to_attach_is_left_out_with_its_dependents() {
    // R-SET-13
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    diary.inject("b", Hook::Attach, Fault::Error);
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(diary.take(), "+a +b -b .b");
    assert!(session.resolve(VOICE).unwrap().starts_with("a"));
    assert_eq!(session.report().failures.len(), 1);
    let why = runtime.why(&PluginId::new("c")).unwrap().to_string();
    assert_eq!(
        why,
        "`c` is off in session `one`: needs b, which is off\n  `b` is off in session `one`: failed: b was told to fail"
    );
}

#[tokio::test]
async fn it_is_tried_again_when_its_settings_change_and_not_before() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    diary.inject("b", Hook::Attach, Fault::Panic);
    let _session = runtime.create_session("one").await.unwrap();
    diary.heal();
    diary.take();
    runtime.update_settings(settings("plugins.a.config.x = 1")).await.unwrap();
    assert_eq!(diary.take(), "~a");
    let report = runtime.update_settings(settings("plugins.b.config.x = 1")).await.unwrap();
    assert_eq!(diary.take(), "+b +c ~a");
    assert_eq!(report.plan.to_string(), "+ b   (settings)   voice: a → b\n+ c   (on by default)");
}

#[tokio::test]
async fn a_builder_or_a_registration_that_fails_takes_only_its_plugin_out() {
    for hook in [Hook::Build, Hook::Register] {
        let diary = Diary::default();
        let runtime = runtime(&diary).await;
        diary.inject("b", hook, Fault::Panic);
        let session = runtime.create_session("one").await.unwrap();
        assert_eq!(diary.take(), "+a");
        assert!(session.resolve(VOICE).unwrap().starts_with("a"));
        assert_eq!(session.report().failures[0].hook, hook);
    }
}

#[tokio::test]
async fn a_survivor_that_cannot_follow_goes_with_its_dependents() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    diary.take();
    diary.inject("b", Hook::SettingsChanged, Fault::Error);
    let report = runtime.update_settings(settings("plugins.b.config.x = 1")).await.unwrap();
    assert_eq!(diary.take(), "~a ~b -c .c -b .b");
    assert_eq!(
        report.failures[0].to_string(),
        "plugin `b` failed to settings_changed in session `one`: b was told to fail"
    );
    assert!(session.resolve(VOICE).unwrap().starts_with("a"));
}

#[tokio::test]
async fn a_plugin_that_cannot_say_goodbye_goes_all_the_same() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    diary.inject("b", Hook::Detach, Fault::Error);
    let report = runtime.update_settings(settings("plugins.b.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "-c .c -b .b ~a");
    assert_eq!(report.failures.len(), 1);
    assert_eq!(*runtime.settings(), settings("plugins.b.enabled = false"));
}

#[tokio::test]
async fn a_plugin_that_is_mended_and_added_again_is_tried_again() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    diary.inject("b", Hook::Attach, Fault::Error);
    let _session = runtime.create_session("one").await.unwrap();
    runtime.remove_plugin(&PluginId::new("b")).await.unwrap();
    diary.heal();
    diary.take();
    runtime.add_plugin(Probe::new("b", &diary)).await.unwrap();
    assert_eq!(diary.take(), "+b +c ~a");
}

struct House(Diary);
impl GlobalPlugin for House {
    fn manifest(&self) -> Manifest {
        Manifest::new("house")
    }
    async fn settings_changed(&self, _: &GlobalContext, change: &SettingsChange) -> PluginResult {
        if change.new_settings().plugins.is_empty() { Ok(()) } else { Err("the house burns".into()) }
    }
    async fn attach(&self, _: &GlobalContext) -> PluginResult {
        self.0.write("+house");
        Ok(())
    }
}

#[tokio::test]
async fn a_global_plugin_that_falls_takes_the_sessions_along_that_need_it() {
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(House(diary.clone()))
        .plugin(Probe::new("guest", &diary).needs("house"))
        .plugin(Probe::new("stranger", &diary))
        .failure_policy(FailurePolicy::Quarantine)
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    let report = runtime.update_settings(settings("[plugins.stranger]")).await.unwrap();
    assert_eq!(report.failures.len(), 1);
    assert_eq!(diary.take(), "-guest .guest ~stranger");
    assert_eq!(runtime.status().scopes[1].attached, [PluginId::new("stranger")]);
}

#[tokio::test]
async fn who_fell_in_a_session_stays_out_when_a_global_plugin_falls_after_it() {
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(House(diary.clone()))
        .plugin(Probe::new("guest", &diary).needs("house"))
        .plugin(Probe::new("stranger", &diary))
        .settings(settings("plugins.stranger.enabled = false"))
        .failure_policy(FailurePolicy::Quarantine)
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    diary.inject("stranger", Hook::Attach, Fault::Error);
    let report = runtime.update_settings(settings("[plugins.stranger]")).await.unwrap();
    assert_eq!(report.failures.len(), 2);
    assert_eq!(diary.take(), "+stranger -stranger .stranger -guest .guest");
    assert!(runtime.status().scopes[1].attached.is_empty());
    let why = runtime.why(&PluginId::new("stranger")).unwrap().to_string();
    assert_eq!(why, "`stranger` is off in session `one`: failed: stranger was told to fail");
}
