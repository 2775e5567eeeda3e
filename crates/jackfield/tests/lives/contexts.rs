use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jackfield::{NewSession, prelude::*};
use jackfield_testkit::Diary;
use tokio::sync::Notify;

use crate::cast::{Beat, Part, id, open, settings, start};

#[tokio::test]
async fn an_event_stays_in_the_scope_in_which_it_was_emitted() {
    // R-CTX-04, R-CTX-09
    let (runtime, one) = open(vec![], "").await;
    let two = runtime.create_session("two").await.unwrap();
    let diary = Diary::default();
    for (name, scope) in [("global", runtime.global()), ("one", one.scope()), ("two", two.scope())] {
        let diary = diary.clone();
        scope.bus().on(move |_: &mut Envelope<Beat>| diary.write(name)).unwrap().until_closed();
    }
    one.bus().emit_sync(Beat).unwrap();
    one.bus().emission(Beat).internal().send_sync().unwrap();
    runtime.global().bus().emit_sync(Beat).unwrap();
    assert_eq!(diary.take(), "one one global");
}

#[tokio::test]
async fn a_context_looks_up_asks_and_emits_in_its_own_scope_and_knows_the_way_to_the_global_one() {
    // R-CTX-01, R-CTX-04
    const ANSWER: Slot<u8> = Slot::new("answer");
    struct Both;
    impl Plugin for Both {
        fn manifest(&self) -> Manifest {
            Manifest::new("both")
        }
        fn register(&self, services: &mut Registrar<'_>) {
            services.provide(ANSWER).value(Arc::new(42));
        }
        async fn attach(&self, cx: &SessionContext) -> PluginResult {
            assert_eq!(*cx.resolve(ANSWER)?, 42);
            assert!(cx.global_scope().resolve(ANSWER).is_err());
            cx.on(|number: &mut Envelope<i32>| **number += 1);
            assert_eq!(*cx.bus().emit(1).await?, 2);
            assert_eq!(*cx.global_scope().bus().emit(1).await?, 1, "another bus");
            Ok(())
        }
    }
    let runtime = PluginRuntime::builder().plugin(Both).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
}

struct Porter(Diary);
impl GlobalPlugin for Porter {
    fn manifest(&self) -> Manifest {
        Manifest::new("porter")
    }
    async fn attach(&self, cx: &GlobalContext) -> PluginResult {
        let diary = self.0.clone();
        cx.on(move |_: &mut Envelope<Beat>| diary.write("beat"));
        Ok(())
    }
    async fn settings_changed(&self, cx: &GlobalContext, _: &SettingsChange) -> PluginResult {
        let names: Vec<String> = cx.sessions().iter().map(|scope| scope.name().to_string()).collect();
        self.0.write(format!("[{}]", names.join(", ")));
        Ok(())
    }
}

#[tokio::test]
async fn a_global_plugin_lives_on_the_global_bus_and_sees_the_sessions_that_are_open_now() {
    // R-CTX-02, R-SES-12
    let diary = Diary::default();
    let runtime = PluginRuntime::builder().plugin(Porter(diary.clone())).init().await.unwrap();
    runtime.global().bus().emit_sync(Beat).unwrap();
    let one = runtime.create_session("one").await.unwrap();
    let _two = runtime.create_session("two").await.unwrap();
    runtime.update_settings(settings("")).await.unwrap();
    drop(one.close().await.unwrap());
    runtime.update_settings(settings("")).await.unwrap();
    assert_eq!(diary.take(), "beat [session `one`, session `two`] [session `two`]");
}

#[tokio::test]
async fn a_session_in_which_a_plugin_takes_part_is_found() {
    // R-CTX-03
    let runtime = start(vec![Part::new("a")], "").await;
    let off = NewSession::new("off", ()).overlay(settings("plugins.a.enabled = false"));
    let _off = runtime.create_session(off).await.unwrap();
    assert!(runtime.session_running(&id("a")).is_none());
    let on = runtime.create_session("on").await.unwrap();
    let _later = runtime.create_session("later").await.unwrap();
    assert_eq!(runtime.session_running(&id("a")).unwrap().name(), on.scope().name());
    assert!(runtime.session_running(&id("nobody")).is_none());
}

