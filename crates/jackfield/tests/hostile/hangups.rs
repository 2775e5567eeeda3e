//! Callers who stop waiting, at whatever point.

use std::{pin::pin, task::Poll};

use jackfield::prelude::*;
use jackfield_testkit::{Diary, Probe};

use super::{bounded, quiet, settings};

/// Polls `future` up to `times` times, letting everybody else go on in between, and drops it then.
async fn give_up_after<F: Future>(times: usize, future: F) {
    let mut future = pin!(future);
    for _ in 0..times {
        let done = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if done {
            return;
        }
        // Long enough for the answer to be there, and not taken.
        quiet().await;
    }
}

/// Short enough for the answer not to be there.
async fn give_up_at_once<F: Future>(future: F) {
    let mut future = pin!(future);
    let polled = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready()));
    assert!(!polled.await, "nobody could have answered yet");
}

async fn runtime(diary: &Diary) -> PluginRuntime {
    PluginRuntime::builder().plugin(Probe::new("a", diary)).init().await.unwrap()
}

#[test]
fn a_session_nobody_waits_for_any_more_closes_again() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = runtime(&diary).await;
        for times in 0..3 {
            give_up_after(times, runtime.create_session("one")).await;
            quiet().await;
            assert_eq!(runtime.status().scopes.len(), 1, "given up after {times}");
            assert_eq!(diary.take(), if times == 0 { "" } else { "+a -a .a" });
        }
        give_up_at_once(runtime.create_session("one")).await;
        quiet().await;
        assert_eq!(diary.take(), "+a -a .a");
        assert_eq!(runtime.status().scopes.len(), 1);
    });
}

#[test]
fn a_change_is_made_once_it_was_asked_for() {
    bounded(|| async {
        for times in 0..3 {
            let diary = Diary::default();
            let runtime = runtime(&diary).await;
            let session = runtime.create_session("one").await.unwrap();
            diary.take();
            give_up_after(times, runtime.update_settings(settings("plugins.a.enabled = false"))).await;
            quiet().await;
            assert_eq!(diary.take(), if times == 0 { "" } else { "-a .a" });
            give_up_after(times, runtime.update_settings_snapshot(settings(""))).await;
            quiet().await;
            assert_eq!(*runtime.settings(), settings(""));
            drop(session);
        }
    });
}

#[test]
fn a_session_closes_even_if_nobody_waits_for_it() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = runtime(&diary).await;
        for times in 0..3 {
            let session = runtime.create_session("one").await.unwrap();
            give_up_after(times, session.close()).await;
            quiet().await;
            assert_eq!(diary.take(), "+a -a .a");
            assert_eq!(runtime.status().scopes.len(), 1);
        }
    });
}

#[test]
fn a_runtime_shuts_down_even_if_nobody_waits_for_it() {
    bounded(|| async {
        for times in 1..3 {
            let diary = Diary::default();
            let runtime = runtime(&diary).await;
            let session = runtime.create_session("one").await.unwrap();
            give_up_after(times, runtime.shutdown()).await;
            quiet().await;
            assert_eq!(diary.take(), "+a -a .a");
            assert!(runtime.settings_stream().next().await.is_none());
            assert!(session.close().await.is_err());
        }
    });
}

/// A global plugin that says when it comes and goes.
struct Above(Diary);
impl GlobalPlugin for Above {
    fn manifest(&self) -> Manifest {
        Manifest::new("above")
    }
    async fn attach(&self, _: &GlobalContext) -> PluginResult {
        self.0.write("+above");
        Ok(())
    }
    async fn detach(&self, _: &GlobalContext) -> PluginResult {
        self.0.write("-above");
        Ok(())
    }
}

#[test]
fn a_runtime_nobody_waits_for_any_more_does_not_stay() {
    bounded(|| async {
        for times in 0..3 {
            let diary = Diary::default();
            give_up_after(times, PluginRuntime::builder().plugin(Above(diary.clone())).init()).await;
            quiet().await;
            assert_eq!(diary.take(), if times == 0 { "" } else { "+above -above" });
        }
        let diary = Diary::default();
        give_up_at_once(PluginRuntime::builder().plugin(Above(diary.clone())).init()).await;
        quiet().await;
        assert_eq!(diary.take(), "+above -above");
    });
}

#[test]
fn the_runtime_goes_when_its_last_opening_was_given_up() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = runtime(&diary).await;
        let mut stream = runtime.settings_stream();
        give_up_at_once(runtime.create_session("one")).await;
        drop(runtime);
        assert!(stream.next().await.is_none());
        assert_eq!(diary.take(), "+a -a .a");
    });
}
