//! Every hook, and every handler, calls every public function there is.

use std::sync::{Arc, Mutex};

use jackfield::{
    ChangeError, Context, Namespace, Request, Scope, Session, ShutdownError, SlotId, prelude::*,
};
use jackfield_testkit::Diary;

use super::{Handle, block, bounded, settings};

const VOICE: Slot<str> = Slot::new("voice.main");

struct Ping;
struct Ask;
impl Request for Ask {
    type Response = u8;
}

/// What can be asked of a runtime without waiting.
fn look_around(runtime: &PluginRuntime) {
    drop(runtime.settings());
    drop(runtime.settings_stream());
    drop(runtime.plan(&settings("plugins.ghost = {}")).unwrap_err());
    assert_eq!(runtime.plan(&settings("")).unwrap().hash(), runtime.plan(&settings("")).unwrap().hash());
    drop(runtime.status());
    assert_eq!(runtime.global().name().to_string(), "global");
    assert_eq!(**runtime.data(), ());
}

/// What a hook cannot wait for, and is told so.
async fn wait_in_vain(runtime: &PluginRuntime) {
    let is_told = |error: ChangeError| assert!(matches!(error, ChangeError::WithinHook), "{error}");
    is_told(runtime.update_settings(settings("")).await.unwrap_err());
    is_told(runtime.update_settings_snapshot(settings("")).await.unwrap_err());
    is_told(runtime.create_session("inner").await.unwrap_err());
    assert!(matches!(runtime.shutdown().await, Err(ShutdownError::WithinHook)));
}

async fn use_scope(scope: &Scope) {
    let slot: SlotId = VOICE.id();
    drop((scope.resolve(VOICE), scope.resolve_id::<str>(&slot), scope.get(VOICE)));
    drop(scope.resolve_id::<String>(&slot).unwrap_err());
    drop(scope.resolve_after(&PluginId::new("prying"), VOICE));
    drop((scope.slots(), scope.slots_in(&Namespace::new("voice")), scope.candidates(&slot)));
    drop((scope.winner(&slot), scope.capability::<u8>(&slot)));
    let bus = scope.bus();
    drop(bus.on(|_: &mut Envelope<Ping>| ()));
    drop(bus.on_async(|_: &mut Envelope<Ping>| Box::pin(async {})));
    drop(bus.on_request(|_: &mut Envelope<Ask>| Some(7)));
    drop(bus.handler().priority(Priority::HIGH).identifier("me").on(|_: &mut Envelope<Ping>| ()));
    drop(bus.observe(|_| ()));
    drop(bus.emit(Ping).await);
    drop(bus.emit_sync(Ping));
    drop(bus.request(Ask).await);
    drop(bus.request_optional_sync(Ask));
    drop(bus.topic::<Ping>().emit_sync(Ping));
    assert!(!bus.has_handler::<Ask>());
    assert!(bus.subscriptions() < 100);
}

struct Prying {
    runtime: Handle,
    sessions: Arc<Mutex<Vec<Session>>>,
    diary: Diary,
}

impl Prying {
    async fn pry(&self, cx: &Context, hook: &str) -> PluginResult {
        let runtime = self.runtime.lock().unwrap().clone();
        let Some(runtime) = runtime else { return Ok(()) };
        look_around(&runtime);
        wait_in_vain(&runtime).await;
        use_scope(cx.scope()).await;
        use_scope(runtime.global()).await;
        let session = self.sessions.lock().unwrap().pop();
        if let Some(session) = session {
            use_scope(session.scope()).await;
            assert_eq!(format!("{} {}", session.name(), session.data() == &Arc::new(())), "spare true");
            assert!(matches!(session.close().await, Err(ChangeError::WithinHook)));
        }
        drop((cx.resolve_after(VOICE), cx.config::<u8>().unwrap_err()));
        cx.on(|_: &mut Envelope<u8>| ());
        cx.hold(runtime.clone());
        cx.spawn(std::future::pending());
        let (own, handle) = (runtime.clone(), runtime.clone());
        cx.at_detach(async move {
            wait_in_vain(&own).await;
            Ok(())
        });
        // Once only: who asks for a change at every change never comes to rest.
        if hook == "attach" {
            cx.request_change(move |settings| {
                block(wait_in_vain(&handle));
                settings.enable(PRYING);
            });
        }
        assert!(cx.held() >= 2, "what could be kept is kept");
        self.diary.write(format!("{} {hook}", cx.scope().name()));
        Ok(())
    }
}

const PRYING: &str = "prying";

impl Plugin for Prying {
    fn manifest(&self) -> Manifest {
        Manifest::new(PRYING)
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let runtime = self.runtime.lock().unwrap().clone();
        let ask = move |runtime: Option<&PluginRuntime>| {
            let Some(runtime) = runtime else { return };
            look_around(runtime);
            block(wait_in_vain(runtime));
        };
        ask(runtime.as_ref());
        services.provide(VOICE).singleton(move |_| {
            ask(runtime.as_ref());
            "built".into()
        });
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        self.pry(cx, "attach").await
    }
    async fn settings_changed(&self, cx: &SessionContext, change: &SettingsChange) -> PluginResult {
        drop((change.old_settings(), change.new_settings(), change.config::<u8>()));
        self.pry(cx, "settings_changed").await
    }
    async fn detach(&self, cx: &SessionContext) -> PluginResult {
        self.pry(cx, "detach").await
    }
}

