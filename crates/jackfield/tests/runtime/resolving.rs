//! Looking services up: who is found, who comes after, what is said when there is nobody, and what is never built.

use std::sync::Arc;

use jackfield::{CandidateInfo, Context, Kind, Namespace, ResolveError, Service, SlotId, prelude::*};
use jackfield_testkit::{Diary, Probe};

const VOICE: Slot<str> = Slot::new("voice");

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

/// `a` before `b` before `c`.
async fn session(toml: &str) -> (PluginRuntime, Session) {
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("c", &diary).offers(VOICE, Priority::LOW))
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::HIGH))
        .plugin(Probe::new("b", &diary).offers(VOICE, Priority::NORMAL))
        .settings(settings(toml))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    (runtime, session)
}

fn after(session: &Session, plugin: &'static str) -> Result<String, ResolveError> {
    session.resolve_after(&PluginId::new(plugin), VOICE).map(|voice| voice.to_string())
}

#[tokio::test]
async fn the_first_candidate_that_takes_part_is_found() {
    // R-RES-01, R-RES-03
    assert_eq!(&*session("").await.1.resolve(VOICE).unwrap(), "a 1");
    assert_eq!(&*session("services.'a:voice'.enabled = false").await.1.resolve(VOICE).unwrap(), "b 1");
}

#[tokio::test]
async fn a_wrong_type_is_an_error_also_for_whoever_takes_nothing_for_an_answer() {
    // R-RES-04
    const MISTAKE: Slot<u32> = Slot::new("voice");
    let (_runtime, session) = session("").await;
    let error = session.get(MISTAKE).unwrap_err();
    assert_eq!(error.to_string(), "slot `voice` holds `str`, not `u32`");
    assert_eq!(session.resolve(MISTAKE).unwrap_err(), error);
    assert_eq!(session.get(Slot::<u32>::new("nothing")), Ok(None));
}

#[tokio::test]
async fn whoever_is_disabled_still_has_somebody_after_it() {
    // R-RES-05, R-RES-06
    let (_runtime, session) = session("services.'a:voice'.enabled = false").await;
    assert_eq!(after(&session, "a").unwrap(), "b 1");
    assert_eq!(after(&session, "b").unwrap(), "c 1");
}

#[tokio::test]
async fn nobody_after_has_three_reasons() {
    // R-RES-07
    let (_runtime, session) =
        session("services.'b:voice'.enabled = false\nservices.'c:voice'.enabled = false").await;
    let nothing = session.resolve_after(&PluginId::new("a"), Slot::<str>::new("nothing"));
    assert!(matches!(nothing, Err(ResolveError::NotRegistered { .. })));
    for plugin in ["c", "nobody"] {
        assert!(matches!(after(&session, plugin), Err(ResolveError::NobodyAfter { .. })), "{plugin}");
    }
    let Err(ResolveError::Disabled { plugins, .. }) = after(&session, "a") else {
        panic!("all are disabled")
    };
    assert_eq!(plugins, [PluginId::new("b"), PluginId::new("c")]);
}

#[tokio::test]
async fn the_winning_candidate_is_shown_or_the_reason_why_there_is_none() {
    // R-RES-08
    let (runtime, session) = session("").await;
    let a = CandidateInfo {
        plugin: PluginId::new("a"),
        kind: Kind::Singleton,
        base_priority: Priority::HIGH,
        priority: Priority::HIGH,
        enabled: true,
    };
    assert_eq!(session.candidate(&VOICE.id()), Ok(a));
    runtime.update_settings(settings("services.'*:voice'.enabled = false")).await.unwrap();
    assert_eq!(session.candidate(&VOICE.id()).unwrap_err(), session.resolve(VOICE).unwrap_err());
    let nothing = SlotId::new("nothing");
    assert_eq!(session.candidate(&nothing), Err(ResolveError::NotRegistered { slot: nothing.clone() }));
    assert_eq!((session.winner(&VOICE.id()), session.winner(&nothing)), (None, None));
}

