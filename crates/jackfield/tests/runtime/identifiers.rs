//! Ids, namespaces, pins and priorities: what they are made of, and what cannot be made at all.

use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
};

use jackfield::{
    InvalidPin, Namespace, Pin, PluginId, PluginRuntime, Priority, RuntimeSettings, Slot, SlotId,
    UnknownReferences,
};
use jackfield_testkit::{Diary, Probe};

/// Whether a type meets a bound, asked without failing to compile.
macro_rules! meets {
    ($type:ty: $($bound:tt)+) => {{
        #[allow(dead_code, reason = "it is there only where the bound is not met")]
        trait Otherwise {
            const MEETS: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        #[allow(dead_code, reason = "it is asked for its bounds only")]
        struct Asked<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code, reason = "it is there only where the bound is met")]
        impl<T: ?Sized + $($bound)+> Asked<T> {
            const MEETS: bool = true;
        }
        <Asked<$type>>::MEETS
    }};
}

#[test]
fn an_id_is_its_text_wherever_a_text_is_wanted() {
    // R-ID-01
    let (known, read) = (PluginId::new("formal"), PluginId::parse("formal").unwrap());
    assert_eq!(known, read);
    assert_eq!((known.to_string(), String::from(read.clone())), ("formal".to_owned(), "formal".to_owned()));
    assert_eq!(HashMap::from([(known.clone(), 1)]).get("formal"), Some(&1), "it hashes as its text does");
    assert_eq!(BTreeMap::from([(known, 1)]).get("formal"), Some(&1));
    let pin: Pin = "formal:chat.greeter".parse().unwrap();
    assert_eq!(HashMap::from([(pin.clone(), 1)])[&Pin::new(read, SlotId::new("chat.greeter"))], 1);
    assert_eq!(pin.to_string(), "formal:chat.greeter");
}