/// Asks from the global scope, while it attaches, what sessions there are for a plugin, and tells them all.
struct Crier(Diary);
impl GlobalPlugin for Crier {
    fn manifest(&self) -> Manifest {
        Manifest::new("crier")
    }
    async fn attach(&self, cx: &GlobalContext) -> PluginResult {
        let first = cx.session_running(&id("a")).map(|scope| scope.name().to_string());
        let heard = cx.broadcast(1).await;
        let heard = heard.iter().map(|(scope, outcome)| format!("{scope}: {}", **outcome.as_ref().unwrap()));
        self.0.write(format!("{first:?}, {:?}", heard.collect::<Vec<_>>()));
        Ok(())
    }
}

#[tokio::test]
async fn a_global_plugin_finds_the_session_it_wants_and_reaches_them_all() {
    // R-CTX-03, R-CTX-10
    let diary = Diary::default();
    let adds = Part::new("a").attaches(|cx| {
        cx.handler().priority(Priority::HIGH).on(|number: &mut Envelope<i32>| **number += 1);
        Ok(())
    });
    let runtime = start(vec![adds], "").await;
    let off = NewSession::new("off", ()).overlay(settings("plugins.a.enabled = false"));
    let _off = runtime.create_session(off).await.unwrap();
    let _on = runtime.create_session("on").await.unwrap();
    runtime.add_plugin(Crier(diary.clone())).await.unwrap();
    assert_eq!(diary.take(), r#"Some("session `on`"), ["session `off`: 1", "session `on`: 2"]"#);
}

/// Counts in its session's data and in the house's.
struct Counter(&'static str);
impl Plugin<AtomicUsize, AtomicUsize> for Counter {
    fn manifest(&self) -> Manifest {
        Manifest::new(self.0)
    }
    async fn attach(&self, cx: &SessionContext<AtomicUsize, AtomicUsize>) -> PluginResult {
        cx.data().fetch_add(1, Ordering::Relaxed);
        cx.global().fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    async fn settings_changed(
        &self,
        cx: &SessionContext<AtomicUsize, AtomicUsize>,
        _: &SettingsChange,
    ) -> PluginResult {
        cx.data().fetch_add(10, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn the_applications_data_is_there_from_the_start_and_the_same_for_all_in_a_scope() {
    // R-CTX-06, R-CTX-07, R-CTX-08
    let runtime = PluginRuntime::<_, AtomicUsize>::builder_with(AtomicUsize::new(100))
        .plugin(Counter("a"))
        .plugin(Counter("b"))
        .init()
        .await
        .unwrap();
    let one = runtime.create_session(NewSession::new("one", AtomicUsize::new(1000))).await.unwrap();
    let two = runtime.create_session("two").await.unwrap();
    runtime.update_settings(settings("")).await.unwrap();
    let counted = [runtime.data(), one.data(), two.data()].map(|data| data.load(Ordering::Relaxed));
    assert_eq!(counted, [104, 1022, 22]);
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_goes_to_all_sessions_side_by_side_and_to_nobody_else() {
    // R-CTX-10, R-CTX-11, J-14
    let (runtime, one) = open(vec![], "").await;
    assert_eq!(start(vec![], "").await.broadcast(0).await.len(), 0, "nobody is nobody");
    let two = runtime.create_session("two").await.unwrap();
    let _never =
        runtime.global().bus().on(|_: &mut Envelope<i32>| -> () { panic!("the global bus") }).unwrap();
    // The first waits for the second, which could not be if it were served first.
    let met = Arc::new(Notify::new());
    let meets = Arc::clone(&met);
    let _waits = one
        .bus()
        .on_async(move |_: &mut Envelope<i32>| {
            let met = Arc::clone(&met);
            Box::pin(async move { met.notified().await })
        })
        .unwrap();
    let _stops = two
        .bus()
        .on(move |number: &mut Envelope<i32>| {
            meets.notify_one();
            number.stop(7);
        })
        .unwrap();
    let outcomes = tokio::time::timeout(Duration::from_secs(1), runtime.broadcast(1)).await.unwrap();
    let outcomes = outcomes.iter().map(|(scope, outcome)| {
        let envelope = outcome.as_ref().unwrap();
        (scope.to_string(), **envelope, envelope.is_stopped())
    });
    let expected = [("session `one`".to_owned(), 1, false), ("session `two`".to_owned(), 7, true)];
    assert_eq!(outcomes.collect::<Vec<_>>(), expected);
}
