//! Taps: they see everything, and can do nothing.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jackfield::{BoxError, Bus, Envelope, MessageKind, Observed, Outcome, Request, Stage, Subscription};

#[derive(Debug)]
struct Ping(u32);

struct Ask(u32);

impl Request for Ask {
    type Response = u32;
}

type Notes = Arc<Mutex<Vec<String>>>;

/// Notes every message: its number, its address, and its stage.
fn tap(bus: &Bus, name: &'static str, notes: &Notes) -> Subscription {
    let notes = Arc::clone(notes);
    bus.observe(move |observed| notes.lock().unwrap().push(format!("{name} {}", describe(observed)))).unwrap()
}

fn describe(observed: &Observed<'_>) -> String {
    let ping = observed.payload_as::<Ping>().map(|ping| ping.0);
    let number = ping.or_else(|| observed.payload_as::<Ask>().map(|ask| ask.0));
    let stage = match &observed.stage {
        Stage::Before => "before".to_owned(),
        Stage::After { outcome: Outcome::Failed { error, .. }, .. } => format!("failed: {error}"),
        Stage::After { outcome: Outcome::Panicked { message, .. }, .. } => format!("panicked: {message}"),
        Stage::After { outcome: Outcome::Asynchronous { .. }, .. } => "asynchronous".to_owned(),
        Stage::After { outcome, .. } => format!("{outcome:?}").to_lowercase(),
        _ => "of another stage".to_owned(),
    };
    let address = observed.identifier.map(|identifier| format!(" to {identifier}")).unwrap_or_default();
    format!("{}{address} {stage}", number.unwrap())
}

fn take(notes: &Notes) -> Vec<String> {
    std::mem::take(&mut notes.lock().unwrap())
}

#[test]
fn observers_see_every_event_in_order_before_the_handlers_and_after() {
    // R-BUS-16
    let (bus, notes) = (Bus::new(), Notes::default());
    let _one = tap(&bus, "one", &notes);
    let _two = tap(&bus, "two", &notes);
    bus.emit_sync(Ping(1)).unwrap();
    assert_eq!(take(&notes), ["one 1 before", "two 1 before", "one 1 delivered", "two 1 delivered"]);
}

#[tokio::test]
async fn what_handlers_change_is_seen_afterwards() {
    // R-BUS-16
    let (bus, notes) = (Bus::new(), Notes::default());
    let _tap = tap(&bus, "tap", &notes);
    let _adds = bus.on(|ping: &mut Envelope<Ping>| ping.0 += 1).unwrap();
    let _stops =
        bus.on_async(|ping: &mut Envelope<Ping>| Box::pin(async move { ping.stop_as_is() })).unwrap();
    bus.emit_to("x", Ping(1)).await.unwrap();
    assert_eq!(take(&notes), ["tap 1 to x before", "tap 2 to x stopped"]);
}

#[test]
fn each_observer_has_its_own_remover_and_may_use_it_while_observing() {
    // R-BUS-16, R-BUS-17
    let (bus, notes) = (Bus::new(), Notes::default());
    let own = Arc::new(Mutex::new(None::<Subscription>));
    let held = Arc::clone(&own);
    let removes_itself = bus.observe(move |_| drop(held.lock().unwrap().take())).unwrap();
    *own.lock().unwrap() = Some(removes_itself);
    let _stays = tap(&bus, "stays", &notes);
    bus.emit_sync(Ping(1)).unwrap();
    assert_eq!(bus.subscriptions(), 1);
    assert_eq!(take(&notes), ["stays 1 before", "stays 1 delivered"]);
}

#[test]
fn an_observer_that_panics_changes_nothing() {
    // F-25, J-10; R-BUS-18 and R-BUS-19 have no subject: a tap has no way to stop or change
    let (bus, notes) = (Bus::new(), Notes::default());
    let _broken = bus.observe(|_| panic!("a tap broke")).unwrap();
    let _tap = tap(&bus, "tap", &notes);
    let _adds = bus.on(|ping: &mut Envelope<Ping>| ping.0 += 1).unwrap();
    assert_eq!(bus.emit_sync(Ping(1)).unwrap().0, 2);
    assert_eq!(take(&notes), ["tap 1 before", "tap 2 delivered"]);
}

