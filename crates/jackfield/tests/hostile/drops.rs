//! What plugins leave behind is dropped by the runtime, and dropping is their code.

use std::{
    fmt,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::FutureExt;
use jackfield::{ChangeError, HookError, NewSession, Service, prelude::*};
use jackfield_testkit::Diary;

use super::{Bomb, Handle, block, bounded, quiet, settings};

const ONE: Slot<Bomb> = Slot::new("bomb.one");
const TWO: Slot<Bomb> = Slot::new("bomb.two");

/// Everything that it brings panics when it is dropped.
struct Minefield {
    id: &'static str,
    _own: Bomb,
}
impl Plugin for Minefield {
    fn manifest(&self) -> Manifest {
        Manifest::new(self.id)
    }
    fn register(&self, services: &mut Registrar<'_>) {
        for slot in [ONE, TWO] {
            let captured = Bomb("what a builder captured");
            services
                .provide(slot)
                .capability(Bomb("one capability"))
                .capability(Bomb("another capability"))
                .singleton(move |_| {
                    let _ = &captured;
                    Arc::new(Bomb("a service"))
                });
        }
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        for _ in 0..2 {
            cx.hold(Bomb("a guard"));
            let captured = Bomb("a handler");
            cx.on(move |_: &mut Envelope<u8>| {
                let _ = &captured;
            });
            let captured = Bomb("a task");
            cx.spawn(async move {
                let _captured = captured;
                pending::<()>().await;
            });
            let captured = Bomb("a goodbye");
            cx.at_detach(async move {
                let _captured = captured;
                Ok(())
            });
        }
        Ok(())
    }
}

#[test]
fn whatever_panics_on_its_way_out_panics_alone() {
    bounded(|| async {
        let minefield = |id| Minefield { id, _own: Bomb("a plugin") };
        let builder = PluginRuntime::builder().plugin(minefield("a")).plugin(minefield("b"));
        let runtime = builder.init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let off = settings("plugins.a.enabled = false\nplugins.b.enabled = false");
        let error = runtime.update_settings(off).await.unwrap_err();
        let ChangeError::Reverted { failures } = error else { panic!("{error}") };
        assert_eq!(failures.len(), 2 * 6, "guards, tasks and goodbyes of two plugins");
        assert!(session.resolve(ONE).is_ok());
        session.close().await.unwrap();
        runtime.create_session("two").await.unwrap().close().await.unwrap();
        runtime.shutdown().await.unwrap();
    });
}

struct Loud;
impl Plugin<(), Arc<Bomb>> for Loud {
    fn manifest(&self) -> Manifest {
        Manifest::new("loud")
    }
    async fn attach(&self, cx: &SessionContext<(), Arc<Bomb>>) -> PluginResult {
        if cx.scope().name().to_string().contains("bad") { Err("no".into()) } else { Ok(()) }
    }
}

#[test]
fn data_of_a_session_may_panic_when_the_session_is_gone() {
    bounded(|| async {
        let runtime = PluginRuntime::<(), Arc<Bomb>>::builder_with(()).plugin(Loud).init().await.unwrap();
        let (good, bad) = (Arc::new(Bomb("the data")), Arc::new(Bomb("the data")));
        // Whoever is last to let go of it hears it: here the runtime, since the session was dropped before.
        drop(runtime.create_session(NewSession::new("good", good)).await.unwrap());
        std::mem::forget(Arc::clone(&bad));
        runtime.create_session(NewSession::new("bad", bad)).await.unwrap_err();
        runtime.update_settings(settings("")).await.unwrap();
        runtime.shutdown().await.unwrap();
    });
}

#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default)]
struct Touchy {
    level: u8,
}
impl Drop for Touchy {
    fn drop(&mut self) {
        assert!(self.level != 13, "bad luck");
    }
}

struct Configured;
impl Plugin for Configured {
    fn manifest(&self) -> Manifest {
        Manifest::new("configured").config::<Touchy>()
    }
}

#[test]
fn a_configuration_may_panic_when_it_is_replaced() {
    bounded(|| async {
        let runtime = PluginRuntime::builder().plugin(Configured).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        for level in [13, 1, 13] {
            let next = settings(&format!("plugins.configured.config.level = {level}"));
            drop(runtime.plan(&next).unwrap());
            runtime.update_settings(next).await.unwrap();
        }
        session.close().await.unwrap();
        runtime.update_settings(settings("")).await.unwrap();
        runtime.shutdown().await.unwrap();
    });
}

/// Its service, and what it holds, want the runtime's attention when they are dropped.
struct Clinging(Handle, Diary);
const CLINGING: Slot<Cling> = Slot::new("clinging");

struct Cling {
    runtime: Handle,
    scope: Arc<Mutex<Option<jackfield::Scope>>>,
    diary: Diary,
}
impl Drop for Cling {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.lock().unwrap().clone() else { return };
        let told = matches!(block(runtime.update_settings(settings(""))), Err(ChangeError::WithinHook));
        let scope = self.scope.lock().unwrap().take();
        let Some(scope) = scope else {
            return self.diary.write(format!("service: told {told}"));
        };
        let found = scope.resolve(CLINGING).is_ok();
        // Nothing keeps it, and nothing ends it but the closing of its scope.
        let subscribed = scope.bus().on(|_: &mut Envelope<u8>| ()).map(jackfield::Subscription::until_closed);
        let subscribed = subscribed.is_ok();
        self.diary.write(format!("guard: told {told}, found {found}, subscribed {subscribed}"));
    }
}

