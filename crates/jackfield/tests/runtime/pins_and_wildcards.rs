//! What service settings make of candidates: knob by knob, and always the same whatever was in force before.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield::{NewSession, Pin, RuntimeBuilder, Scope, ServiceSettings, SlotId, prelude::*};

const VOICE: Slot<Voice> = Slot::new("voice");

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Tone {
    pitch: u32,
    echo: u32,
}

struct Voice(Live<Tone>);

/// A candidate for the slot, in either scope.
struct Singer(&'static str, i64);

fn sing(services: &mut Registrar<'_>, priority: i64) {
    let offering = services.provide(VOICE).priority(Priority::new(priority));
    offering.configured(|tone| Arc::new(Voice(tone)));
}

impl Plugin for Singer {
    fn manifest(&self) -> Manifest {
        Manifest::new(self.0)
    }
    fn register(&self, services: &mut Registrar<'_>) {
        sing(services, self.1);
    }
}

struct GlobalSinger(Singer);
impl GlobalPlugin for GlobalSinger {
    fn manifest(&self) -> Manifest {
        Manifest::new(self.0.0)
    }
    fn register(&self, services: &mut Registrar<'_>) {
        sing(services, self.0.1);
    }
}

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

/// `a` asks for 100 and `b` for 50.
async fn runtime(toml: &str) -> (PluginRuntime, Session) {
    let builder = PluginRuntime::builder().plugin(Singer("a", 100)).plugin(Singer("b", 50));
    let runtime = builder.settings(settings(toml)).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    (runtime, session)
}

/// The candidates, best first, with the priority in force; in brackets those that are disabled; and the winner's pitch.
fn shown(scope: &Scope) -> String {
    let mut text = String::new();
    for candidate in scope.candidates(&VOICE.id()) {
        let entry = format!("{}={}", candidate.plugin, candidate.priority);
        let entry = if candidate.enabled { entry } else { format!("[{entry}]") };
        write!(text, "{entry} ").unwrap();
    }
    match scope.resolve(VOICE) {
        Ok(voice) => write!(text, "at {}", voice.0.load().pitch).unwrap(),
        Err(_) => text.push_str("silent"),
    }
    text
}

async fn check(toml: &str, expected: &str) {
    let (_runtime, session) = runtime(toml).await;
    assert_eq!(shown(session.scope()), expected, "{toml}");
}

#[test]
fn an_entry_is_a_value_and_says_nothing_unless_told_to() {
    // R-OVR-01
    let nothing = ServiceSettings::default();
    assert!(nothing.enabled && nothing.priority.is_none() && nothing.config.is_empty());
    let entry = |toml: &str| settings(toml).services.remove(&"a:voice".parse::<Pin>().unwrap()).unwrap();
    assert_eq!(entry("services.'a:voice' = {}"), nothing);
    assert_eq!(
        entry("services.'a:voice'.enabled = false"),
        ServiceSettings { enabled: false, ..nothing.clone() }
    );
    let priority = Some(Priority::new(7));
    assert_eq!(entry("services.'a:voice'.priority = 7"), ServiceSettings { priority, ..nothing });
    let deep = |x: u32| entry(&format!("services.'a:voice'.config.deep.list = [1, {x}]"));
    assert!(deep(2) == deep(2) && deep(2) != deep(3));
}

#[tokio::test]
async fn an_entry_that_says_nothing_changes_nothing() {
    // R-OVR-02
    let (runtime, _session) = runtime("").await;
    assert!(runtime.plan(&settings("[services.'a:voice']\n[services.'*:voice']")).unwrap().is_empty());
    check("services.'b:voice' = { priority = 200, config.pitch = 1 }", "b=200 a=100 at 1").await;
    check("services.'a:voice' = { enabled = false, priority = 7 }", "b=50 [a=7] at 0").await;
}

async fn two_scopes(toml: &str) -> (String, String) {
    let builder = PluginRuntime::builder().plugin(GlobalSinger(Singer("house", 100)));
    let builder = builder.plugin(Singer("guest", 100)).settings(settings(toml));
    let runtime = builder.init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    (shown(runtime.global()), shown(session.scope()))
}

#[tokio::test]
async fn one_document_serves_both_scopes() {
    // R-OVR-03
    let shown = two_scopes("services.'house:voice'.priority = 1\nservices.'guest:voice'.priority = 2").await;
    assert_eq!(shown, ("house=1 at 0".to_owned(), "guest=2 at 0".to_owned()));
}

#[tokio::test]
async fn a_wildcard_finds_a_winner_in_every_scope() {
    // R-OVR-17
    let shown = two_scopes("services.'*:voice' = { priority = 7, config.pitch = 3 }").await;
    assert_eq!(shown, ("house=7 at 3".to_owned(), "guest=7 at 3".to_owned()));
}

#[tokio::test]
async fn either_pin_can_disable_and_neither_can_enable() {
    // R-OVR-04, R-OVR-15
    check("services.'a:voice'.enabled = false\nservices.'*:voice'.enabled = true", "[a=100] b=50 at 0").await;
    check("services.'a:voice'.enabled = true\nservices.'*:voice'.enabled = false", "[a=100] [b=50] silent")
        .await;
}

#[tokio::test]
async fn a_specific_priority_is_preferred_to_the_wildcards() {
    // R-OVR-04, R-OVR-07
    check("services.'a:voice'.priority = 300\nservices.'*:voice'.priority = 10", "a=300 b=50 at 0").await;
}

#[tokio::test]
async fn a_specific_configuration_is_taken_whole() {
    // R-OVR-04, R-OVR-06
    let (_runtime, session) =
        runtime("services.'a:voice'.config.echo = 1\nservices.'*:voice'.config.pitch = 2").await;
    assert_eq!(*session.resolve(VOICE).unwrap().0.load(), Tone { pitch: 0, echo: 1 });
}

#[tokio::test]
async fn a_knob_that_a_specific_entry_leaves_alone_is_the_wildcards() {
    // R-OVR-06, R-OVR-12, F-03
    check("services.'a:voice'.priority = 300\nservices.'*:voice'.config.pitch = 2", "a=300 b=50 at 2").await;
    check("services.'a:voice'.config.pitch = 1\nservices.'*:voice'.priority = 10", "b=50 a=10 at 0").await;
    check("services.'a:voice'.config.pitch = 1\nservices.'*:voice'.priority = 400", "a=400 b=50 at 1").await;
}

#[tokio::test]
async fn what_a_session_has_on_top_hides_no_knob_of_what_is_below() {
    // R-OVR-05, J-03
    let (runtime, _session) = runtime("services.'b:voice'.priority = 200").await;
    let over = settings("services.'b:voice'.config.pitch = 4");
    let session = runtime.create_session(NewSession::new("two", ()).overlay(over)).await.unwrap();
    assert_eq!(shown(session.scope()), "b=200 a=100 at 4");
    session.update_overlay(settings("services.'b:voice'.enabled = false")).await.unwrap();
    assert_eq!(shown(session.scope()), "[b=200] a=100 at 0");
}

#[tokio::test]
async fn an_entry_that_goes_gives_the_base_priority_back() {
    // R-OVR-08, R-OVR-18
    let (runtime, session) = runtime("services.'b:voice'.priority = 200").await;
    assert_eq!(shown(session.scope()), "b=200 a=100 at 0");
    runtime.update_settings(settings("")).await.unwrap();
    assert_eq!(shown(session.scope()), "a=100 b=50 at 0");
}

#[tokio::test]
async fn a_wildcards_priority_is_the_winners_and_its_base_stays_readable() {
    // R-OVR-11, R-OVR-13
    let (_runtime, session) = runtime("services.'*:voice'.priority = 400").await;
    assert_eq!(shown(session.scope()), "a=400 b=50 at 0");
    assert_eq!(session.candidate(&VOICE.id()).unwrap().base_priority, Priority::new(100));
}

#[tokio::test]
async fn a_wildcard_follows_the_slot_to_whoever_wins_it() {
    // R-OVR-14, J-06: priority and configuration alike
    let wildcard = "services.'*:voice' = { priority = 400, config.pitch = 2 }";
    let (runtime, session) = runtime(wildcard).await;
    assert_eq!(shown(session.scope()), "a=400 b=50 at 2");
    runtime.update_settings(settings(&format!("{wildcard}\nplugins.a.enabled = false"))).await.unwrap();
    assert_eq!(shown(session.scope()), "b=400 at 2");
    runtime.add_plugin(Singer("c", 500)).await.unwrap();
    assert_eq!(shown(session.scope()), "c=400 b=50 at 2");
}

#[tokio::test]
async fn a_wildcard_of_a_slot_that_nobody_wins_waits() {
    // R-OVR-16
    let toml = "services.'*:nothing'.priority = 7\nservices.'*:voice'.config.pitch = 2\n\
        services.'a:voice'.enabled = false\nservices.'b:voice'.enabled = false";
    let (runtime, session) = runtime(toml).await;
    assert_eq!(shown(session.scope()), "[a=100] [b=50] silent");
    assert_eq!(*runtime.settings(), settings(toml), "and is kept");
    runtime.update_settings(settings("services.'*:voice'.config.pitch = 2")).await.unwrap();
    assert_eq!(shown(session.scope()), "a=100 b=50 at 2");
}

#[tokio::test]
async fn a_slot_that_opens_again_has_the_configuration_it_opens_with() {
    // R-OVR-20, F-01
    let (runtime, session) = runtime("services.'*:voice'.enabled = false").await;
    runtime.update_settings(settings("services.'*:voice'.config.pitch = 5")).await.unwrap();
    assert_eq!(shown(session.scope()), "a=100 b=50 at 5");
}

#[tokio::test]
async fn a_wildcard_below_the_runner_up_does_not_swing_to_and_fro() {
    // F-02
    let toml = "services.'*:voice'.priority = 10";
    let (runtime, session) = runtime(toml).await;
    for _ in 0..3 {
        assert_eq!(shown(session.scope()), "b=50 a=10 at 0");
        runtime.update_settings(settings(toml)).await.unwrap();
    }
}

#[tokio::test]
async fn a_wildcard_beside_a_specific_priority_counts_the_same_at_the_start_and_later() {
    // F-04
    let toml = "services.'*:voice'.priority = 200\nservices.'b:voice'.priority = 300";
    check(toml, "b=300 a=100 at 0").await;
    let (runtime, session) = runtime("").await;
    for _ in 0..2 {
        runtime.update_settings(settings(toml)).await.unwrap();
        assert_eq!(shown(session.scope()), "b=300 a=100 at 0");
    }
}

#[tokio::test]
async fn where_settings_lead_does_not_depend_on_the_way() {
    // R-OVR-10, R-OVR-19, R-OVR-20, J-06, F-01, F-02, F-03, F-04
    let knobs = ["", "enabled = false", "priority = 10", "priority = 200", "config.pitch = 3"];
    let pin = |pin: &str, knob: &str| {
        if knob.is_empty() { String::new() } else { format!("services.'{pin}:voice'.{knob}\n") }
    };
    let all: Vec<RuntimeSettings> = knobs
        .iter()
        .flat_map(|wildcard| knobs.iter().map(move |specific| (wildcard, specific)))
        .flat_map(|(wildcard, specific)| ["a", "b"].map(|plugin| pin("*", wildcard) + &pin(plugin, specific)))
        .map(|toml| settings(&toml))
        .collect();
    let mut fresh = Vec::new();
    for settings in &all {
        let (runtime, session) = runtime("").await;
        runtime.update_settings(settings.clone()).await.unwrap();
        fresh.push(shown(session.scope()));
    }
    let (runtime, session) = runtime("").await;
    // Each after each other, by steps of every length.
    for step in 1..all.len() {
        for place in (0..all.len()).map(|turn| turn * step % all.len()) {
            runtime.update_settings(all[place].clone()).await.unwrap();
            assert_eq!(shown(session.scope()), fresh[place], "{:?}", all[place].services);
        }
    }
}

/// Offers a thousand slots, of which nobody asks for any.
struct Warehouse(PluginId);
impl Plugin for Warehouse {
    fn manifest(&self) -> Manifest {
        Manifest::of(self.0.clone())
    }
    fn register(&self, services: &mut Registrar<'_>) {
        for n in 0..1000 {
            // Slots are constants; those of a test live as long as the test.
            let slot: &'static str = Box::leak(format!("shelf.s{n}").into_boxed_str());
            services.provide(Slot::<u8>::new(slot)).lazy(|_| Ok(Arc::new(0)));
        }
    }
}

#[tokio::test]
async fn settings_that_change_nothing_are_planned_without_a_look_at_any_candidate() {
    // R-OVR-08, R-OVR-09: fifty thousand candidates, a thousand times
    let houses = (0..50).map(|n| Warehouse(PluginId::parse(&format!("house-{n}")).unwrap()));
    let builder = houses.fold(PluginRuntime::builder(), RuntimeBuilder::plugin);
    let toml = "services.'*:shelf.s7'.priority = 7";
    let runtime = builder.settings(settings(toml)).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(session.candidates(&SlotId::new("shelf.s7")).len(), 50);
    let (same, begin) = (settings(toml), Instant::now());
    for _ in 0..1000 {
        assert!(runtime.plan(&same).unwrap().is_empty());
    }
    assert!(begin.elapsed() < Duration::from_millis(1500), "took {:?}", begin.elapsed());
}