#[test]
fn an_observer_learns_how_it_went() {
    // J-10
    let (bus, notes) = (Bus::new(), Notes::default());
    let _tap = tap(&bus, "tap", &notes);
    let fails = bus.on(|_: &mut Envelope<Ping>| -> Result<(), BoxError> { Err("out of tune".into()) });
    bus.emit_sync(Ping(1)).unwrap_err();
    drop(fails);
    let panics = bus.on(|_: &mut Envelope<Ping>| -> () { panic!("broke") });
    bus.emit_sync(Ping(2)).unwrap_err();
    drop(panics);
    let _waits = bus.on_async(|_: &mut Envelope<Ping>| Box::pin(async {}));
    bus.emit_sync(Ping(3)).unwrap_err();
    let after: Vec<_> = take(&notes).into_iter().filter(|note| !note.ends_with("before")).collect();
    assert_eq!(after, ["tap 1 failed: out of tune", "tap 2 panicked: broke", "tap 3 asynchronous"]);
}

#[tokio::test(start_paused = true)]
async fn an_emit_that_is_dropped_on_its_way_is_reported() {
    let (bus, notes) = (Bus::new(), Notes::default());
    let _tap = tap(&bus, "tap", &notes);
    let _waits = bus.on_async(|_: &mut Envelope<Ping>| Box::pin(std::future::pending::<()>())).unwrap();
    let emit = tokio::time::timeout(Duration::from_secs(1), bus.emit(Ping(1)));
    assert!(emit.await.is_err());
    assert_eq!(take(&notes), ["tap 1 before", "tap 1 abandoned"]);
}

#[test]
fn internal_emits_skip_observers_and_reach_handlers() {
    // R-BUS-21
    let (bus, notes) = (Bus::new(), Notes::default());
    let _tap = tap(&bus, "tap", &notes);
    let _adds = bus.on(|ping: &mut Envelope<Ping>| ping.0 += 1).unwrap();
    assert_eq!(bus.emission(Ping(1)).internal().send_sync().unwrap().0, 2);
    assert!(take(&notes).is_empty());
}

#[tokio::test]
async fn a_topic_notices_observers_that_come_and_go() {
    // R-BUS-16
    let (bus, notes) = (Bus::new(), Notes::default());
    let mut topic = bus.topic::<Ping>();
    let _adds = bus.on(|ping: &mut Envelope<Ping>| ping.0 += 1).unwrap();
    for _ in 0..2 {
        topic.emit_sync(Ping(1)).unwrap();
        let first = tap(&bus, "first", &notes);
        topic.emit_sync(Ping(2)).unwrap();
        assert_eq!(take(&notes), ["first 2 before", "first 3 delivered"]);
        let second = tap(&bus, "second", &notes);
        drop(first);
        topic.emit(Ping(4)).await.unwrap();
        assert_eq!(take(&notes), ["second 4 before", "second 5 delivered"]);
        drop(second);
        topic.emit(Ping(6)).await.unwrap();
        assert!(take(&notes).is_empty());
    }
}

#[test]
fn requests_are_observed_as_well() {
    // R-BUS-20 as J-10 has it
    let (bus, notes) = (Bus::new(), Notes::default());
    let _tap = tap(&bus, "tap", &notes);
    let _answers = bus.on_request(|ask: &mut Envelope<Ask>| (ask.0 > 1).then_some(ask.0)).unwrap();
    bus.request_sync(Ask(1)).unwrap_err();
    bus.request_sync(Ask(2)).unwrap();
    assert_eq!(take(&notes), ["tap 1 before", "tap 1 unanswered", "tap 2 before", "tap 2 answered"]);
}

#[test]
fn an_observer_is_told_type_and_kind() {
    let bus = Bus::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noting = Arc::clone(&seen);
    let _tap = bus.observe(move |observed| noting.lock().unwrap().push((observed.message, observed.kind)));
    bus.emit_sync(Ping(0)).unwrap();
    bus.request_optional_sync(Ask(0)).unwrap();
    let seen = seen.lock().unwrap();
    let (events, requests) = (seen[0], seen[2]);
    assert!(events.0.ends_with("Ping") && events.1 == MessageKind::Event);
    assert!(requests.0.ends_with("Ask") && requests.1 == MessageKind::Request);
}