impl Plugin for Clinging {
    fn manifest(&self) -> Manifest {
        Manifest::new("clinging")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let (runtime, diary) = (self.0.clone(), self.1.clone());
        services.provide(CLINGING).singleton(move |_| {
            Arc::new(Cling { runtime: runtime.clone(), scope: Arc::default(), diary: diary.clone() })
        });
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let scope = Arc::new(Mutex::new(Some(cx.scope().clone())));
        cx.hold(Cling { runtime: self.0.clone(), scope, diary: self.1.clone() });
        Ok(())
    }
}

#[test]
fn a_guard_may_look_up_subscribe_and_ask_when_it_is_dropped() {
    // R-STF-07, F-29
    bounded(|| async {
        let (handle, diary) = (Handle::default(), Diary::default());
        let plugin = Clinging(handle.clone(), diary.clone());
        let runtime = PluginRuntime::builder().plugin(plugin).init().await.unwrap();
        *handle.lock().unwrap() = Some(runtime.clone());
        let session = runtime.create_session("one").await.unwrap();
        runtime.update_settings(settings("plugins.clinging.enabled = false")).await.unwrap();
        assert_eq!(diary.take(), "guard: told true, found false, subscribed true service: told true");
        assert_eq!(session.bus().subscriptions(), 1);
        runtime.update_settings(settings("")).await.unwrap();
        let scope = session.scope().clone();
        session.close().await.unwrap();
        assert_eq!(diary.take(), "guard: told true, found false, subscribed false service: told true");
        assert_eq!(scope.bus().subscriptions(), 0, "a scope that closes takes no more");
    });
}

/// Hangs, and panics when it is no longer waited for.
struct Stuck;
impl Plugin for Stuck {
    fn manifest(&self) -> Manifest {
        Manifest::new("stuck")
    }
    async fn settings_changed(&self, _: &SessionContext, _: &SettingsChange) -> PluginResult {
        let _bomb = Bomb("a future");
        pending().await
    }
    async fn detach(&self, cx: &SessionContext) -> PluginResult {
        let bombs = [Bomb("a goodbye"), Bomb("a goodbye")];
        for bomb in bombs {
            cx.at_detach(async move {
                let _bomb = bomb;
                pending().await
            });
        }
        Ok(())
    }
}

#[test]
fn a_future_may_panic_when_it_is_given_up() {
    bounded(|| async {
        let deadline = Duration::from_secs(1);
        let runtime = PluginRuntime::builder().plugin(Stuck).hook_deadline(deadline).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let error = runtime.update_settings(settings("")).await.unwrap_err();
        assert!(error.to_string().contains("did not return within 1s"), "{error}");
        let report = session.close().await.unwrap();
        assert_eq!(report.failures.len(), 2, "{report}");
        assert!(report.failures.iter().all(|failure| matches!(failure.error, HookError::TimedOut { .. })));
        runtime.shutdown().await.unwrap();
    });
}

/// An error that cannot say what it is.
#[derive(Debug)]
struct Unspeakable;
impl std::error::Error for Unspeakable {}
impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("words fail me")
    }
}

const LAZY: Slot<u8> = Slot::new("lazy");

struct Speechless;
impl Plugin for Speechless {
    fn manifest(&self) -> Manifest {
        Manifest::new("speechless")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(LAZY).lazy(|_| Err(Box::new(Unspeakable)));
    }
    async fn settings_changed(&self, _: &SessionContext, _: &SettingsChange) -> PluginResult {
        Err(Box::new(Unspeakable))
    }
}

