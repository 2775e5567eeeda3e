//! Lazy services with a life of their own that somebody looks up in the middle of a change which is then taken back.

use std::sync::{Arc, Mutex, PoisonError, mpsc};

use jackfield::{ChangeError, Context, Service, prelude::*};
use jackfield_testkit::Diary;

const LAZY: Slot<Lazy> = Slot::new("lazy");

struct Lazy(Diary);
impl Service for Lazy {
    fn attach(&self, _: &Context) -> PluginResult {
        self.0.write("+lazy");
        Ok(())
    }
    async fn detach(&self, _: &Context) -> PluginResult {
        self.0.write("-lazy");
        Ok(())
    }
}

/// Offers the lazy service, and may need somebody.
struct Owner(Diary, Option<&'static str>);
impl Plugin for Owner {
    fn manifest(&self) -> Manifest {
        self.1.iter().fold(Manifest::new("owner"), |manifest, need| manifest.depends_on(need))
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let diary = self.0.clone();
        services.provide(LAZY).stateful_lazy(move |_| Ok(Arc::new(Lazy(diary.clone()))), |lazy| lazy);
    }
}

/// Looks the service up, and fails.
struct Curious;
impl Plugin for Curious {
    fn manifest(&self) -> Manifest {
        Manifest::new("curious")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        cx.resolve(LAZY)?;
        Err("it has seen enough".into())
    }
}

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

#[tokio::test]
async fn a_service_ends_whose_plugin_never_came_to_attach() {
    // R-SES-05, R-STF-12, R-STF-18
    let diary = Diary::default();
    let owner = Owner(diary.clone(), Some("curious"));
    let runtime = PluginRuntime::builder().plugin(Curious).plugin(owner).init().await.unwrap();
    let error = runtime.create_session("one").await.unwrap_err();
    assert!(matches!(error, ChangeError::Reverted { .. }));
    assert_eq!(diary.take(), "+lazy -lazy");
}

#[tokio::test]
async fn a_service_ends_that_only_the_change_had_enabled() {
    // R-SET-17, R-SET-19, R-STF-18
    let diary = Diary::default();
    let off = settings("plugins.curious.enabled = false\nservices.'owner:lazy'.enabled = false");
    let owner = Owner(diary.clone(), None);
    let builder = PluginRuntime::builder().plugin(owner).plugin(Curious).settings(off);
    let runtime = builder.init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let error = runtime.update_settings(settings("")).await.unwrap_err();
    assert!(matches!(error, ChangeError::Reverted { .. }));
    assert_eq!(diary.take(), "+lazy -lazy");
    session.close().await.unwrap();
    assert_eq!(diary.take(), "");
}

struct Ping;

/// Takes its time to attach: says that it has begun, and goes on when it is told to.
struct Slow(mpsc::SyncSender<()>, Mutex<mpsc::Receiver<()>>);
const SLOW: Slot<Slow> = Slot::new("slow");

impl Service for Slow {
    fn attach(&self, cx: &Context) -> PluginResult {
        self.0.send(())?;
        self.1.lock().unwrap_or_else(PoisonError::into_inner).recv()?;
        cx.on(|_: &mut Envelope<Ping>| ());
        Ok(())
    }
}

type Ends = (mpsc::SyncSender<()>, mpsc::Receiver<()>);
struct SlowOwner(Arc<Mutex<Option<Ends>>>);
impl Plugin for SlowOwner {
    fn manifest(&self) -> Manifest {
        Manifest::new("owner")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let ends = Mutex::new(self.0.lock().unwrap().take());
        let made = move |_: &jackfield::Resolver<'_>| {
            let (begun, go_on) = ends.lock().unwrap().take().ok_or("it was made before")?;
            Ok(Arc::new(Slow(begun, Mutex::new(go_on))))
        };
        services.provide(SLOW).stateful_lazy(made, |slow| slow);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_disabled_while_it_attaches_leaves_nothing_behind() {
    // R-STF-18
    let (begins, begun) = mpsc::sync_channel(1);
    let (go_on, told) = mpsc::sync_channel(1);
    let ends = Arc::new(Mutex::new(None));
    let runtime = PluginRuntime::builder().plugin(SlowOwner(Arc::clone(&ends))).init().await.unwrap();
    *ends.lock().unwrap() = Some((begins, told));
    let session = runtime.create_session("one").await.unwrap();

    let scope = session.scope().clone();
    let looking = tokio::task::spawn_blocking(move || scope.resolve(SLOW).map(drop));
    tokio::task::spawn_blocking(move || begun.recv()).await.unwrap().unwrap();
    runtime.update_settings(settings("services.'owner:slow'.enabled = false")).await.unwrap();
    go_on.send(()).unwrap();
    looking.await.unwrap().unwrap_err();
    assert_eq!(session.bus().subscriptions(), 0);
    session.close().await.unwrap();
}
