//! Asking for changes: the stream, the snapshot, hooks that ask, global plugins, and the application's own data.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use jackfield::{ChangeError, NewSession, prelude::*};
use jackfield_testkit::{Diary, Probe};

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

#[tokio::test]
async fn every_change_is_streamed_once_after_it_is_complete() {
    // R-SET-07, R-SET-29, R-INI-08
    let diary = Diary::default();
    let runtime = PluginRuntime::builder().plugin(Probe::new("a", &diary)).init().await.unwrap();
    let (mut one, mut two) = (runtime.settings_stream(), runtime.settings_stream());
    let off = settings("plugins.a.enabled = false");
    runtime.update_settings(off.clone()).await.unwrap();
    runtime.update_settings(off.clone()).await.unwrap();
    runtime.shutdown().await.unwrap();
    for stream in [&mut one, &mut two] {
        assert_eq!(*stream.next().await.unwrap(), off);
        assert_eq!(*stream.next().await.unwrap(), off);
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test]
async fn a_snapshot_tells_listeners_and_leaves_the_rest_alone() {
    // R-SET-27, F-12
    let diary = Diary::default();
    let runtime = PluginRuntime::builder().plugin(Probe::new("a", &diary)).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    let mut stream = runtime.settings_stream();
    diary.take();
    let off = settings("plugins.a.enabled = false");
    runtime.update_settings_snapshot(off.clone()).await.unwrap();
    assert_eq!(*stream.next().await.unwrap(), off);
    assert_eq!(diary.take(), "");
    runtime.update_settings(off).await.unwrap();
    assert_eq!(diary.take(), "-a .a", "the plan is made against what runs, not against the snapshot");
}

#[tokio::test]
async fn changes_queue_and_each_is_answered() {
    // J-02, R-SET-03
    let diary = Diary::default();
    let runtime = PluginRuntime::builder().plugin(Probe::new("a", &diary)).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    let (off, on) = tokio::join!(
        runtime.update_settings(settings("plugins.a.enabled = false")),
        runtime.update_settings(settings("")),
    );
    assert_eq!((off.unwrap().generation + 1, diary.take()), (on.unwrap().generation, "-a .a +a".to_owned()));
}

/// Awaits a change from within its hook, and then asks for it as hooks should.
struct Impatient(Arc<Mutex<Option<PluginRuntime>>>);
impl Plugin for Impatient {
    fn manifest(&self) -> Manifest {
        Manifest::new("impatient")
    }
    async fn settings_changed(&self, cx: &SessionContext, _: &SettingsChange) -> PluginResult {
        let runtime = self.0.lock().unwrap().clone().ok_or("no runtime yet")?;
        let error = runtime.update_settings(RuntimeSettings::default()).await.unwrap_err();
        assert!(matches!(error, ChangeError::WithinHook));
        assert!(runtime.shutdown().await.is_err());
        cx.request_change(|settings| settings.disable("impatient"));
        Ok(())
    }
}

#[tokio::test]
async fn a_hook_that_awaits_a_change_is_told_so_and_may_ask_for_it_instead() {
    // R-SET-03
    let handle = Arc::new(Mutex::new(None));
    let runtime = PluginRuntime::builder().plugin(Impatient(Arc::clone(&handle))).init().await.unwrap();
    *handle.lock().unwrap() = Some(runtime.clone());
    let _session = runtime.create_session("one").await.unwrap();
    let mut stream = runtime.settings_stream();
    runtime.update_settings(RuntimeSettings::default()).await.unwrap();
    stream.next().await.unwrap();
    assert_eq!(*stream.next().await.unwrap(), settings("plugins.impatient.enabled = false"));
    assert!(runtime.status().scopes[1].attached.is_empty());
}

const CLOCK: Slot<AtomicUsize> = Slot::new("clock");
struct Clock;
impl GlobalPlugin<&'static str> for Clock {
    fn manifest(&self) -> Manifest {
        Manifest::new("clock")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(CLOCK).singleton(|_| Arc::new(AtomicUsize::new(0)));
    }
    async fn attach(&self, cx: &GlobalContext<&'static str>) -> PluginResult {
        assert_eq!(**cx.data(), "the house");
        Ok(())
    }
}

