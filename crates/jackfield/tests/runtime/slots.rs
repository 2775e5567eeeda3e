//! Who wins a slot, and what settings make of it.

use std::sync::Arc;

use jackfield::{
    FeatureFlag, InitError, Kind, Manifest, Plugin, PluginResult, PluginRuntime, Priority, Registrar,
    ResolveError, RuntimeSettings, Session, SessionContext, Slot, SlotId,
};
use jackfield_testkit::{Diary, Probe};

const VOICE: Slot<str> = Slot::new("voice");

/// `a` asks for 1000, `b` for 500, `c` for 500 too, `d` for 100.
async fn session(toml: &str) -> (PluginRuntime, Session) {
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::ELEVATED))
        .plugin(Probe::new("b", &diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("c", &diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("d", &diary).offers(VOICE, Priority::LOW).flag(FeatureFlag::EXPERIMENTAL))
        .settings(RuntimeSettings::from_toml(toml).unwrap())
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    (runtime, session)
}

/// The candidates in force, best first.
async fn ranking(toml: &str) -> String {
    let (_runtime, session) = session(toml).await;
    let candidates = session.candidates(&VOICE.id()).into_iter().filter(|candidate| candidate.enabled);
    candidates.map(|candidate| candidate.plugin.to_string()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_highest_priority_wins_and_among_equals_whoever_was_added_first() {
    // R-REG-03, R-REG-04, F-26
    assert_eq!(ranking("").await, "a b c");
    assert_eq!(ranking("plugins.d.enabled = true").await, "a b c d");
}

#[tokio::test]
async fn settings_change_priorities_and_close_candidates() {
    // R-RES-03, R-OVR-18
    assert_eq!(ranking("services.'c:voice'.priority = 2000").await, "c a b");
    assert_eq!(ranking("services.'a:voice'.enabled = false").await, "b c");
}

#[tokio::test]
async fn a_wildcard_counts_for_the_winner_by_base_and_specific_priority() {
    // J-06: R-OVR-11 to R-OVR-15, without F-01 to F-04
    assert_eq!(ranking("services.'*:voice'.priority = 200").await, "b c a");
    assert_eq!(
        ranking("services.'*:voice'.priority = 200\nservices.'b:voice'.priority = 3000").await,
        "b a c"
    );
    assert_eq!(ranking("services.'*:voice'.enabled = false").await, "");
}

#[tokio::test]
async fn applying_the_same_settings_twice_changes_nothing() {
    // F-02, F-04
    let toml = "services.'*:voice'.priority = 200";
    let (runtime, _session) = session(toml).await;
    let again = RuntimeSettings::from_toml(toml).unwrap();
    assert!(runtime.plan(&again).unwrap().is_empty());
}

#[tokio::test]
async fn the_next_best_is_whoever_comes_after() {
    // R-RES-05, R-RES-07
    let (_runtime, session) = session("").await;
    let [a, c] = ["a", "c"].map(|id| jackfield::PluginId::new(id));
    assert_eq!(&*session.resolve_after(&a, VOICE).unwrap(), "b 1");
    assert!(matches!(session.resolve_after(&c, VOICE), Err(ResolveError::NobodyAfter { .. })));
}

#[tokio::test]
async fn nobody_and_everybody_disabled_are_told_apart() {
    // R-RES-02, R-RES-04
    const NOTHING: Slot<str> = Slot::new("nothing");
    let (_runtime, session) = session("services.'*:voice'.enabled = false").await;
    assert!(matches!(session.resolve(NOTHING), Err(ResolveError::NotRegistered { .. })));
    let error = session.resolve(VOICE).unwrap_err();
    assert_eq!(error.to_string(), "every candidate for `voice` is disabled (a, b, c)");
    assert_eq!(session.get(VOICE), Ok(None));
}

#[tokio::test]
async fn a_plan_says_which_slots_change_hands() {
    let (runtime, _session) = session("").await;
    let next = RuntimeSettings::from_toml("plugins.a.enabled = false").unwrap();
    assert_eq!(runtime.plan(&next).unwrap().to_string(), "- a   (settings)   voice: a → b");
    let next = RuntimeSettings::from_toml("services.'c:voice'.priority = 2000").unwrap();
    assert_eq!(runtime.plan(&next).unwrap().to_string(), "~ voice   (settings)   a → c");
}

#[tokio::test]
async fn a_plan_is_the_same_twice_and_another_for_another_change() {
    let (runtime, _session) = session("").await;
    let plan = |toml: &str| runtime.plan(&RuntimeSettings::from_toml(toml).unwrap()).unwrap().hash();
    assert_eq!(plan("plugins.a.enabled = false"), plan("plugins.a.enabled = false"));
    assert_ne!(plan("plugins.a.enabled = false"), plan("plugins.b.enabled = false"));
}

struct Kinds;
const LAZY: Slot<str> = Slot::new("lazy");
const FACTORY: Slot<str> = Slot::new("factory");
const EGGS: Slot<str> = Slot::new("eggs");
const HENS: Slot<str> = Slot::new("hens");
struct Languages(&'static [&'static str]);
impl Plugin for Kinds {
    fn manifest(&self) -> Manifest {
        Manifest::new("kinds")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(LAZY).capability(Languages(&["en"])).lazy(|services| {
            let made: Arc<str> = services.resolve(FACTORY)?;
            Ok(format!("lazy over {made}").into())
        });
        services.provide(FACTORY).factory(|_| Ok("new".into()));
        services.provide(EGGS).lazy(|services| Ok(services.resolve(HENS)?));
        services.provide(HENS).lazy(|services| Ok(services.resolve(EGGS)?));
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        assert_eq!(cx.candidates(&LAZY.id())[0].kind, Kind::Lazy);
        Ok(())
    }
}

#[tokio::test]
async fn a_lazy_is_built_once_and_a_factory_every_time() {
    // R-REG-01
    let runtime = PluginRuntime::builder().plugin(Kinds).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(&*session.resolve(LAZY).unwrap(), "lazy over new");
    assert!(Arc::ptr_eq(&session.resolve(LAZY).unwrap(), &session.resolve(LAZY).unwrap()));
    assert!(!Arc::ptr_eq(&session.resolve(FACTORY).unwrap(), &session.resolve(FACTORY).unwrap()));
}

#[tokio::test]
async fn a_factory_makes_one_service_for_a_reader_until_something_changes() {
    // R-REG-01
    let diary = Diary::default();
    let builder = PluginRuntime::builder()
        .plugin(Kinds)
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL));
    let runtime = builder.init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let mut reader = session.reader();
    let first = Arc::clone(reader.get(FACTORY).unwrap());
    assert!(Arc::ptr_eq(&first, reader.get(FACTORY).unwrap()));
    runtime.update_settings(RuntimeSettings::from_toml("plugins.a.enabled = false").unwrap()).await.unwrap();
    assert!(!Arc::ptr_eq(&first, reader.get(FACTORY).unwrap()));
}

