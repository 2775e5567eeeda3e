//! Services with a life of their own, handles that follow a slot, and answers to "why".

use std::sync::Arc;

use jackfield::{ChangeError, Context, Resolver, Service, SlotId, prelude::*};
use jackfield_testkit::{Diary, Probe};

struct Beat;

const PLAYER: Slot<Player> = Slot::new("player");
const LAZY: Slot<Player> = Slot::new("lazy");

struct Player {
    name: &'static str,
    diary: Diary,
}
impl Service for Player {
    fn attach(&self, cx: &Context) -> PluginResult {
        self.diary.write(format!("+{}", self.name));
        let (diary, name) = (self.diary.clone(), self.name);
        cx.on(move |_: &mut Envelope<Beat>| diary.write(name));
        if self.diary.take_note("refuse") { Err("it was told to refuse".into()) } else { Ok(()) }
    }
    async fn detach(&self, _: &Context) -> PluginResult {
        self.diary.write(format!("-{}", self.name));
        Ok(())
    }
}

struct Band(Diary);
impl Plugin for Band {
    fn manifest(&self) -> Manifest {
        Manifest::new("band")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        for (slot, name, lazy) in [(PLAYER, "player", false), (LAZY, "lazy", true)] {
            let diary = self.0.clone();
            let make = move |_: &Resolver<'_>| Ok(Arc::new(Player { name, diary: diary.clone() }));
            let offering = services.provide(slot);
            if lazy {
                offering.stateful_lazy(make, |player| player);
            } else {
                offering.stateful(make, |player| player);
            }
        }
    }
    async fn attach(&self, _: &SessionContext) -> PluginResult {
        self.0.write("+band");
        Ok(())
    }
    async fn detach(&self, _: &SessionContext) -> PluginResult {
        self.0.write("-band");
        Ok(())
    }
}

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

async fn band(diary: &Diary) -> (PluginRuntime, Session) {
    let runtime = PluginRuntime::builder().plugin(Band(diary.clone())).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    (runtime, session)
}

#[tokio::test]
async fn a_service_attaches_before_its_plugin_and_detaches_after_it() {
    // R-STF-02, R-STF-05, J-01
    let diary = Diary::default();
    let (_runtime, session) = band(&diary).await;
    assert_eq!(diary.take(), "+player +band");
    let bus = session.bus().clone();
    drop(bus.emit_sync(Beat).unwrap());
    drop(session.close().await.unwrap());
    assert_eq!(diary.take(), "player -band -player");
    assert_eq!(bus.subscriptions(), 0);
}

#[tokio::test]
async fn a_lazy_service_begins_when_it_is_first_looked_up() {
    // J-12, F-19, R-STF-18
    let diary = Diary::default();
    let (_runtime, session) = band(&diary).await;
    diary.take();
    let first = session.resolve(LAZY).unwrap();
    assert!(Arc::ptr_eq(&first, &session.resolve(LAZY).unwrap()));
    assert_eq!(diary.take(), "+lazy");
    drop(session.bus().emit_sync(Beat).unwrap());
    assert_eq!(diary.take(), "player lazy");
    drop(session.close().await.unwrap());
    assert_eq!(diary.take(), "-band -lazy -player");
}