#[test]
fn an_error_may_panic_when_it_is_shown() {
    bounded(|| async {
        let runtime = PluginRuntime::builder().plugin(Speechless).init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let error = runtime.update_settings(settings("")).await.unwrap_err();
        assert!(error.to_string().contains("words fail me"), "{error}");
        assert!(session.resolve(LAZY).unwrap_err().to_string().contains("words fail me"));
        session.close().await.unwrap();
    });
}

/// An error whose cause cannot say what it is.
#[derive(Debug)]
struct Evasive(Unspeakable);
impl fmt::Display for Evasive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ask my cause")
    }
}
impl std::error::Error for Evasive {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Fails with whatever it was given, whenever it is asked to attach.
struct Failing(fn() -> BoxError);
impl Plugin for Failing {
    fn manifest(&self) -> Manifest {
        Manifest::new("failing")
    }
    async fn attach(&self, _: &SessionContext) -> PluginResult {
        Err((self.0)())
    }
}

#[test]
fn the_cause_of_an_error_may_panic_when_it_is_shown() {
    bounded(|| async {
        let evasive = Failing(|| Box::new(Evasive(Unspeakable)));
        let runtime = PluginRuntime::builder().plugin(evasive).init().await.unwrap();
        let error = runtime.create_session("one").await.unwrap_err();
        assert!(error.to_string().contains("words fail me"), "{error}");
        runtime.shutdown().await.unwrap();
    });
}

/// An error that panics when it is dropped.
#[derive(Debug)]
struct Explosive(#[expect(dead_code, reason = "it goes off by being dropped")] Bomb);
impl std::error::Error for Explosive {}
impl fmt::Display for Explosive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("handle with care")
    }
}

#[test]
fn an_error_may_panic_when_nobody_waits_for_it() {
    bounded(|| async {
        let explosive = Failing(|| Box::new(Explosive(Bomb("an error"))));
        let runtime = PluginRuntime::builder().plugin(explosive).init().await.unwrap();
        for _ in 0..2 {
            let hung_up = runtime.create_session("one").now_or_never();
            assert!(hung_up.is_none());
            quiet().await;
        }
        runtime.update_settings(settings("")).await.unwrap();
        runtime.shutdown().await.unwrap();
    });
}

/// Services with a life of their own, which panic when they are dropped.
struct Lives;
struct Mortal(#[expect(dead_code, reason = "it goes off by being dropped")] Bomb);
impl Service for Mortal {}
const LIVES: [Slot<Mortal>; 2] = [Slot::new("life.one"), Slot::new("life.two")];

impl Plugin for Lives {
    fn manifest(&self) -> Manifest {
        Manifest::new("lives")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        for slot in LIVES {
            services.provide(slot).stateful(|_| Ok(Arc::new(Mortal(Bomb("a service")))), |mortal| mortal);
        }
    }
}

#[test]
fn services_with_a_life_of_their_own_may_panic_when_they_are_gone() {
    bounded(|| async {
        let runtime = PluginRuntime::builder().plugin(Lives).init().await.unwrap();
        runtime.create_session("one").await.unwrap().close().await.unwrap();
        runtime.update_settings(settings("")).await.unwrap();
        runtime.shutdown().await.unwrap();
    });
}

/// Offers something that wants the runtime's attention when it is dropped, and then fails to register.
struct Halfway(Handle, Diary);

impl Plugin for Halfway {
    fn manifest(&self) -> Manifest {
        Manifest::new("halfway")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let service = Cling { runtime: self.0.clone(), scope: Arc::default(), diary: self.1.clone() };
        services.provide(CLINGING).value(Arc::new(service));
        let is_first = self.0.lock().unwrap().is_none();
        assert!(is_first, "it does not register a second time");
    }
}

#[test]
fn what_is_offered_by_a_plugin_that_fails_to_register_may_ask_when_it_is_dropped() {
    // R-STF-07
    bounded(|| async {
        let (handle, diary) = (Handle::default(), Diary::default());
        let plugin = Halfway(handle.clone(), diary.clone());
        let runtime = PluginRuntime::builder().plugin(plugin).init().await.unwrap();
        *handle.lock().unwrap() = Some(runtime.clone());
        let Err(error) = runtime.create_session("one").await else { panic!("it fails to register") };
        assert!(matches!(error, ChangeError::Reverted { .. }), "{error}");
        assert_eq!(diary.take(), "service: told true");
    });
}