#[tokio::test]
async fn a_capability_is_read_without_building() {
    // R-RES-09
    let runtime = PluginRuntime::builder().plugin(Kinds).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(session.capability::<Languages>(&LAZY.id()).unwrap().0, ["en"]);
    assert!(session.capability::<Languages>(&SlotId::new("factory")).is_none());
}

#[tokio::test]
async fn services_that_need_each_other_are_an_error_and_no_deadlock() {
    let runtime = PluginRuntime::builder().plugin(Kinds).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let error = session.resolve(EGGS).unwrap_err();
    assert!(error.to_string().ends_with("it needs itself to be built"), "{error}");
}

struct OtherVoice;
impl Plugin for OtherVoice {
    fn manifest(&self) -> Manifest {
        Manifest::new("other")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide::<u32>(Slot::new("voice")).singleton(|_| Arc::new(1));
    }
}

#[tokio::test]
async fn one_slot_with_two_types_is_found_when_the_plugin_is_added() {
    // R-REG-11, F-32
    let diary = Diary::default();
    let builder = PluginRuntime::builder().plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL));
    let error = builder.plugin(OtherVoice).init().await.unwrap_err();
    assert!(matches!(error, InitError::Plugin(_)));
    assert_eq!(error.to_string(), "`other` offers `voice` as `u32`, `a` as `str`");
}

#[tokio::test]
async fn two_plugins_of_one_name_do_not_go_together() {
    // R-PLG-04
    let diary = Diary::default();
    let builder = PluginRuntime::builder().plugin(Probe::new("a", &diary)).plugin(Probe::new("a", &diary));
    assert_eq!(builder.init().await.unwrap_err().to_string(), "there are two plugins called `a`");
}