#[tokio::test]
async fn disabling_a_service_detaches_it_while_its_plugin_stays() {
    // R-RES-15, R-SET-17
    let diary = Diary::default();
    let (runtime, session) = band(&diary).await;
    let before = session.resolve(PLAYER).unwrap();
    diary.take();
    runtime.update_settings(settings("services.'band:player'.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "-player");
    drop(session.bus().emit_sync(Beat).unwrap());
    assert_eq!(diary.take(), "");
    runtime.update_settings(settings("")).await.unwrap();
    assert_eq!(diary.take(), "+player");
    assert!(Arc::ptr_eq(&before, &session.resolve(PLAYER).unwrap()));
}

#[tokio::test]
async fn a_service_that_is_disabled_from_the_start_never_attaches() {
    // R-RES-14, R-RES-17
    let diary = Diary::default();
    let off = settings("services.'*:player'.enabled = false");
    let runtime = PluginRuntime::builder().plugin(Band(diary.clone())).settings(off).init().await.unwrap();
    drop(runtime.create_session("one").await.unwrap().close().await.unwrap());
    assert_eq!(diary.take(), "+band -band");
}

#[tokio::test]
async fn a_service_that_fails_to_attach_takes_the_change_back_and_leaves_nothing() {
    // R-STF-12
    let diary = Diary::default();
    let off = settings("plugins.band.enabled = false");
    let runtime = PluginRuntime::builder().plugin(Band(diary.clone())).settings(off).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    diary.note("refuse");
    let error = runtime.update_settings(settings("")).await.unwrap_err();
    let ChangeError::Reverted { failures } = error else { panic!("{error}") };
    assert_eq!(
        failures[0].to_string(),
        "service `player` of plugin `band` failed to attach in session `one`: it was told to refuse"
    );
    assert_eq!(session.bus().subscriptions(), 0);
}

#[tokio::test]
async fn a_lazy_service_that_fails_to_attach_is_not_there_and_may_be_tried_again() {
    let diary = Diary::default();
    let (_runtime, session) = band(&diary).await;
    diary.note("refuse");
    assert!(session.resolve(LAZY).is_err());
    assert_eq!(session.bus().subscriptions(), 1, "only that of the player");
    assert!(session.resolve(LAZY).is_ok());
}

const VOICE: Slot<str> = Slot::new("voice");

#[tokio::test]
async fn a_watch_follows_its_slot_through_every_change() {
    // R-RES-12
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::HIGH))
        .plugin(Probe::new("b", &diary).offers(VOICE, Priority::LOW))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let mut voice = session.watch(VOICE);
    assert_eq!(&**voice.get().unwrap(), "a 1");
    runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap();
    assert!(voice.changed().await);
    assert_eq!(&**voice.get().unwrap(), "b 1");
    runtime.update_settings(settings("plugins.a = { enabled = false, config.x = 1 }")).await.unwrap();
    runtime.update_settings(settings("")).await.unwrap();
    assert!(voice.changed().await, "the change that did not concern it is passed over");
    assert_eq!(&**voice.get().unwrap(), "a 2");
    drop(session.close().await.unwrap());
    assert!(voice.changed().await, "nobody has it any more");
    assert!(!voice.changed().await, "and nobody ever will");
    assert!(voice.get().is_err());
}

#[tokio::test]
async fn a_watch_that_is_asked_again_lets_go_of_who_won_before() {
    // R-RES-12
    let diary = Diary::default();
    let a = Probe::new("a", &diary).offers(VOICE, Priority::HIGH);
    let runtime = PluginRuntime::builder().plugin(a).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let mut voice = session.watch(VOICE);
    let before = Arc::downgrade(voice.get().unwrap());
    runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap();
    assert!(voice.get().is_err());
    assert!(before.upgrade().is_none());
}

#[tokio::test]
async fn why_tells_the_chain_of_causes() {
    // J-16
    let diary = Diary::default();
    let off = settings(
        "plugins.a.enabled = false\nservices.'b:voice'.priority = 7\nservices.'b:voice'.config.x = 1",
    );
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::HIGH))
        .plugin(Probe::new("b", &diary).offers(VOICE, Priority::LOW))
        .plugin(Probe::new("c", &diary).needs("a"))
        .settings(off)
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    let why = |id: &'static str| runtime.why(&PluginId::new(id)).unwrap().to_string();
    assert_eq!(
        why("c"),
        "`c` is off in session `one`: needs a, which is off\n  `a` is off in session `one`: settings\n    \
         plugins.a.enabled = false"
    );
    assert_eq!(why("b"), "`b` is on in session `one`: on by default");
    assert_eq!(
        runtime.why_slot(&VOICE.id()).unwrap().to_string(),
        "`b` has `voice` in session `one`\n  `b`: priority 7 (services.\"b:voice\".priority; it asks for 100)\n  \
         `a` would offer it, and is off: settings"
    );
    assert_eq!(
        runtime.why_config(&PluginId::new("b"), Some(&VOICE.id())).unwrap().to_string(),
        "the configuration of `voice` of `b` in session `one` is written at services.\"b:voice\".config\n  {\"x\":1}"
    );
    assert!(runtime.why(&PluginId::new("nobody")).is_none());
    assert!(runtime.why_slot(&SlotId::new("nothing")).is_none());
}

#[tokio::test]
async fn a_broadcast_has_one_outcome_a_session() {
    // R-CTX-10, R-CTX-11, J-14
    let diary = Diary::default();
    let runtime = PluginRuntime::builder().plugin(Probe::new("a", &diary)).init().await.unwrap();
    let (one, two) =
        (runtime.create_session("one").await.unwrap(), runtime.create_session("two").await.unwrap());
    let _double = one.bus().on(|number: &mut Envelope<i32>| **number *= 2).unwrap();
    let _fail = two.bus().on(|_: &mut Envelope<i32>| -> Result<(), BoxError> { Err("no".into()) }).unwrap();
    let outcomes = runtime.broadcast(21).await;
    assert_eq!(**outcomes[0].1.as_ref().unwrap(), 42);
    assert!(outcomes[1].1.is_err());
    assert_eq!(runtime.session_running(&PluginId::new("a")).unwrap().name(), one.scope().name());
}
