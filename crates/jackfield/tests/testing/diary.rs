//! What plugins did, and what they were told to fail at.

use jackfield::{
    ChangeError, GlobalContext, GlobalPlugin, Hook,
    prelude::*,
    testing::{Diary, Fault},
};

struct Clock;
impl GlobalPlugin for Clock {
    fn manifest(&self) -> Manifest {
        Manifest::new("clock")
    }
    async fn attach(&self, cx: &GlobalContext) -> PluginResult {
        cx.hold(());
        Ok(())
    }
}
struct Bell;
impl Plugin for Bell {
    fn manifest(&self) -> Manifest {
        Manifest::new("bell").depends_on("clock")
    }
}

async fn runtime(diary: &Diary) -> PluginRuntime {
    PluginRuntime::builder().plugin(diary.of(Clock)).plugin(diary.of(Bell)).init().await.unwrap()
}

#[tokio::test]
async fn plugins_of_both_scopes_write_their_lives_into_one_diary() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    runtime.update_settings(RuntimeSettings::default()).await.unwrap();
    session.close().await.unwrap();
    runtime.shutdown().await.unwrap();
    assert_eq!(diary.take(), "+clock +bell ~clock ~bell -bell .bell -clock .clock");
}

#[tokio::test]
async fn a_diary_is_told_of_new_settings_each_time_also_for_a_plugin_that_is_not() {
    // R-CFG-10
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    for _ in 0..3 {
        runtime.update_settings(RuntimeSettings::default()).await.unwrap();
    }
    assert_eq!(diary.take(), "~clock ~bell ~clock ~bell ~clock ~bell");
}

#[tokio::test(start_paused = true)]
async fn every_hook_of_any_plugin_can_be_told_to_fail_in_every_way() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    for (fault, text) in [
        (Fault::Error, "bell was told to fail"),
        (Fault::Panic, "it panicked: bell was told to panic"),
        (Fault::Hang, "it did not return within 10s"),
    ] {
        diary.inject("bell", Hook::Attach, fault);
        let Err(ChangeError::Reverted { failures }) = runtime.create_session("one").await else {
            panic!("it was told to fail");
        };
        assert_eq!((failures[0].hook, failures[0].error.to_string().as_str()), (Hook::Attach, text));
        diary.heal();
        for hook in [Hook::SettingsChanged, Hook::Detach] {
            let session = runtime.create_session("one").await.unwrap();
            diary.inject("bell", hook, fault);
            let failures = match hook {
                Hook::Detach => session.close().await.unwrap().failures,
                _ => match runtime.update_settings(RuntimeSettings::default()).await {
                    Err(ChangeError::Reverted { failures }) => failures,
                    other => panic!("{other:?}"),
                },
            };
            assert_eq!((failures[0].hook, failures[0].error.to_string().as_str()), (hook, text));
            diary.heal();
        }
    }
}

#[tokio::test]
async fn what_every_session_has_is_as_before_when_a_change_was_taken_back() {
    // R-TST-06
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    let (settings, overlay, scopes) = (session.settings(), session.overlay(), runtime.status().scopes);
    diary.inject("clock", Hook::SettingsChanged, Fault::Error);
    let next = settings.with(|settings| settings.disable("bell"));
    runtime.update_settings(next).await.unwrap_err();
    assert_eq!((session.settings(), session.overlay()), (settings, overlay));
    assert_eq!(runtime.status().scopes, scopes);
}