#[test]
fn a_text_becomes_an_id_only_where_somebody_says_so() {
    // R-ID-01
    assert!(meets!(String: From<PluginId>));
    assert!(!meets!(PluginId: From<&'static str>) && !meets!(PluginId: From<String>));
    assert!(!meets!(SlotId: From<&'static str>) && !meets!(Namespace: From<&'static str>));
    assert!(!meets!(Pin: From<&'static str>));
    assert!(!meets!(SlotId: From<PluginId>) && !meets!(PluginId: From<SlotId>), "nor one kind another");
    assert!(!meets!(SlotId: PartialEq<PluginId>));
}

#[test]
fn namespaces_compose_to_any_depth() {
    // R-ID-02
    let studio = Namespace::new("studio");
    let deep = studio.namespace("live").unwrap().namespace("left").unwrap();
    assert_eq!(deep, Namespace::new("studio.live.left"));
    assert_eq!(deep.slot("voice").unwrap(), SlotId::new("studio.live.left.voice"));
    assert_eq!(studio.slot("live.left.voice").unwrap(), deep.slot("voice").unwrap());
    assert!(studio.slot("").is_err() && studio.namespace("Left").is_err());
}

#[test]
fn a_slot_lies_in_a_namespace_when_name_and_dot_begin_it() {
    // R-ID-03
    let chat = Namespace::new("chat");
    let within = |id: &'static str| chat.contains(&SlotId::new(id));
    assert!(within("chat.greeter") && within("chat.a.b"));
    assert!(!within("chat") && !within("chatter.greeter") && !within("room.chat.greeter"));
}

#[test]
fn a_slot_knows_its_namespaces_and_its_leaf() {
    // R-ID-04
    let slot = SlotId::new("a.b.c");
    assert_eq!((slot.namespace(), slot.leaf()), (Some(Namespace::new("a.b")), "c"));
    assert_eq!(slot.top_namespace(), Some(Namespace::new("a")));
    let flat = SlotId::new("abc");
    assert_eq!((flat.namespace(), flat.top_namespace(), flat.leaf()), (None, None, "abc"));
    assert!(
        SlotId::parse("").is_err() && SlotId::parse(".abc").is_err(),
        "so nothing has an empty namespace"
    );
}

#[tokio::test]
async fn to_the_registry_an_id_is_one_text_however_it_was_come_by() {
    // R-ID-05
    const DOTTED: Slot<str> = Slot::new("chat.greeter");
    const FLAT: Slot<str> = Slot::new("greeter");
    let diary = Diary::default();
    let builder = PluginRuntime::builder().plugin(Probe::new("a", &diary).offers(DOTTED, Priority::NORMAL));
    let session = builder.init().await.unwrap().create_session("one").await.unwrap();
    let composed = Namespace::new("chat").slot("greeter").unwrap();
    assert_eq!(session.resolve_id::<str>(&composed), session.resolve(DOTTED));
    assert!(session.resolve(FLAT).is_err());
}

#[test]
fn a_pin_has_one_spelling() {
    // R-ID-06, R-ID-10
    const GREETER: Slot<str> = Slot::new("chat.greeter");
    let formal = PluginId::new("formal");
    let composed = Namespace::new("chat").slot("greeter").unwrap();
    let read: Pin = "formal:chat.greeter".parse().unwrap();
    for pin in [Pin::new(formal.clone(), GREETER), Pin::new(formal.clone(), composed)] {
        assert_eq!((&pin, pin.to_string()), (&read, "formal:chat.greeter".to_owned()));
    }
    assert_eq!((read.plugin(), read.slot()), (Some(&formal), &GREETER.id()));
    assert_eq!(serde_json::to_value(&read).unwrap(), "formal:chat.greeter");
}

#[test]
fn a_wildcard_is_a_pin_without_a_plugin() {
    // R-ID-07, R-ID-10
    let wildcard = Pin::wildcard(SlotId::new("voice"));
    assert!(wildcard.is_wildcard());
    assert_eq!(wildcard.plugin(), None);
    assert_eq!(wildcard.to_string(), "*:voice");
    assert_eq!("*:voice".parse(), Ok(wildcard));
}

#[test]
fn what_is_no_pin_is_refused_when_it_is_read() {
    // R-ID-08
    for text in ["", "formal", ":voice", "formal:", "Formal:voice", "formal:Voice", "**:voice"] {
        assert_eq!(text.parse::<Pin>(), Err(InvalidPin { text: text.to_owned() }));
    }
}

#[test]
fn the_first_colon_separates_and_a_slot_has_none() {
    // R-ID-09
    assert!("a:b:c".parse::<Pin>().is_err());
    assert!(SlotId::parse("b:c").is_err() && PluginId::parse("a:b").is_err());
}

#[test]
fn a_star_is_no_plugin() {
    // R-ID-12, F-37: there is one way to write a wildcard, and none to write a pin that looks like one
    assert!(PluginId::parse("*").is_err());
    assert!(!Pin::new(PluginId::new("wildcard"), SlotId::new("voice")).is_wildcard());
}

#[tokio::test]
async fn no_name_is_reserved_since_none_has_a_meaning() {
    // R-ID-11, F-33
    const VOICE: Slot<str> = Slot::new("voice");
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("__wildcard__", &diary).offers(VOICE, Priority::LOW))
        .plugin(Probe::new("__winner__", &diary).offers(VOICE, Priority::LOWEST))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let off = "services.'__wildcard__:voice'.enabled = false\nservices.'__winner__:voice'.priority = 7";
    runtime.update_settings(RuntimeSettings::from_toml(off).unwrap()).await.unwrap();
    let candidates = session.candidates(&VOICE.id());
    let shown: Vec<_> =
        candidates.iter().map(|c| (c.plugin.as_str(), c.priority.value(), c.enabled)).collect();
    assert_eq!(shown, [("a", 500, true), ("__wildcard__", 100, false), ("__winner__", 7, true)]);
}

#[test]
fn priorities_have_named_stops_and_room_between_them() {
    // R-ID-13
    use Priority as P;
    let stops = [P::LOWEST, P::LOW, P::NORMAL, P::ELEVATED, P::HIGH, P::SYSTEM].map(P::value);
    assert_eq!(stops, [0, 100, 500, 1000, 5000, 10_000]);
    assert_eq!(P::default(), P::NORMAL);
    assert_eq!((P::NORMAL.above(), P::NORMAL.below()), (P::new(501), P::new(499)));
    assert_eq!((P::LOWEST.above_by(7), P::LOWEST.below_by(7)), (P::new(7), P::new(-7)));
    assert_eq!(P::new(i64::MAX).above(), P::new(i64::MAX));
}

#[test]
fn a_malformed_pin_ends_at_the_reader_with_its_place() {
    // R-ID-14, F-36: settings that hold one cannot be made, so no policy and no entry point ever meets it
    let toml = "[services]\n'a:voice' = {}\n'voice' = {}\n'a:' = {}\n";
    let problems = RuntimeSettings::from_toml(toml).unwrap_err().to_string();
    let lines: Vec<&str> = problems.lines().collect();
    assert_eq!(lines.len(), 2, "all of them at once: {problems}");
    assert!(lines[0].starts_with("3:1: services.voice: `voice` is not a pin"), "{problems}");
    assert!(lines[1].starts_with("4:1: services.\"a:\": `a:` is not a pin"), "{problems}");
    assert!(RuntimeSettings::from_json(r#"{ "services": { "voice": {} } }"#).is_err());
}

#[tokio::test]
async fn what_the_lenient_policy_passes_over_is_well_formed_and_the_rest_counts() {
    // F-36
    const VOICE: Slot<str> = Slot::new("voice");
    let diary = Diary::default();
    let toml = "services.'nobody:voice' = {}\nservices.'a:voice'.priority = 7";
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL))
        .unknown_references(UnknownReferences::Ignore)
        .settings(RuntimeSettings::from_toml(toml).unwrap())
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(session.candidate(&VOICE.id()).unwrap().priority, Priority::new(7));
}