struct Above(Prying);
impl GlobalPlugin for Above {
    fn manifest(&self) -> Manifest {
        Manifest::new("above")
    }
    async fn attach(&self, cx: &GlobalContext) -> PluginResult {
        self.0.pry(cx, "attach").await
    }
    async fn settings_changed(&self, cx: &GlobalContext, _: &SettingsChange) -> PluginResult {
        self.0.pry(cx, "settings_changed").await
    }
    async fn detach(&self, cx: &GlobalContext) -> PluginResult {
        self.0.pry(cx, "detach").await
    }
}

#[test]
fn a_hook_may_call_everything() {
    bounded(|| async {
        let (diary, runtime_handle) = (Diary::default(), Handle::default());
        let spare = Arc::default();
        let prying =
            || Prying { runtime: runtime_handle.clone(), sessions: Arc::clone(&spare), diary: diary.clone() };
        let builder = PluginRuntime::builder().plugin(Above(prying())).plugin(prying());
        let runtime = builder.init().await.unwrap();
        *runtime_handle.lock().unwrap() = Some(runtime.clone());
        for _ in 0..20 {
            let session = runtime.create_session("spare").await.unwrap();
            spare.lock().unwrap().push(session);
        }

        let session = runtime.create_session("one").await.unwrap();
        runtime.update_settings(settings("plugins.above.enabled = false")).await.unwrap();
        runtime.update_settings(settings("")).await.unwrap();
        runtime.update_settings(settings("plugins.prying.enabled = false")).await.unwrap();
        runtime.update_settings(settings("")).await.unwrap();
        let scope = session.scope().clone();
        session.close().await.unwrap();
        assert_eq!(scope.bus().subscriptions(), 0);
        runtime.shutdown().await.unwrap();

        let lines = diary.take();
        for hook in ["attach", "settings_changed", "detach"] {
            for scope in ["global", "session `one`", "session `spare`"] {
                assert!(lines.contains(&format!("{scope} {hook}")), "{scope} {hook} is not in {lines}");
            }
        }
    });
}

struct Change;

#[test]
fn a_handler_may_wait_for_any_change_outside_of_hooks() {
    bounded(|| async {
        let runtime = PluginRuntime::builder().init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let (bus, own, scope) = (session.bus().clone(), runtime.clone(), session.scope().clone());
        let session = Arc::new(Mutex::new(Some(session)));
        let changes = bus.on_async(move |_: &mut Envelope<Change>| {
            let (runtime, scope, session) = (own.clone(), scope.clone(), Arc::clone(&session));
            Box::pin(async move {
                look_around(&runtime);
                use_scope(&scope).await;
                runtime.update_settings(settings("")).await?;
                let inner = runtime.create_session("inner").await?;
                inner.close().await?;
                let own = session.lock().unwrap().take();
                own.ok_or("only once")?.close().await?;
                use_scope(&scope).await;
                runtime.shutdown().await?;
                Ok::<(), BoxError>(())
            })
        });
        bus.emit(Change).await.unwrap();
        assert!(bus.emit(Change).await.is_err(), "its bus is closed");
        drop(changes);
    });
}

/// Emits within its hook, where the handler waits for a change.
struct Crier;
impl Plugin for Crier {
    fn manifest(&self) -> Manifest {
        Manifest::new("crier")
    }
    async fn settings_changed(&self, cx: &SessionContext, _: &SettingsChange) -> PluginResult {
        cx.bus().emit(Change).await?;
        Ok(())
    }
}

#[test]
fn a_handler_that_a_hook_calls_is_within_that_hook() {
    bounded(|| async {
        let runtime = PluginRuntime::builder().plugin(Crier).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let own = runtime.clone();
        let _waits = session.bus().on_async(move |_: &mut Envelope<Change>| {
            let runtime = own.clone();
            Box::pin(async move { wait_in_vain(&runtime).await })
        });
        runtime.update_settings(settings("")).await.unwrap();
    });
}

/// Asks for another change at every change.
struct Restless;
impl Plugin for Restless {
    fn manifest(&self) -> Manifest {
        Manifest::new("restless")
    }
    async fn settings_changed(&self, cx: &SessionContext, _: &SettingsChange) -> PluginResult {
        cx.request_change(|_| ());
        Ok(())
    }
}

#[test]
fn a_hook_that_always_asks_for_another_change_keeps_nobody_waiting() {
    bounded(|| async {
        let runtime = PluginRuntime::builder().plugin(Restless).init().await.unwrap();
        let _session = runtime.create_session("one").await.unwrap();
        runtime.update_settings(settings("")).await.unwrap();
        runtime.update_settings(settings("")).await.unwrap();
        runtime.shutdown().await.unwrap();
    });
}

/// Closes the bus of its own scope.
struct Closer;
impl Plugin for Closer {
    fn manifest(&self) -> Manifest {
        Manifest::new("closer")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        cx.bus().close();
        cx.on(|_: &mut Envelope<Ping>| ());
        Ok(())
    }
}

#[test]
fn a_plugin_that_closes_its_bus_takes_nothing_else_along() {
    bounded(|| async {
        let runtime = PluginRuntime::builder().plugin(Closer).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        assert!(session.bus().emit_sync(Ping).is_err());
        runtime.update_settings(settings("plugins.closer.enabled = false")).await.unwrap();
        session.close().await.unwrap();
        runtime.shutdown().await.unwrap();
    });
}