struct Language(&'static str);
struct Loud;

/// Speaks two languages, and cannot be built.
struct Polyglot(&'static str, Priority, [&'static str; 2]);
impl Plugin for Polyglot {
    fn manifest(&self) -> Manifest {
        Manifest::new(self.0)
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let [one, two] = self.2.map(Language);
        let offering = services.provide(Slot::<str>::new("speech.voice")).priority(self.1);
        offering.capability(one).capability(Loud).capability(two).lazy(|_| Err("nobody may build it".into()));
    }
}

async fn polyglots(toml: &str) -> Session {
    let runtime = PluginRuntime::builder()
        .plugin(Polyglot("a", Priority::HIGH, ["en", "fr"]))
        .plugin(Polyglot("b", Priority::LOW, ["de", "nl"]))
        .settings(settings(toml))
        .init()
        .await
        .unwrap();
    runtime.create_session("one").await.unwrap()
}

#[tokio::test]
async fn a_capability_is_that_of_the_winner_and_the_first_of_its_type() {
    // R-RES-09, R-RES-10
    let slot = SlotId::new("speech.voice");
    let language = |session: &Session| session.capability::<Language>(&slot).map(|language| language.0);
    assert_eq!(language(&polyglots("").await), Some("en"));
    assert_eq!(language(&polyglots("services.'a:speech.voice'.enabled = false").await), Some("de"));
    let closed = polyglots("services.'*:speech.voice'.enabled = false").await;
    assert_eq!(
        (language(&closed), closed.capability::<Language>(&SlotId::new("nothing")).is_none()),
        (None, true)
    );
    let session = polyglots("").await;
    assert!(session.capability::<Loud>(&slot).is_some() && session.capability::<u8>(&slot).is_none());
}

#[tokio::test]
async fn all_capabilities_of_a_namespace_are_listed_those_of_losers_and_of_the_disabled_too() {
    // R-RES-11
    let session = polyglots("services.'a:speech.voice'.enabled = false").await;
    let found = session.capabilities_in::<Language>(&Namespace::new("speech"));
    let shown: Vec<_> = found.iter().map(|(_, plugin, language)| (plugin.as_str(), language.0)).collect();
    assert_eq!(shown, [("a", "en"), ("a", "fr"), ("b", "de"), ("b", "nl")]);
    assert!(session.capabilities_in::<Language>(&Namespace::new("spee")).is_empty());
}

#[tokio::test]
async fn a_change_is_seen_by_the_very_next_lookup() {
    // R-RES-12
    let (runtime, session) = session("").await;
    let (scope, mut voice, mut reader) = (session.scope().clone(), session.watch(VOICE), session.reader());
    for (toml, winner) in [
        ("services.'c:voice'.priority = 9000", "c 1"),
        ("services.'c:voice'.enabled = false", "a 1"),
        ("plugins.a.enabled = false", "b 1"),
    ] {
        runtime.update_settings(settings(toml)).await.unwrap();
        assert_eq!((&*scope.resolve(VOICE).unwrap(), &**voice.get().unwrap()), (winner, winner));
        assert_eq!(&**reader.get(VOICE).unwrap(), winner);
    }
}

#[tokio::test]
async fn a_reader_says_why_there_is_nothing_as_the_registry_does() {
    // R-RES-04
    const MISTAKE: Slot<u32> = Slot::new("voice");
    let (runtime, session) = session("").await;
    let mut reader = session.reader();
    assert_eq!(reader.get(MISTAKE).unwrap_err(), session.resolve(MISTAKE).unwrap_err());
    reader.get(VOICE).unwrap();
    assert_eq!(reader.get(MISTAKE).unwrap_err(), session.resolve(MISTAKE).unwrap_err());
    runtime.update_settings(settings("services.'*:voice'.enabled = false")).await.unwrap();
    assert_eq!(reader.get(VOICE).unwrap_err(), session.resolve(VOICE).unwrap_err());
    drop(session.close().await.unwrap());
    assert!(matches!(reader.get(VOICE), Err(ResolveError::NotRegistered { .. })));
}

#[tokio::test]
async fn a_reader_lets_go_of_what_it_gave_when_it_is_asked_again_after_a_change() {
    // R-RES-12
    let (runtime, session) = session("").await;
    let mut reader = session.reader();
    let before = Arc::downgrade(reader.get(VOICE).unwrap());
    runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap();
    assert_eq!(&*before.upgrade().unwrap(), "a 1", "the reader has it still");
    assert!(reader.get(Slot::<u32>::new("nothing")).is_err());
    assert!(before.upgrade().is_none());
}

