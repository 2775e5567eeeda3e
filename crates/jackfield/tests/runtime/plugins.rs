//! What a plugin is, what its hooks are handed, and what is kept for it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use jackfield::{AddError, ChangeError, InitError, IntoPlugin, Request, ScopeKind, prelude::*};
use jackfield_testkit::{Diary, Probe};

const VOICE: Slot<str> = Slot::new("voice");

struct Bare;
impl Plugin for Bare {
    fn manifest(&self) -> Manifest {
        Manifest::new("bare")
    }
}

struct BareHouse;
impl GlobalPlugin for BareHouse {
    fn manifest(&self) -> Manifest {
        Manifest::new("house")
    }
}

#[tokio::test]
async fn a_plugin_needs_nothing_but_a_name() {
    // R-PLG-01
    let runtime = PluginRuntime::builder().plugin(Bare).plugin(BareHouse).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    runtime.update_settings(RuntimeSettings::default()).await.unwrap();
    assert!(session.close().await.unwrap().failures.is_empty());
    runtime.shutdown().await.unwrap();
    let manifest = Plugin::<(), ()>::manifest(&Bare);
    assert_eq!(
        (manifest.id().as_str(), manifest.dependencies(), manifest.flags()),
        ("bare", &[][..], &[][..])
    );
}

/// Counts how often each hook is called, in whatever scope.
#[derive(Clone, Default)]
struct Counts([Arc<AtomicUsize>; 3]);
impl Counts {
    fn up(&self, hook: usize) {
        self.0[hook].fetch_add(1, Relaxed);
    }
    /// Registered, attached, detached.
    fn now(&self) -> [usize; 3] {
        [0, 1, 2].map(|hook| self.0[hook].load(Relaxed))
    }
}

struct Counted(Counts);
impl Plugin for Counted {
    fn manifest(&self) -> Manifest {
        Manifest::new("counted")
    }
    fn register(&self, _: &mut Registrar<'_>) {
        self.0.up(0);
    }
    async fn attach(&self, _: &SessionContext) -> PluginResult {
        tokio::task::yield_now().await; // every hook but `register` may wait
        self.0.up(1);
        Ok(())
    }
    async fn detach(&self, _: &SessionContext) -> PluginResult {
        tokio::task::yield_now().await;
        self.0.up(2);
        Ok(())
    }
}

struct CountedHouse(Counts);
impl GlobalPlugin for CountedHouse {
    fn manifest(&self) -> Manifest {
        Manifest::new("house")
    }
    fn register(&self, _: &mut Registrar<'_>) {
        self.0.up(0);
    }
    async fn attach(&self, _: &GlobalContext) -> PluginResult {
        self.0.up(1);
        Ok(())
    }
    async fn detach(&self, _: &GlobalContext) -> PluginResult {
        self.0.up(2);
        Ok(())
    }
}

#[tokio::test]
async fn a_start_concerns_global_plugins_and_a_session_those_of_sessions() {
    // R-PLG-02, R-PLG-03, R-PLG-09, J-04: once to learn what it offers, and once wherever it takes part
    let (guest, house) = (Counts::default(), Counts::default());
    let builder = PluginRuntime::builder().plugin(Counted(guest.clone())).plugin(CountedHouse(house.clone()));
    let runtime = builder.init().await.unwrap();
    assert_eq!((guest.now(), house.now()), ([1, 0, 0], [2, 1, 0]));
    let one = runtime.create_session("one").await.unwrap();
    let _two = runtime.create_session("two").await.unwrap();
    assert_eq!((guest.now(), house.now()), ([3, 2, 0], [2, 1, 0]));
    drop(one.close().await.unwrap());
    assert_eq!((guest.now(), house.now()), ([3, 2, 1], [2, 1, 0]));
    runtime.shutdown().await.unwrap();
    assert_eq!((guest.now(), house.now()), ([3, 2, 2], [2, 1, 1]));
}

