//! What plugins offer: kinds, priorities, capabilities, and when anything is built.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use jackfield::{
    ChangeError, Context, FailurePolicy, Hook, Kind, Namespace, ResolveError, RuntimeBuilder, Service,
    SlotId, prelude::*,
};
use jackfield_testkit::{Diary, Fault, Probe};

const VOICE: Slot<str> = Slot::new("voice");

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

/// A plugin whose `register` is a closure.
struct Offers<F>(PluginId, F);
impl<F: Fn(&mut Registrar<'_>) + Send + Sync + 'static> Plugin for Offers<F> {
    fn manifest(&self) -> Manifest {
        Manifest::of(self.0.clone())
    }
    fn register(&self, services: &mut Registrar<'_>) {
        (self.1)(services);
    }
}

fn offers<F: Fn(&mut Registrar<'_>) + Send + Sync + 'static>(id: &str, register: F) -> Offers<F> {
    Offers(PluginId::parse(id).unwrap(), register)
}

async fn session_of(plugin: impl Plugin) -> Session {
    let runtime = PluginRuntime::builder().plugin(plugin).init().await.unwrap();
    runtime.create_session("one").await.unwrap()
}

fn candidates(session: &Session) -> String {
    let candidates = session.candidates(&VOICE.id());
    candidates.iter().fold(String::new(), |mut text, candidate| {
        let space = if text.is_empty() { "" } else { " " };
        write!(text, "{space}{}={}", candidate.plugin, candidate.priority).unwrap();
        text
    })
}

#[tokio::test]
async fn a_singleton_is_made_before_anybody_attaches_and_the_others_when_asked_for() {
    // R-REG-01, J-04
    let built: Arc<[AtomicUsize; 3]> = Arc::default();
    let now = |built: &[AtomicUsize; 3]| [0, 1, 2].map(|kind| built[kind].load(Relaxed));
    let counts = Arc::clone(&built);
    let make = move |kind: usize| {
        let built = Arc::clone(&counts);
        move || {
            built[kind].fetch_add(1, Relaxed);
            Arc::<str>::from("la")
        }
    };
    let runtime = PluginRuntime::builder()
        .plugin(offers("a", move |services| {
            let (singleton, lazy, factory) = (make(0), make(1), make(2));
            services.provide(Slot::<str>::new("singleton")).singleton(move |_| singleton());
            services.provide(Slot::<str>::new("lazy")).lazy(move |_| Ok(lazy()));
            services.provide(Slot::<str>::new("factory")).factory(move |_| Ok(factory()));
        }))
        .init()
        .await
        .unwrap();
    assert_eq!(now(&built), [0, 0, 0], "to declare is not to build");
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(now(&built), [1, 0, 0]);
    for _ in 0..2 {
        for slot in session.slots() {
            session.resolve_id::<str>(&slot).unwrap();
        }
    }
    assert_eq!(now(&built), [1, 1, 2]);
}

struct Languages(&'static str);

#[tokio::test]
async fn a_candidate_says_whose_it_is_and_what_it_asked_for() {
    // R-REG-02, R-REG-10
    let session = session_of(offers("a", |services| {
        services.provide(VOICE).priority(Priority::HIGH).capability(Languages("en")).value("la".into());
    }));
    let session = session.await;
    let over = settings("services.'a:voice'.priority = 7");
    session.update_overlay(over).await.unwrap();
    let candidate = session.candidate(&VOICE.id()).unwrap();
    assert_eq!((candidate.plugin, candidate.kind), (PluginId::new("a"), Kind::Singleton));
    assert_eq!((candidate.base_priority, candidate.priority), (Priority::HIGH, Priority::new(7)));
    assert_eq!(session.capability::<Languages>(&VOICE.id()).unwrap().0, "en");
}

/// Notes the priority of its own candidate while it attaches.
struct Early(Diary);
impl Plugin for Early {
    fn manifest(&self) -> Manifest {
        Manifest::new("early")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(VOICE).value("la".into());
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        self.0.write(cx.candidate(&VOICE.id())?.priority.to_string());
        Ok(())
    }
}

#[tokio::test]
async fn a_priority_from_settings_is_in_force_from_the_first_moment() {
    // R-REG-10
    let diary = Diary::default();
    let builder = PluginRuntime::builder().plugin(Early(diary.clone()));
    let runtime = builder.settings(settings("services.'early:voice'.priority = 7")).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    assert_eq!(diary.take(), "7");
}

#[tokio::test]
async fn a_registrar_may_have_another_default_and_what_is_said_counts_more() {
    // R-REG-03
    let session = session_of(offers("a", |services| {
        let mut high = services.with_default_priority(Priority::HIGH);
        high.provide(Slot::<u8>::new("high")).value(Arc::new(0));
        high.provide(Slot::<u8>::new("said")).priority(Priority::LOW).value(Arc::new(0));
        high.with_default_priority(Priority::SYSTEM).provide(Slot::<u8>::new("system")).value(Arc::new(0));
        services.provide(Slot::<u8>::new("usual")).value(Arc::new(0));
    }));
    let session = session.await;
    let priority = |slot: &'static str| session.candidate(&SlotId::new(slot)).unwrap().priority;
    let all = ["high", "said", "system", "usual"].map(priority);
    assert_eq!(all, [Priority::HIGH, Priority::LOW, Priority::SYSTEM, Priority::NORMAL]);
}

#[tokio::test]
async fn a_hundred_equal_candidates_stand_in_the_order_in_which_they_were_added() {
    // R-REG-04, F-26, J-01: an unstable sort shows only in long lists
    let names: Vec<String> = (0..100).map(|n| format!("p{}", n * 37 % 100)).collect();
    let plugins =
        names.iter().map(|name| offers(name, |services| services.provide(VOICE).value("la".into())));
    let builder = plugins.fold(PluginRuntime::builder(), RuntimeBuilder::plugin);
    let session = builder.init().await.unwrap().create_session("one").await.unwrap();
    let order = session.candidates(&VOICE.id()).into_iter().map(|candidate| candidate.plugin.to_string());
    assert_eq!(order.collect::<Vec<_>>(), names);
}

#[tokio::test]
async fn a_plugin_has_one_candidate_for_a_slot_and_its_last_word_counts() {
    // R-REG-05, R-REG-07
    let session = session_of(offers("a", |services| {
        services.provide(VOICE).priority(Priority::HIGH).factory(|_| Ok("first".into()));
        services.provide(VOICE).value("second".into());
    }));
    let session = session.await;
    assert_eq!(candidates(&session), "a=500");
    assert_eq!(&*session.resolve(VOICE).unwrap(), "second");
}

#[tokio::test]
async fn nothing_takes_the_place_of_a_service_that_is_at_work() {
    // R-REG-06, J-04: what a plugin declared when it was added is all that it may ever register
    let calls = AtomicUsize::new(0);
    let fickle = offers("a", move |services| {
        if calls.fetch_add(1, Relaxed) > 0 {
            services.provide(Slot::<str>::new("other")).value("surprise".into());
        }
        services.provide(VOICE).value("la".into());
    });
    let runtime = PluginRuntime::builder().plugin(fickle).init().await.unwrap();
    let error = runtime.create_session("one").await.unwrap_err();
    let ChangeError::Reverted { failures } = &error else { panic!("{error}") };
    assert_eq!(failures[0].hook, Hook::Register);
    assert!(error.to_string().ends_with("it offers `other`, which it did not when added"), "{error}");
}

#[tokio::test]
async fn a_builder_that_fails_leaves_no_trace() {
    // R-REG-08
    for policy in [FailurePolicy::AllOrNothing, FailurePolicy::Quarantine] {
        let diary = Diary::default();
        let builder = PluginRuntime::builder().plugin(Probe::new("stays", &diary)).failure_policy(policy);
        let runtime = builder.init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        diary.inject("a", Hook::Build, Fault::Panic);
        let added = runtime.add_plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL)).await;
        assert_eq!(added.is_err(), policy == FailurePolicy::AllOrNothing);
        assert!(session.slots().is_empty());
        assert!(matches!(session.resolve(VOICE), Err(ResolveError::NotRegistered { .. })));
    }
}

trait Player: Send + Sync {
    fn name(&self) -> &'static str;
}
struct Flute(Diary);
impl Player for Flute {
    fn name(&self) -> &'static str {
        "flute"
    }
}
impl Service for Flute {
    fn attach(&self, _: &Context) -> PluginResult {
        self.0.write("+flute");
        Ok(())
    }
}
const PLAYER: Slot<dyn Player> = Slot::new("player");

