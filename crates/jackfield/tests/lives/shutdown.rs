use std::{future::pending, time::Duration};

use jackfield::{AnyPlugin, ChangeError, IntoPlugin, ShutdownError, prelude::*};
use jackfield_testkit::Diary;

use crate::cast::{Part, fails, id, open, settings};

async fn house(diary: &Diary) -> (PluginRuntime, [Session; 2]) {
    let noted = |id: &'static str| Part::noted(Manifest::new(id), diary);
    let runtime = PluginRuntime::builder()
        .plugin(noted("g1").once())
        .plugin(noted("g2").once())
        .plugin(noted("off").once())
        .plugin(noted("s1"))
        .plugin(noted("s2"))
        .settings(settings("plugins.off.enabled = false"))
        .init()
        .await
        .unwrap();
    let sessions =
        [runtime.create_session("one").await.unwrap(), runtime.create_session("two").await.unwrap()];
    diary.take();
    (runtime, sessions)
}

#[tokio::test]
async fn sessions_end_before_the_global_scope_and_each_in_the_reverse_of_its_beginning() {
    // R-DSP-01, R-DSP-04, F-42
    let diary = Diary::default();
    let (runtime, sessions) = house(&diary).await;
    let mut stream = runtime.settings_stream();
    runtime.shutdown().await.unwrap();
    assert_eq!(diary.take(), "-s2 -s1 -s2 -s1 -g2 -g1");
    assert!(stream.next().await.is_none());
    assert!(runtime.global().bus().is_closed() && sessions[0].bus().is_closed());
    assert!(runtime.status().scopes.iter().all(|scope| scope.attached.is_empty()));
    assert!(runtime.sessions().is_empty());
}

#[tokio::test]
async fn a_session_that_was_closed_before_is_passed_over() {
    // R-DSP-05
    let diary = Diary::default();
    let (runtime, [one, _two]) = house(&diary).await;
    drop(one.close().await.unwrap());
    assert_eq!(diary.take(), "-s2 -s1");
    runtime.shutdown().await.unwrap();
    assert_eq!(diary.take(), "-s2 -s1 -g2 -g1");
}

#[tokio::test]
async fn nobody_is_asked_to_go_twice_however_often_the_end_is_asked_for() {
    // R-DSP-06, F-21, J-13
    let diary = Diary::default();
    let (runtime, [one, two]) = house(&diary).await;
    let again = runtime.clone();
    let (first, second, closed) = tokio::join!(runtime.shutdown(), again.shutdown(), one.close());
    assert!(first.is_ok() && second.is_ok());
    assert!(matches!(closed, Err(ChangeError::Closed)));
    drop(two);
    runtime.shutdown().await.unwrap();
    assert_eq!(diary.take(), "-s2 -s1 -s2 -s1 -g2 -g1");
}

#[tokio::test]
async fn all_that_fails_on_the_way_out_is_told_at_once_and_stops_nobody() {
    // R-DSP-02, R-DSP-03, R-DSP-09
    let diary = Diary::default();
    let bad = |id: &'static str| Part::noted(Manifest::new(id), &diary);
    let runtime = PluginRuntime::builder()
        .plugin(bad("g1").detaches(|_| fails("the door is stuck")).once())
        .plugin(bad("g2").once())
        .plugin(bad("s1").detaches(|_| panic!("on the stairs")))
        .plugin(bad("s2"))
        .init()
        .await
        .unwrap();
    let _one = runtime.create_session("one").await.unwrap();
    let _two = runtime.create_session("two").await.unwrap();
    diary.take();
    let error = runtime.shutdown().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "plugins failed while the runtime shut down:\n\
         plugin `s1` failed to detach in session `one`: it panicked: on the stairs\n\
         plugin `s1` failed to detach in session `two`: it panicked: on the stairs\n\
         plugin `g1` failed to detach in global: the door is stuck"
    );
    let ShutdownError::Failures(failures) = error else { panic!("{error}") };
    assert_eq!(failures.iter().filter(|failure| failure.scope.session().is_some()).count(), 2);
    assert_eq!(diary.take(), "-s2 -s1 -s2 -s1 -g2 -g1");
    runtime.shutdown().await.unwrap();
}

#[tokio::test]
async fn after_the_end_everything_is_refused_and_changes_nothing() {
    // R-SES-01, R-SET-02, R-SET-27, R-DSP-07, F-11, F-35
    let diary = Diary::default();
    let (runtime, [session, other]) = house(&diary).await;
    let before = runtime.settings();
    let plan = runtime.plan(&settings("plugins.s1.enabled = false")).unwrap();
    runtime.shutdown().await.unwrap();
    diary.take();
    let next = || settings("plugins.g1.enabled = false");
    let late: AnyPlugin<(), ()> = Part::noted(Manifest::new("late"), &diary).into_plugin();
    let errors = [
        runtime.update_settings(next()).await.map(drop),
        runtime.update_latest(next()).await.map(drop),
        runtime.update_settings_snapshot(next()).await,
        runtime.reset_settings_snapshot().await,
        runtime.update_global_overlay(next()).await.map(drop),
        runtime.apply(plan).await.map(drop),
        runtime.add_plugin(late).await.map(drop),
        runtime.remove_plugin(&id("g1")).await.map(drop),
        runtime.create_session("three").await.map(drop),
        session.update_overlay(next()).await.map(drop),
        other.close().await.map(drop),
    ];
    for (i, error) in errors.into_iter().enumerate() {
        assert!(matches!(error, Err(ChangeError::Closed)), "{i}: {error:?}");
    }
    assert_eq!((diary.take().as_str(), runtime.settings()), ("", before));
}

struct Loiterer;
impl Plugin for Loiterer {
    fn manifest(&self) -> Manifest {
        Manifest::new("loiterer")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        cx.at_detach(pending());
        Ok(())
    }
    async fn detach(&self, _: &SessionContext) -> PluginResult {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_never_ends_does_not_hold_up_the_end() {
    // F-44
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Part::noted(Manifest::new("a"), &diary))
        .plugin(Loiterer)
        .hook_deadline(Duration::from_secs(2))
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    let began = tokio::time::Instant::now();
    let error = runtime.shutdown().await.unwrap_err();
    assert!(error.to_string().contains("failed to detach in session `one`: it did not return within 2s"));
    assert_eq!(began.elapsed().as_secs(), 4, "the hook had its time, and what was kept had");
    assert_eq!(diary.take(), "-a");
}

#[tokio::test]
async fn a_runtime_that_nobody_holds_any_more_ends_as_if_it_had_been_asked_to() {
    // R-DSP-01, J-13
    let diary = Diary::default();
    let (runtime, session) =
        open(vec![Part::noted(Manifest::new("a"), &diary), Part::noted(Manifest::new("b"), &diary)], "")
            .await;
    let mut stream = runtime.settings_stream();
    drop((runtime, session));
    assert!(stream.next().await.is_none());
    assert_eq!(diary.take(), "+a +b -b -a");
}
