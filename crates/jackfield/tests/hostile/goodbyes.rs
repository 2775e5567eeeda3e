//! Goodbyes take no longer than they may, and what comes after one that hangs still ends.

use std::{
    future::pending,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use jackfield::{Hook, prelude::*};
use jackfield_testkit::{Diary, Fault, Probe};

use super::{bounded, settings};

/// Says when it ends.
struct Note(Diary, &'static str);
impl Drop for Note {
    fn drop(&mut self) {
        self.0.write(self.1);
    }
}

/// Its goodbye never ends; under it lie a guard and a task.
struct Lingering(Diary);
impl Plugin for Lingering {
    fn manifest(&self) -> Manifest {
        Manifest::new("lingering")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        cx.hold(Note(self.0.clone(), "guard"));
        let note = Note(self.0.clone(), "task");
        cx.spawn(async move {
            let _note = note;
            pending::<()>().await;
        });
        cx.at_detach(pending());
        Ok(())
    }
}

#[test]
fn under_a_goodbye_that_hangs_everything_ends() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = PluginRuntime::builder().plugin(Lingering(diary.clone())).init().await.unwrap();
        let report = runtime.create_session("one").await.unwrap().close().await.unwrap();
        assert_eq!(diary.take(), "task guard");
        let [failure] = &report.failures[..] else { panic!("{report}") };
        assert_eq!(
            failure.to_string(),
            "plugin `lingering` failed to release in session `one`: it did not return within 10s"
        );
    });
}

/// Attaches once, and from then on fails half-way, with a goodbye that never ends.
#[derive(Default)]
struct Once(AtomicBool, Diary);
impl Plugin for Once {
    fn manifest(&self) -> Manifest {
        Manifest::new("once")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        self.1.write("+once");
        cx.at_detach(pending());
        if self.0.swap(true, Ordering::Relaxed) { Err("not again".into()) } else { Ok(()) }
    }
    async fn detach(&self, _: &SessionContext) -> PluginResult {
        self.1.write("-once");
        Ok(())
    }
}

#[test]
fn whoever_fails_to_come_back_says_goodbye_as_well_and_in_time() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = PluginRuntime::builder()
            .plugin(Once(AtomicBool::default(), diary.clone()))
            .plugin(Probe::new("new", &diary))
            .settings(settings("plugins.new.enabled = false"))
            .hook_deadline(Duration::from_secs(1))
            .init()
            .await
            .unwrap();
        let _session = runtime.create_session("one").await.unwrap();
        let error = runtime.update_settings(settings("plugins.once.enabled = false")).await.unwrap_err();
        assert!(error.to_string().contains("did not come back"), "{error}");
        assert_eq!(diary.take(), "+once -once +once -once");
    });
}

const VOICE: Slot<str> = Slot::new("voice");

#[test]
fn a_hook_that_hangs_at_every_turn_still_lets_the_runtime_go() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = PluginRuntime::builder()
            .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL))
            .plugin(Probe::new("b", &diary))
            .init()
            .await
            .unwrap();
        let session = runtime.create_session("one").await.unwrap();
        for hook in [Hook::Attach, Hook::SettingsChanged, Hook::Detach] {
            diary.inject("a", hook, Fault::Hang);
        }
        runtime.update_settings(settings("plugins.b.enabled = false")).await.unwrap_err();
        runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap_err();
        assert!(runtime.create_session("two").await.is_err());
        runtime.shutdown().await.unwrap();
        drop(session);
    });
}

#[test]
fn everybody_who_shuts_down_waits_for_the_end() {
    // J-13
    bounded(|| async {
        let diary = Diary::default();
        let runtime = PluginRuntime::builder().plugin(Lingering(diary.clone())).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let (one, two, closed) = tokio::join!(runtime.shutdown(), runtime.shutdown(), session.close());
        assert!(one.is_err(), "it hears what failed");
        assert!(two.is_ok() && closed.is_err());
        assert_eq!(diary.take(), "task guard");
    });
}
