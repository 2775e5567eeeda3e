//! Sessions and runtimes that are dropped where one would not expect it.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use jackfield::{ChangeError, Envelope, Session, prelude::*};
use jackfield_testkit::{Diary, Probe};

use super::{Handle, bounded, quiet, settings};

/// What it is given, it drops within its hooks.
#[derive(Clone, Default)]
struct Clumsy(Arc<Mutex<(Vec<Session>, Vec<PluginRuntime>)>>);
impl Plugin for Clumsy {
    fn manifest(&self) -> Manifest {
        Manifest::new("clumsy")
    }
    async fn settings_changed(&self, _: &SessionContext, _: &SettingsChange) -> PluginResult {
        drop(mem::take(&mut *self.0.lock().unwrap()));
        Ok(())
    }
    async fn detach(&self, _: &SessionContext) -> PluginResult {
        drop(mem::take(&mut *self.0.lock().unwrap()));
        Ok(())
    }
}

#[test]
fn a_session_dropped_within_a_hook_closes_afterwards() {
    bounded(|| async {
        let clumsy = Clumsy::default();
        let runtime = PluginRuntime::builder().plugin(clumsy.clone()).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let other = runtime.create_session("two").await.unwrap();
        clumsy.0.lock().unwrap().0.extend([session, other]); // its own is among them
        runtime.update_settings(settings("")).await.unwrap();
        quiet().await;
        assert_eq!(runtime.status().scopes.len(), 1);
    });
}

#[test]
fn a_runtime_whose_last_handles_go_within_a_hook_ends_afterwards() {
    bounded(|| async {
        let clumsy = Clumsy::default();
        let runtime = PluginRuntime::builder().plugin(clumsy.clone()).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let mut stream = runtime.settings_stream();
        clumsy.0.lock().unwrap().0.push(session);
        clumsy.0.lock().unwrap().1.push(runtime.clone());
        let update = runtime.update_settings(settings(""));
        let asked = tokio::select! {
            biased;
            _ = update => false,
            () = std::future::ready(()) => true,
        };
        assert!(asked);
        drop(runtime);
        assert_eq!(*stream.next().await.unwrap(), settings(""));
        assert!(stream.next().await.is_none());
    });
}

struct Stop;

#[test]
fn a_session_dropped_within_its_own_handler_closes() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = PluginRuntime::builder().plugin(Probe::new("a", &diary)).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let bus = session.bus().clone();
        let session = Mutex::new(Some(session));
        let stopping = bus.on(move |_: &mut Envelope<Stop>| drop(session.lock().unwrap().take())).unwrap();
        bus.emit(Stop).await.unwrap();
        quiet().await;
        assert!(bus.emit(Stop).await.is_err());
        assert_eq!(diary.take(), "+a -a .a");
        drop(stopping);
    });
}

#[test]
fn a_shutdown_during_a_change_waits_its_turn_and_nothing_rises_after_it() {
    // F-14, R-SET-30
    bounded(|| async {
        let diary = Diary::default();
        let builder = PluginRuntime::builder().plugin(Probe::new("a", &diary));
        let runtime = builder.settings(settings("plugins.a.enabled = false")).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let (change, down, late, closed) = tokio::join!(
            runtime.update_settings(settings("")),
            runtime.shutdown(),
            runtime.update_settings(settings("plugins.a.enabled = false")),
            session.close(),
        );
        change.unwrap();
        down.unwrap();
        assert!(matches!(late, Err(ChangeError::Closed)));
        assert!(matches!(closed, Err(ChangeError::Closed)));
        assert_eq!(diary.take(), "+a -a .a");
        assert_eq!(runtime.status().scopes.len(), 1);
        assert!(runtime.create_session("two").await.is_err());
        assert!(runtime.update_settings_snapshot(settings("")).await.is_err());
    });
}

/// Asks for a change on its way out.
struct Parting(Handle);
impl Plugin for Parting {
    fn manifest(&self) -> Manifest {
        Manifest::new("parting")
    }
    async fn detach(&self, cx: &SessionContext) -> PluginResult {
        let runtime = self.0.lock().unwrap().take();
        cx.request_change(move |settings| {
            settings.disable("parting");
            drop(runtime);
        });
        Ok(())
    }
}

#[test]
fn a_change_asked_for_on_the_way_out_is_made_or_dropped() {
    bounded(|| async {
        let handle = Handle::default();
        let runtime = PluginRuntime::builder().plugin(Parting(handle.clone())).init().await.unwrap();
        *handle.lock().unwrap() = Some(runtime.clone());
        runtime.create_session("one").await.unwrap().close().await.unwrap();
        quiet().await;
        assert_eq!(*runtime.settings(), settings("plugins.parting.enabled = false"));
        runtime.update_settings(settings("")).await.unwrap();
        let _session = runtime.create_session("two").await.unwrap();
        *handle.lock().unwrap() = Some(runtime.clone());
        runtime.shutdown().await.unwrap();
        quiet().await;
        assert_eq!(*runtime.settings(), settings(""), "there is nobody left to make it");
    });
}

#[test]
fn a_listener_who_never_reads_holds_nobody_up_and_gets_the_newest_in_the_end() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = PluginRuntime::builder().plugin(Probe::new("a", &diary)).init().await.unwrap();
        let (mut slow, _never) = (runtime.settings_stream(), runtime.settings_stream());
        for turn in 0..1000 {
            let text = format!("plugins.a.enabled = {}\nplugins.a.config.turn = {turn}", turn % 2 == 0);
            runtime.update_settings(settings(&text)).await.unwrap();
        }
        let newest = runtime.settings();
        runtime.shutdown().await.unwrap();
        let mut last = None;
        while let Some(settings) = slow.next().await {
            last = Some(settings);
        }
        assert_eq!(last.unwrap(), newest);
    });
}

#[test]
fn a_snapshot_of_equal_settings_tells_nobody() {
    // R-SET-27
    bounded(|| async {
        let runtime = PluginRuntime::builder().plugin(Clumsy::default()).init().await.unwrap();
        let mut stream = runtime.settings_stream();
        let off = settings("plugins.clumsy.enabled = false");
        for _ in 0..2 {
            runtime.update_settings_snapshot(off.clone()).await.unwrap();
        }
        runtime.shutdown().await.unwrap();
        assert_eq!(*stream.next().await.unwrap(), off);
        assert!(stream.next().await.is_none());
    });
}