#[tokio::test]
async fn each_of_many_slots_is_found_by_its_own_id() {
    // R-RES-01
    struct Many(Vec<Slot<usize>>);
    impl Plugin for Many {
        fn manifest(&self) -> Manifest {
            Manifest::new("many")
        }
        fn register(&self, services: &mut Registrar<'_>) {
            for (number, slot) in self.0.iter().enumerate() {
                services.provide(*slot).value(Arc::new(number));
            }
        }
    }
    // Of all lengths, and so alike that their places must collide.
    let ids = (0..1000).map(|n| format!("{}{n}", "a".repeat(n % 40)));
    let slots: Vec<_> = ids.map(|id| Slot::new(&*Box::leak(id.into_boxed_str()))).collect();
    let runtime = PluginRuntime::builder().plugin(Many(slots.clone())).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let mut reader = session.reader();
    for (number, slot) in slots.iter().enumerate() {
        let by_id = session.resolve_id::<usize>(&SlotId::parse(slot.id().as_str()).unwrap()).unwrap();
        assert_eq!(
            (*session.resolve(*slot).unwrap(), *by_id, **reader.get(*slot).unwrap()),
            (number, number, number)
        );
    }
    for (number, slot) in slots.iter().enumerate() {
        assert_eq!(**reader.get(*slot).unwrap(), number);
    }
}

#[tokio::test]
async fn slots_whose_ids_begin_at_one_address_are_told_apart() {
    // R-RES-01
    const LONG: &str = "voice.of.one";
    const SHORT: Slot<u32> = Slot::new(LONG.split_at(5).0);
    struct Both;
    impl Plugin for Both {
        fn manifest(&self) -> Manifest {
            Manifest::new("both")
        }
        fn register(&self, services: &mut Registrar<'_>) {
            services.provide(SHORT).value(Arc::new(5));
            services.provide::<u32>(Slot::new(LONG)).value(Arc::new(12));
        }
    }
    let session = PluginRuntime::builder().plugin(Both).init().await.unwrap();
    let session = session.create_session("one").await.unwrap();
    let mut reader = session.reader();
    for _ in 0..2 {
        assert_eq!((**reader.get(SHORT).unwrap(), **reader.get(Slot::<u32>::new(LONG)).unwrap()), (5, 12));
        assert_eq!(
            (*session.resolve(SHORT).unwrap(), *session.resolve(Slot::<u32>::new(LONG)).unwrap()),
            (5, 12)
        );
    }
}

/// Looks a slot up from wherever it is.
struct Everywhere(Diary);
const MEMBER: Slot<Member> = Slot::new("member");
struct Member(Diary);
impl Service for Member {
    fn attach(&self, cx: &Context) -> PluginResult {
        self.0.write(format!("service:{}", cx.resolve(VOICE)?));
        Ok(())
    }
}
impl Plugin for Everywhere {
    fn manifest(&self) -> Manifest {
        Manifest::new("everywhere").depends_on("a")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let diary = self.0.clone();
        services.provide(MEMBER).stateful(move |_| Ok(Arc::new(Member(diary.clone()))), |member| member);
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        self.0.write(format!("context:{}", cx.resolve(VOICE)?));
        self.0.write(format!("scope:{}", cx.scope().resolve(VOICE)?));
        self.0.write(format!("registry:{}", cx.scope().registry().resolve(VOICE)?));
        Ok(())
    }
}

#[tokio::test]
async fn a_slot_is_looked_up_in_the_same_way_from_everywhere() {
    // R-RES-13
    let (diary, other) = (Diary::default(), Diary::default());
    let builder = PluginRuntime::builder().plugin(Probe::new("a", &other).offers(VOICE, Priority::NORMAL));
    let runtime = builder.plugin(Everywhere(diary.clone())).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(diary.take(), "service:a 1 context:a 1 scope:a 1 registry:a 1");
    assert_eq!(session.resolve(VOICE), session.registry().resolve(VOICE));
}

