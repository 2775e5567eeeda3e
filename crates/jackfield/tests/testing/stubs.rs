//! Hooks called by hand, in scopes made by hand.

use std::sync::Mutex;

use jackfield::{
    Context, GlobalContext, GlobalPlugin, Kind, ResolveError, Service,
    prelude::*,
    testing::{StubConfig, StubGlobal, StubSession, settings_change},
};
use serde_json::json;

trait Greeter: Send + Sync {
    fn greet(&self) -> String;
}
const GREETER: Slot<dyn Greeter> = Slot::new("chat.greeter");

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Tone {
    words: String,
}

struct Says(Live<Tone>);
impl Greeter for Says {
    fn greet(&self) -> String {
        self.0.load().words.clone()
    }
}
struct Fixed(&'static str);
impl Greeter for Fixed {
    fn greet(&self) -> String {
        self.0.to_owned()
    }
}

/// What the plugin under test hears.
struct Heard(Vec<String>);

/// Answers with what it finds in the slot and in its configuration.
struct Echo;
impl Plugin for Echo {
    fn manifest(&self) -> Manifest {
        Manifest::new("echo").config::<Tone>()
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(GREETER).priority(Priority::HIGH).configured(|tone| Arc::new(Says(tone)));
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let (greeter, tone) = (cx.resolve(GREETER)?, cx.config::<Tone>()?);
        cx.on(move |heard: &mut Envelope<Heard>| {
            heard.0.extend([greeter.greet(), tone.load().words.clone()]);
        });
        cx.request_change(|settings| settings.disable("other"));
        Ok(())
    }
    async fn settings_changed(&self, _: &SessionContext, change: &SettingsChange) -> PluginResult {
        match change.config::<Tone>() {
            Some((old, new)) if old != new => Err(format!("{} → {}", old.words, new.words).into()),
            _ => Ok(()),
        }
    }
}

fn hear(session: &StubSession) -> Vec<String> {
    session.bus().emit_sync(Heard(Vec::new())).unwrap().into_inner().0
}

#[test]
fn a_stub_has_a_real_registry_and_a_real_bus_with_nothing_in_them() {
    // R-TST-01
    let session = StubSession::<(), ()>::default();
    assert!(session.slots().is_empty());
    assert_eq!(session.bus().subscriptions(), 0);
    assert!(matches!(session.resolve(GREETER), Err(ResolveError::NotRegistered { .. })));
    assert!(hear(&session).is_empty());
}

#[tokio::test]
async fn a_plugin_registers_and_attaches_with_a_configuration_that_the_test_writes() {
    // R-TST-02
    let session = StubSession::default();
    session.register(&Echo).unwrap();
    let tone = StubConfig::new(Tone { words: "first".into() });
    let cx = session.context_with(&Echo, &tone);
    Echo.attach(&cx).await.unwrap();
    assert_eq!(hear(&session), ["", "first"]);

    let change = tone.change(Tone { words: "second".into() });
    assert_eq!(Echo.settings_changed(&cx, &change).await.unwrap_err().to_string(), "first → second");
    assert_eq!(hear(&session), ["", "second"]);

    Echo.detach(&cx).await.unwrap();
    assert_eq!(cx.held(), 1);
    assert!(cx.release().await.is_empty());
    assert_eq!((cx.held(), session.bus().subscriptions()), (0, 0));
}

#[test]
fn a_context_that_is_dropped_ends_what_it_kept() {
    let session = StubSession::<(), ()>::default();
    let cx = session.context(&Echo).unwrap();
    cx.on(|_: &mut Envelope<Heard>| ());
    assert_eq!(session.bus().subscriptions(), 1);
    drop(cx);
    assert_eq!(session.bus().subscriptions(), 0);
}

#[tokio::test]
async fn changes_that_hooks_ask_for_are_there_to_be_looked_at_and_made_nowhere() {
    let session = StubSession::default();
    session.fake(GREETER, Arc::new(Fixed("x")));
    let cx = session.context(&Echo).unwrap();
    Echo.attach(&cx).await.unwrap();
    let before = RuntimeSettings::default();
    assert_eq!(cx.requested(&before), before.with(|settings| settings.disable("other")));
    assert_eq!(cx.requested(&before), before, "each is seen once");
}

#[test]
fn a_service_is_tested_alone_with_a_table_as_settings_hold_it() {
    // R-TST-03
    let table = json!({ "words": "good evening" });
    let tone = StubConfig::<Tone>::read(table.as_object().unwrap()).unwrap();
    let says = Says(tone.live());
    assert_eq!(says.greet(), "good evening");
    tone.set(Tone { words: "good night".into() });
    assert_eq!(says.greet(), "good night");

    let wrong = json!({ "words": 7 });
    let problem = StubConfig::<Tone>::read(wrong.as_object().unwrap()).unwrap_err();
    assert_eq!(problem.0[0].path.to_string(), "words");
}

#[test]
fn configurations_come_from_settings_where_there_are_some() {
    let toml = "plugins.echo.config.words = 'a'\nservices.'*:chat.greeter'.config.words = 'b'";
    let global = StubGlobal::with_settings((), RuntimeSettings::from_toml(toml).unwrap());
    let session = global.session("one", ());
    session.register(&Echo).unwrap();
    let cx = session.context(&Echo).unwrap();
    assert_eq!(cx.config::<Tone>().unwrap().load().words, "a");
    assert_eq!(session.resolve(GREETER).unwrap().greet(), "b");

    let wrong = RuntimeSettings::from_toml("services.'echo:chat.greeter'.config.tone = 1").unwrap();
    let session = StubGlobal::with_settings((), wrong).session("two", ());
    let problems = session.register(&Echo).unwrap_err().to_string();
    assert!(problems.starts_with("services.\"echo:chat.greeter\".config.tone: unknown field"), "{problems}");
}

#[test]
fn a_fake_outranks_what_is_under_test_and_the_last_fake_counts() {
    // R-TST-04
    let session = StubSession::default();
    session.fake(GREETER, Arc::new(Fixed("fake")));
    session.register(&Echo).unwrap();
    assert_eq!(session.resolve(GREETER).unwrap().greet(), "fake");
    session.fake(GREETER, Arc::new(Fixed("other")));
    assert_eq!(session.resolve(GREETER).unwrap().greet(), "other");
    let candidates = session.candidates(&GREETER.id());
    let candidates: Vec<_> = candidates.iter().map(|one| (one.plugin.as_str(), one.priority)).collect();
    assert_eq!(candidates, [("fake", Priority::SYSTEM), ("echo", Priority::HIGH)]);
}

#[test]
fn exactly_those_plugins_take_part_that_were_registered() {
    // R-TST-05
    let session = StubSession::default();
    let (echo, other) = (PluginId::new("echo"), PluginId::new("other"));
    session.register(&Echo).unwrap();
    session.declare(&other, |services| services.provide(GREETER).value(Arc::new(Fixed("other")))).unwrap();
    session.register(&Echo).unwrap();
    let winner = || session.winner(&GREETER.id());
    assert_eq!((winner(), session.candidates(&GREETER.id()).len()), (Some(echo.clone()), 2));
    assert_eq!(session.resolve_after(&echo, GREETER).unwrap().greet(), "other");
    session.withdraw(&echo);
    assert_eq!(winner(), Some(other));
}

#[derive(Default)]
struct Begun(Arc<Mutex<bool>>);
impl Greeter for Begun {
    fn greet(&self) -> String {
        self.0.lock().unwrap().to_string()
    }
}
impl Service for Begun {
    fn attach(&self, _: &Context) -> PluginResult {
        *self.0.lock().unwrap() = true;
        Ok(())
    }
}

#[test]
fn services_with_a_life_of_their_own_are_built_and_not_begun() {
    // R-TST-02
    let session = StubSession::<(), ()>::default();
    let plugin = PluginId::new("stateful");
    let declare = |services: &mut Registrar<'_>| {
        services.provide(GREETER).stateful(|_| Ok(Arc::new(Begun::default())), |begun| begun);
    };
    session.declare(&plugin, declare).unwrap();
    assert_eq!(session.candidates(&GREETER.id())[0].kind, Kind::Singleton);
    assert_eq!(session.resolve(GREETER).unwrap().greet(), "false");
}