#[tokio::test]
async fn a_name_is_taken_in_both_scopes_at_once() {
    // R-PLG-04, R-PLG-05, F-33: and where one cannot be added, none is
    let counts = Counts::default();
    let builder = PluginRuntime::builder().plugin(CountedHouse(counts.clone()));
    let error = builder.plugin(Probe::new("house", &Diary::default())).init().await.unwrap_err();
    let InitError::Plugin(AddError::Duplicate { plugin }) = &error else { panic!("{error}") };
    assert_eq!(plugin.as_str(), "house");
    assert_eq!(counts.now(), [1, 0, 0], "it was asked what it offers, and never attached");

    let runtime = PluginRuntime::builder().plugin(BareHouse).init().await.unwrap();
    let error = runtime.add_plugin(Probe::new("house", &Diary::default())).await.unwrap_err();
    assert!(matches!(error, ChangeError::Plugin(AddError::Duplicate { .. })));
}

#[tokio::test]
async fn plugins_are_listed_as_they_were_added() {
    // R-PLG-06
    let diary = Diary::default();
    let builder = PluginRuntime::builder().plugin(Probe::new("z", &diary).needs("a")).plugin(BareHouse);
    let runtime = builder.plugin(Probe::new("a", &diary)).init().await.unwrap();
    runtime.add_plugin(Bare).await.unwrap();
    let names = |scope: Option<ScopeKind>| {
        let plugins =
            runtime.status().plugins.into_iter().filter(|info| scope.is_none_or(|of| info.scope == of));
        plugins.map(|info| info.plugin.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(None), "z house a bare");
    assert_eq!(
        (names(Some(ScopeKind::Global)), names(Some(ScopeKind::Session))),
        ("house".into(), "z a bare".into())
    );
    runtime.status().plugins.clear();
    assert_eq!(names(None), "z house a bare", "the list is a copy");
}

#[tokio::test]
async fn a_plugin_is_its_name_and_not_its_type() {
    // R-PLG-07
    let diary = Diary::default();
    let builder = PluginRuntime::builder().plugin(Probe::new("a", &diary)).plugin(Probe::new("b", &diary));
    assert!(builder.init().await.is_ok(), "one type under two names is two plugins");
    let builder = PluginRuntime::builder().plugin(Probe::new("bare", &diary)).plugin(Bare);
    assert!(builder.init().await.is_err(), "two types under one name are none");
    let shown = format!("{:?}", IntoPlugin::<(), (), _>::into_plugin(Bare));
    assert!(shown.contains("Session") && shown.ends_with("::Bare\" }"), "{shown}");
}

struct Singer;
impl Plugin for Singer {
    fn manifest(&self) -> Manifest {
        Manifest::new("singer")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(VOICE).value("la".into());
    }
}

#[tokio::test]
async fn what_a_plugin_registers_is_its_own_without_it_saying_so() {
    // R-PLG-08
    let session = PluginRuntime::builder().plugin(Singer).init().await.unwrap();
    let session = session.create_session("one").await.unwrap();
    assert_eq!(session.candidate(&VOICE.id()).unwrap().plugin, PluginId::new("singer"));
}

struct Ping;
struct Ask;
impl Request for Ask {
    type Response = ();
}

/// Listens in every way there is, and counts.
struct Ears(Arc<AtomicUsize>);
impl Plugin for Ears {
    fn manifest(&self) -> Manifest {
        Manifest::new("ears")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let count = || {
            let heard = Arc::clone(&self.0);
            move || _ = heard.fetch_add(1, Relaxed)
        };
        let (event, request, tap) = (count(), count(), count());
        cx.on(move |_: &mut Envelope<Ping>| event());
        cx.on_request(move |_: &mut Envelope<Ask>| {
            request();
            Some(())
        });
        cx.on_request_async(|_: &mut Envelope<Ask>| Box::pin(async { None }));
        cx.observe(move |_| tap());
        Ok(())
    }
}

#[tokio::test]
async fn what_a_plugin_listens_to_in_one_scope_ends_with_that_scope() {
    // R-PLG-10, J-11
    let heard = Arc::new(AtomicUsize::new(0));
    let runtime = PluginRuntime::builder().plugin(Ears(Arc::clone(&heard))).init().await.unwrap();
    let (one, two) =
        (runtime.create_session("one").await.unwrap(), runtime.create_session("two").await.unwrap());
    runtime.update_settings(RuntimeSettings::default()).await.unwrap();
    let scope = one.scope().clone();
    assert_eq!((scope.bus().subscriptions(), two.bus().subscriptions()), (4, 4));
    drop(one.close().await.unwrap());
    assert_eq!((scope.bus().subscriptions(), two.bus().subscriptions()), (0, 4));
    assert!(scope.bus().emit_sync(Ping).is_err());
    two.bus().emit_sync(Ping).unwrap();
    two.bus().request_sync(Ask).unwrap();
    assert_eq!(heard.load(Relaxed), 6, "each once by its handler, and twice by the tap");
}

/// Ends one subscription itself; says something while it attaches.
struct Chatty(Arc<Mutex<Vec<usize>>>);
impl Plugin for Chatty {
    fn manifest(&self) -> Manifest {
        Manifest::new("chatty")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let early = cx.bus().on(|_: &mut Envelope<Ping>| {})?;
        cx.on(|_: &mut Envelope<Ping>| {});
        let mut held = vec![cx.bus().subscriptions(), cx.held()];
        drop(early);
        cx.bus().emit(Ping).await?;
        held.extend([cx.bus().subscriptions(), cx.held()]);
        *self.0.lock().unwrap() = held;
        Ok(())
    }
}

#[tokio::test]
async fn a_subscription_may_be_ended_early_and_an_emit_is_kept_nowhere() {
    // R-PLG-11
    let held = Arc::default();
    let runtime = PluginRuntime::builder().plugin(Chatty(Arc::clone(&held))).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    assert_eq!(*held.lock().unwrap(), [2, 1, 1, 1]);
}

/// Keeps the list of sessions it is shown.
struct Doorman(Arc<Mutex<Vec<usize>>>);
impl GlobalPlugin for Doorman {
    fn manifest(&self) -> Manifest {
        Manifest::new("doorman")
    }
    async fn settings_changed(&self, cx: &GlobalContext, _: &SettingsChange) -> PluginResult {
        let mut guests = cx.sessions();
        self.0.lock().unwrap().push(guests.len());
        guests.clear();
        self.0.lock().unwrap().push(cx.sessions().len());
        Ok(())
    }
}

#[tokio::test]
async fn a_plugin_is_shown_the_sessions_and_not_handed_them() {
    // F-34
    let seen = Arc::default();
    let runtime = PluginRuntime::builder().plugin(Doorman(Arc::clone(&seen))).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    runtime.update_settings(RuntimeSettings::default()).await.unwrap();
    assert_eq!((seen.lock().unwrap().clone(), runtime.sessions().len()), (vec![1, 1], 1));
}

/// Has nothing to say of settings.
struct Quiet;
impl Plugin for Quiet {
    fn manifest(&self) -> Manifest {
        Manifest::new("quiet")
    }
}

/// Made of another, which it tells in turn.
struct Around(Quiet, Arc<AtomicUsize>);
impl Plugin for Around {
    fn manifest(&self) -> Manifest {
        Manifest::new("around")
    }
    async fn settings_changed(&self, cx: &SessionContext, change: &SettingsChange) -> PluginResult {
        self.1.fetch_add(1, Relaxed);
        self.0.settings_changed(cx, change).await
    }
}

/// The same, which asks the other before there is anything to await.
struct Ahead(Quiet, Arc<AtomicUsize>);
impl Plugin for Ahead {
    fn manifest(&self) -> Manifest {
        Manifest::new("ahead")
    }
    fn settings_changed(
        &self,
        cx: &SessionContext,
        change: &SettingsChange,
    ) -> impl Future<Output = PluginResult> + Send {
        self.1.fetch_add(1, Relaxed);
        self.0.settings_changed(cx, change)
    }
}

#[tokio::test]
async fn who_is_made_of_others_that_have_no_ears_is_told_all_the_same_and_so_is_whoever_comes_next() {
    // R-CFG-10
    let told = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let [ahead, around, last] = told.each_ref().map(Arc::clone);
    let runtime = PluginRuntime::builder()
        .plugin(Quiet)
        .plugin(Ahead(Quiet, ahead))
        .plugin(Around(Quiet, around))
        .plugin(Last(last))
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    for _ in 0..3 {
        runtime.update_settings(RuntimeSettings::default()).await.unwrap();
    }
    assert_eq!(told.map(|told| told.load(Relaxed)), [3, 3, 3]);
}

/// Comes after the others.
struct Last(Arc<AtomicUsize>);
impl Plugin for Last {
    fn manifest(&self) -> Manifest {
        Manifest::new("last")
    }
    async fn settings_changed(&self, _: &SessionContext, _: &SettingsChange) -> PluginResult {
        self.0.fetch_add(1, Relaxed);
        Ok(())
    }
}