#[tokio::test]
async fn a_service_with_a_life_has_it_behind_an_interface_too() {
    // R-REG-09, F-31: a factory has no way to say that its services attach
    let diary = Diary::default();
    let notes = diary.clone();
    let session = session_of(offers("a", move |services| {
        let diary = notes.clone();
        services.provide(PLAYER).stateful(move |_| Ok(Arc::new(Flute(diary.clone()))), |flute| flute);
    }));
    assert_eq!(session.await.resolve(PLAYER).unwrap().name(), "flute");
    assert_eq!(diary.take(), "+flute");
}

#[tokio::test]
async fn candidates_come_and_go_with_their_plugin_and_an_empty_slot_goes_too() {
    // R-REG-12, R-REG-19
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    runtime.add_plugin(Probe::new("b", &diary).offers(VOICE, Priority::HIGH)).await.unwrap();
    assert!(session.resolve(VOICE).unwrap().starts_with('b'), "the very next lookup sees it");
    runtime.remove_plugin(&PluginId::new("b")).await.unwrap();
    assert_eq!(candidates(&session), "a=500");
    runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap();
    assert!(session.slots().is_empty() && session.candidates(&VOICE.id()).is_empty());
}

#[tokio::test]
async fn a_registry_is_looked_over_without_building_anything() {
    // R-REG-13, R-REG-14, R-REG-15
    let never = || -> Result<Arc<str>, BoxError> { panic!("nobody asked for it") };
    let runtime = PluginRuntime::builder()
        .plugin(offers("a", move |services| {
            services.provide(Slot::<str>::new("chat.lazy")).lazy(move |_| never());
            services.provide(Slot::<str>::new("chat.factory")).factory(move |_| never());
        }))
        .plugin(offers("b", move |services| {
            services.provide(Slot::<str>::new("chat.lazy")).priority(Priority::HIGH).lazy(move |_| never());
            services.provide(VOICE).lazy(move |_| never());
        }))
        .settings(settings("services.'*:voice'.enabled = false\nservices.'b:chat.lazy'.enabled = false"))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let names = |slots: Vec<SlotId>| slots.iter().map(SlotId::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(names(session.slots()), "chat.factory chat.lazy voice");
    assert_eq!(names(session.slots_in(&Namespace::new("chat"))), "chat.factory chat.lazy");
    assert_eq!(names(session.slots_of(&PluginId::new("b"))), "chat.lazy voice");
    assert!(session.slots_of(&PluginId::new("nobody")).is_empty());
    let of = session.candidates(&SlotId::new("chat.lazy"));
    assert_eq!(
        of.iter().map(|c| (c.plugin.as_str(), c.enabled)).collect::<Vec<_>>(),
        [("b", false), ("a", true)]
    );
    assert!(session.candidates(&SlotId::new("nothing")).is_empty());
    let winners: Vec<_> = session.slots().iter().map(|slot| session.winner(slot)).collect();
    assert_eq!(
        winners,
        [Some(PluginId::new("a")), Some(PluginId::new("a")), None],
        "a closed slot is nobody's"
    );
}

#[tokio::test]
async fn what_was_listed_stays_as_it_was() {
    // R-REG-16, R-REG-17, F-24
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let (listed, status) = (session.candidates(&VOICE.id()), runtime.status());
    let service = session.resolve(VOICE).unwrap();
    runtime.update_settings(settings("services.'a:voice'.priority = 7")).await.unwrap();
    assert_eq!(listed[0].priority, Priority::NORMAL);
    assert_ne!(status, runtime.status());
    assert_eq!(session.candidates(&VOICE.id())[0].priority, Priority::new(7));
    assert!(Arc::ptr_eq(&service, &session.resolve(VOICE).unwrap()), "and nothing was built anew");
}

#[tokio::test]
async fn a_session_has_its_own_services_unless_they_are_shared_on_purpose() {
    // R-REG-18
    const SHARED: Slot<str> = Slot::new("shared");
    let shared: Arc<str> = "shared".into();
    let plugin = offers("a", move |services| {
        services.provide(VOICE).singleton(|_| "own".into());
        services.provide(SHARED).value(Arc::clone(&shared));
    });
    let runtime = PluginRuntime::builder().plugin(plugin).init().await.unwrap();
    let (one, two) =
        (runtime.create_session("one").await.unwrap(), runtime.create_session("two").await.unwrap());
    let same = |slot| Arc::ptr_eq(&one.resolve(slot).unwrap(), &two.resolve(slot).unwrap());
    assert_eq!((same(VOICE), same(SHARED)), (false, true));
}