/// Tells every session what it is told.
struct Town;
impl GlobalPlugin<String> for Town {
    fn manifest(&self) -> Manifest {
        Manifest::new("town")
    }
    async fn attach(&self, cx: &GlobalContext<String>) -> PluginResult {
        for session in cx.sessions() {
            session.bus().emit(Heard(vec![cx.data().to_string()])).await?;
        }
        Ok(())
    }
    async fn settings_changed(&self, _: &GlobalContext<String>, change: &SettingsChange) -> PluginResult {
        assert!(!change.config_changed());
        assert_ne!(change.old_settings(), change.new_settings());
        Ok(())
    }
}

#[tokio::test]
async fn a_global_plugin_sees_the_sessions_made_from_its_scope() {
    // R-TST-05, F-34
    let global = StubGlobal::new("hear ye".to_owned());
    let (one, _two) = (global.session("one", ()), global.session("two", 2));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let copy = Arc::clone(&heard);
    let _listening =
        one.bus().on(move |said: &mut Envelope<Heard>| copy.lock().unwrap().extend(said.0.clone())).unwrap();
    let cx = global.context(&Town).unwrap();
    assert_eq!(cx.sessions().len(), 2);
    Town.attach(&cx).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), ["hear ye"]);

    let old = RuntimeSettings::default();
    let change = settings_change(old.clone(), old.with(|settings| settings.disable("echo")));
    Town.settings_changed(&cx, &change).await.unwrap();
    assert_eq!(**one.global().data(), "hear ye");
}