struct Guest;
impl Plugin<&'static str, u32> for Guest {
    fn manifest(&self) -> Manifest {
        Manifest::new("guest").depends_on("clock")
    }
    async fn attach(&self, cx: &SessionContext<&'static str, u32>) -> PluginResult {
        assert_eq!((**cx.global(), **cx.data()), ("the house", 7));
        cx.global_scope().resolve(CLOCK)?.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    async fn detach(&self, cx: &SessionContext<&'static str, u32>) -> PluginResult {
        cx.global_scope().resolve(CLOCK)?.fetch_add(100, Ordering::Relaxed); // it is still there
        Ok(())
    }
}

#[tokio::test]
async fn sessions_go_down_before_the_globals_they_need_and_come_up_after_them() {
    // R-ENB-08, R-SET-05
    let runtime =
        PluginRuntime::<_, u32>::builder_with("the house").plugin(Guest).plugin(Clock).init().await.unwrap();
    let session = runtime.create_session(NewSession::new("one", 7)).await.unwrap();
    let clock = runtime.global().resolve(CLOCK).unwrap();
    assert_eq!(clock.load(Ordering::Relaxed), 1);
    let report = runtime.update_settings(settings("plugins.clock.enabled = false")).await.unwrap();
    assert_eq!(clock.load(Ordering::Relaxed), 101);
    assert_eq!(
        report.plan.to_string(),
        "in global:\n- clock   (settings)   clock: clock → nobody\nin session `one`:\n- guest   (needs clock, which is off)"
    );
    runtime.update_settings(settings("")).await.unwrap();
    let anew = runtime.global().resolve(CLOCK).unwrap();
    assert_eq!(anew.load(Ordering::Relaxed), 1, "a new instance, and the guest has come back");
    assert!(session.resolve(CLOCK).is_err(), "no lookup crosses scopes");
}

struct Hello(String);
struct Listener(Arc<Mutex<Vec<String>>>);
impl Plugin for Listener {
    fn manifest(&self) -> Manifest {
        Manifest::new("listener")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let heard = Arc::clone(&self.0);
        cx.on(move |hello: &mut Envelope<Hello>| heard.lock().unwrap().push(hello.0.clone()));
        cx.spawn(std::future::pending());
        assert_eq!(cx.held(), 2);
        Ok(())
    }
}

#[tokio::test]
async fn what_a_context_holds_ends_with_its_plugin() {
    // R-SET-16, F-29, R-STF-10
    let heard = Arc::new(Mutex::new(Vec::new()));
    let runtime = PluginRuntime::builder().plugin(Listener(Arc::clone(&heard))).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let hello = |text: &str| session.bus().emit_sync(Hello(text.to_owned())).map(drop);
    hello("on").unwrap();
    runtime.update_settings(settings("plugins.listener.enabled = false")).await.unwrap();
    hello("off").unwrap();
    runtime.update_settings(settings("")).await.unwrap();
    hello("on again").unwrap();
    assert_eq!(heard.lock().unwrap().join(", "), "on, on again");
}

struct Careful(Diary);
impl Plugin for Careful {
    fn manifest(&self) -> Manifest {
        Manifest::new("careful")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        for (name, works) in [("first", true), ("second", false), ("third", true)] {
            let diary = self.0.clone();
            cx.at_detach(async move {
                tokio::task::yield_now().await;
                diary.write(name);
                if works { Ok(()) } else { Err("the disk is full".into()) }
            });
        }
        Ok(())
    }
}

#[tokio::test]
async fn goodbyes_are_awaited_last_in_first_out_and_a_failing_one_is_reported() {
    let diary = Diary::default();
    let runtime = PluginRuntime::builder().plugin(Careful(diary.clone())).init().await.unwrap();
    let report = runtime.create_session("one").await.unwrap().close().await.unwrap();
    assert_eq!(diary.take(), "third second first");
    assert_eq!(
        report.failures[0].to_string(),
        "plugin `careful` failed to release in session `one`: the disk is full"
    );
}

#[tokio::test]
async fn a_plan_of_another_runtime_is_refused() {
    let diary = Diary::default();
    let runtime_of = |id| PluginRuntime::builder().plugin(Probe::new(id, &diary)).init();
    let (one, other) = (runtime_of("a").await.unwrap(), runtime_of("b").await.unwrap());
    let plan = one.plan(&settings("plugins.a.enabled = false")).unwrap();
    assert!(matches!(other.apply(plan).await.unwrap_err(), ChangeError::ForeignPlan));
    other.update_settings(settings("plugins.b.enabled = false")).await.unwrap();
}
