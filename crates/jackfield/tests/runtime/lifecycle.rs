//! Who attaches and detaches, in which order, and what is left behind.

use jackfield::{FeatureFlag, Hook, PluginRuntime, RuntimeSettings};
use jackfield_testkit::{Diary, Fault, Probe};

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

/// `a`, `b` that needs it, `c` that needs `b`, and `x`, which is experimental. Added in another order on purpose.
async fn runtime(diary: &Diary) -> PluginRuntime {
    PluginRuntime::builder()
        .plugin(Probe::new("c", diary).needs("b"))
        .plugin(Probe::new("a", diary))
        .plugin(Probe::new("b", diary).needs("a"))
        .plugin(Probe::new("x", diary).flag(FeatureFlag::EXPERIMENTAL))
        .init()
        .await
        .unwrap()
}

#[tokio::test]
async fn dependencies_attach_first_and_detach_last() {
    // J-01, F-42
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(diary.take(), "+a +b +c");
    assert!(session.close().await.unwrap().failures.is_empty());
    assert_eq!(diary.take(), "-c .c -b .b -a .a");
}

#[tokio::test]
async fn switching_a_plugin_off_takes_its_dependents_along() {
    // R-ENB-06, R-SET-11
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    let report = runtime.update_settings(settings("plugins.b.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "-c .c -b .b ~a");
    assert_eq!(report.plan.to_string(), "- c   (needs b, which is off)\n- b   (settings)");
}

#[tokio::test]
async fn an_experimental_plugin_waits_for_its_entry() {
    // R-ENB-01
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    let report = runtime.update_settings(settings("[plugins.x]")).await.unwrap();
    assert_eq!(diary.take(), "+x ~a ~b ~c");
    assert_eq!(report.plan.to_string(), "+ x   (settings)");
}

#[tokio::test]
async fn a_locked_plugin_cannot_be_switched_off() {
    // R-ENB-01
    let diary = Diary::default();
    let locked = Probe::new("l", &diary).flag(FeatureFlag::LOCKED);
    let off = settings("plugins.l.enabled = false");
    let runtime = PluginRuntime::builder().plugin(locked).settings(off).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    assert_eq!(diary.take(), "+l");
}

#[tokio::test]
async fn sessions_are_opened_and_closed_on_their_own() {
    // R-SES-07
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let one = runtime.create_session("one").await.unwrap();
    let two = runtime.create_session("two").await.unwrap();
    diary.take();
    drop(one.close().await.unwrap());
    assert_eq!(diary.take(), "-c .c -b .b -a .a");
    assert_eq!(runtime.status().scopes.len(), 2, "the global scope and one session");
    drop(two.close().await.unwrap());
    assert_eq!(runtime.status().scopes.len(), 1);
}

#[tokio::test]
async fn a_dropped_session_closes() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    drop(runtime.create_session("one").await.unwrap());
    runtime.update_settings(settings("")).await.unwrap(); // queued behind the closing
    assert_eq!(diary.take(), "+a +b +c -c .c -b .b -a .a");
}

#[tokio::test]
async fn shutdown_closes_all_sessions_and_may_be_repeated() {
    // R-DSP-01, R-DSP-06, R-DSP-07
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    diary.take();
    runtime.shutdown().await.unwrap();
    assert_eq!(diary.take(), "-c .c -b .b -a .a");
    runtime.shutdown().await.unwrap();
    assert_eq!(
        runtime.update_settings(settings("")).await.unwrap_err().to_string(),
        "the runtime has been shut down"
    );
    assert!(session.bus().emit_sync(1_u8).is_err(), "the bus of a closed session is closed");
}

#[tokio::test]
async fn a_failing_goodbye_does_not_stop_a_closing() {
    // R-SES-08, R-DSP-02, R-DSP-09
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    diary.take();
    diary.inject("b", Hook::Detach, Fault::Panic);
    let report = session.close().await.unwrap();
    assert_eq!(diary.take(), "-c .c -b .b -a .a");
    assert_eq!(
        report.failures[0].to_string(),
        "plugin `b` failed to detach in session `one`: it panicked: b was told to panic"
    );
}

#[tokio::test]
async fn a_session_in_which_a_plugin_fails_is_not_left_behind() {
    // R-SES-05
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    diary.inject("b", Hook::Attach, Fault::Error);
    let error = runtime.create_session("one").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the change was taken back:\nplugin `b` failed to attach in session `one`: b was told to fail"
    );
    assert_eq!(diary.take(), "+a +b -b .b -a .a");
    assert_eq!(runtime.status().scopes.len(), 1);
}

#[tokio::test]
async fn the_last_handle_takes_the_runtime_along() {
    let diary = Diary::default();
    let runtime = runtime(&diary).await;
    let session = runtime.create_session("one").await.unwrap();
    let mut stream = runtime.settings_stream();
    drop(runtime);
    diary.take();
    drop(session);
    assert!(stream.next().await.is_none(), "it ends when the runtime has ended");
    assert_eq!(diary.take(), "-c .c -b .b -a .a");
}