#[tokio::test]
async fn a_service_that_is_disabled_under_a_plugin_that_is_off_does_nothing_at_all() {
    // R-RES-16
    let (diary, other) = (Diary::default(), Diary::default());
    let builder = PluginRuntime::builder().plugin(Probe::new("a", &other).offers(VOICE, Priority::NORMAL));
    let runtime = builder.plugin(Everywhere(diary.clone())).init().await.unwrap();
    let off = settings("plugins.everywhere.enabled = false\nservices.'everywhere:member'.enabled = false");
    runtime.update_settings(off.clone()).await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    runtime.update_settings(off).await.unwrap();
    assert_eq!((diary.take(), session.slots_of(&PluginId::new("everywhere")).len()), (String::new(), 0));
}

struct Costly;
impl Plugin for Costly {
    fn manifest(&self) -> Manifest {
        Manifest::new("costly")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(Slot::<str>::new("singleton")).singleton(|_| panic!("it was built"));
        services.provide(Slot::<str>::new("lazy")).lazy(|_| panic!("it was built"));
        services.provide(Slot::<str>::new("factory")).factory(|_| panic!("it was built"));
    }
}

#[tokio::test]
async fn what_is_disabled_is_never_built_whatever_its_kind() {
    // R-RES-18, J-04
    let off: String =
        ["singleton", "lazy", "factory"].map(|slot| format!("'*:{slot}'.enabled = false\n")).concat();
    let off = settings(&format!("[services]\n{off}"));
    let runtime = PluginRuntime::builder().plugin(Costly).settings(off).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    for slot in session.slots() {
        assert!(matches!(session.resolve_id::<str>(&slot), Err(ResolveError::Disabled { .. })));
    }
    let error = runtime.update_settings(settings("services.'*:lazy'.enabled = false")).await.unwrap_err();
    assert!(error.to_string().contains("it was built"), "enabled, it is built at once: {error}");
}

#[tokio::test]
async fn a_service_is_switched_by_settings_and_by_nothing_else() {
    // R-RES-19, R-RES-15
    let (diary, other) = (Diary::default(), Diary::default());
    let builder = PluginRuntime::builder().plugin(Probe::new("a", &other).offers(VOICE, Priority::NORMAL));
    let runtime = builder.plugin(Everywhere(diary.clone())).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    diary.take();
    let off = settings("services.'everywhere:member'.enabled = false");
    runtime.update_settings_snapshot(off.clone()).await.unwrap();
    assert!(session.resolve(MEMBER).is_ok(), "to store settings is not to follow them");
    runtime.update_settings(off).await.unwrap();
    assert!(matches!(session.resolve(MEMBER), Err(ResolveError::Disabled { .. })));
    runtime.update_settings(settings("")).await.unwrap();
    assert_eq!(diary.take(), "service:a 1", "it attached again, once");
}

#[tokio::test]
async fn one_instance_in_two_sessions_has_a_context_in_each() {
    // F-30: what ends in one of them goes on in the other
    const EARS: Slot<Ears> = Slot::new("ears");
    struct Ears;
    impl Service for Ears {
        fn attach(&self, cx: &Context) -> PluginResult {
            cx.on(|heard: &mut Envelope<u32>| **heard += 1);
            Ok(())
        }
    }
    struct Head(Arc<Ears>);
    impl Plugin for Head {
        fn manifest(&self) -> Manifest {
            Manifest::new("head")
        }
        fn register(&self, services: &mut Registrar<'_>) {
            let ears = Arc::clone(&self.0);
            services.provide(EARS).stateful(move |_| Ok(Arc::clone(&ears)), |ears| ears);
        }
    }
    let runtime = PluginRuntime::builder().plugin(Head(Arc::new(Ears))).init().await.unwrap();
    let (one, two) =
        (runtime.create_session("one").await.unwrap(), runtime.create_session("two").await.unwrap());
    assert!(Arc::ptr_eq(&one.resolve(EARS).unwrap(), &two.resolve(EARS).unwrap()));
    drop(one.close().await.unwrap());
    assert_eq!(*two.bus().emit_sync(0_u32).unwrap(), 1);
}
