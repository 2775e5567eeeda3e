//! How subscriptions and buses end, and that nothing stays behind.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use jackfield::{Bus, BusClosed, EmitError, Envelope, Priority, Request, RequestError, Subscription};

#[derive(Debug)]
struct Ping;

#[derive(Debug)]
struct Pong;

struct Ask;

impl Request for Ask {
    type Response = ();
}

fn silent(bus: &Bus) -> Subscription {
    bus.on(|_: &mut Envelope<Ping>| {}).unwrap()
}

/// A handler, and a way to see whether it is still there.
fn traceable(bus: &Bus) -> (Subscription, Weak<()>) {
    let token = Arc::new(());
    let trace = Arc::downgrade(&token);
    let subscription = bus.on(move |_: &mut Envelope<Ping>| {
        let _held = &token;
    });
    (subscription.unwrap(), trace)
}

#[test]
fn dropping_the_guard_ends_the_subscription_and_frees_the_handler() {
    // R-BUS-11, R-BUS-12
    let bus = Bus::new();
    let (guard, trace) = traceable(&bus);
    bus.emit_sync(Ping).unwrap();
    drop(guard);
    assert_eq!(trace.strong_count(), 0);
}

#[test]
fn cancelling_is_idempotent_and_hits_only_its_own_handler() {
    // R-BUS-11
    let bus = Bus::new();
    let guard = silent(&bus);
    guard.cancel();
    let (_successor, trace) = traceable(&bus); // in the slot that became free
    guard.cancel();
    drop(guard);
    assert_eq!((bus.subscriptions(), trace.strong_count()), (1, 1));
}

#[test]
fn cancelling_the_last_of_one_address_leaves_the_others_alone() {
    // R-BUS-12
    let bus = Bus::new();
    let left = bus.handler().identifier("left").on(|n: &mut Envelope<u32>| **n += 1).unwrap();
    let _right = bus.handler().identifier("right").on(|n: &mut Envelope<u32>| **n += 10).unwrap();
    let _general = bus.on(|n: &mut Envelope<u32>| **n += 100).unwrap();
    drop(left);
    assert_eq!(*bus.emission(0_u32).to("left").send_sync().unwrap(), 100);
    assert_eq!(*bus.emission(0_u32).to("right").send_sync().unwrap(), 110);
}

#[test]
fn a_subscription_may_be_left_to_its_bus() {
    let bus = Bus::new();
    let (guard, trace) = traceable(&bus);
    guard.until_closed();
    assert_eq!((bus.subscriptions(), trace.strong_count()), (1, 1));
    bus.close();
    assert_eq!(trace.strong_count(), 0);
}

#[test]
fn a_subscription_does_not_keep_its_bus() {
    let bus = Bus::new();
    let (guard, trace) = traceable(&bus);
    drop(bus);
    assert_eq!(trace.strong_count(), 0);
    guard.cancel();
}

#[test]
fn the_ledger_counts_events_addresses_requests_and_observers() {
    let bus = Bus::new();
    let held = (
        silent(&bus),
        bus.handler().identifier("x").on(|_: &mut Envelope<Pong>| {}).unwrap(),
        bus.on_request(|_: &mut Envelope<Ask>| Some(())).unwrap(),
        bus.observe(|_| {}).unwrap(),
    );
    assert_eq!(bus.subscriptions(), 4);
    drop(held);
    assert_eq!(bus.subscriptions(), 0);
}

#[tokio::test]
async fn a_closed_bus_refuses_everything_with_a_typed_error() {
    // R-BUS-22, R-REQ-13
    let bus = Bus::new();
    let mut topic = bus.topic::<Ping>();
    let _kept = silent(&bus);
    topic.emit_sync(Ping).unwrap();
    bus.close();
    bus.close();
    assert!(bus.is_closed());
    assert_eq!(bus.subscriptions(), 0);
    assert_eq!(bus.on(|_: &mut Envelope<Ping>| {}).unwrap_err(), BusClosed);
    assert_eq!(bus.on(|_: &mut Envelope<Pong>| {}).unwrap_err(), BusClosed);
    assert_eq!(bus.on_request(|_: &mut Envelope<Ask>| Some(())).unwrap_err(), BusClosed);
    assert_eq!(bus.observe(|_| {}).unwrap_err(), BusClosed);
    assert!(matches!(bus.emit_sync(Ping), Err(EmitError::Closed { .. })));
    assert!(matches!(bus.emit_sync(Pong), Err(EmitError::Closed { .. })));
    assert!(matches!(bus.emit(Ping).await, Err(EmitError::Closed { .. })));
    assert!(matches!(bus.emit_to("x", Ping).await, Err(EmitError::Closed { .. })));
    assert!(matches!(topic.emit_sync(Ping), Err(EmitError::Closed { .. })));
    assert!(matches!(bus.topic::<Ping>().emit(Ping).await, Err(EmitError::Closed { .. })));
    assert!(matches!(bus.topic::<Pong>().emit_sync(Pong), Err(EmitError::Closed { .. })));
    assert!(matches!(bus.request(Ask).await, Err(RequestError::Closed { .. })));
    assert!(matches!(bus.request_sync(Ask), Err(RequestError::Closed { .. })));
    assert!(matches!(bus.request_optional(Ask).await, Err(RequestError::Closed { .. })));
    assert!(matches!(bus.request_optional_sync(Ask), Err(RequestError::Closed { .. })));
}

#[tokio::test]
async fn a_dispatch_under_way_outlives_the_closing() {
    // R-BUS-23
    let bus = Bus::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    let _waits = bus
        .on_async(move |_: &mut Envelope<u32>| {
            let gate = Arc::clone(&waiting);
            Box::pin(async move { gate.acquire().await.unwrap().forget() })
        })
        .unwrap();
    let late = bus.on(|n: &mut Envelope<u32>| **n = 5).unwrap();
    let emit = bus.emit(0_u32);
    tokio::pin!(emit);
    assert!(futures_util::poll!(emit.as_mut()).is_pending());
    bus.close();
    late.cancel();
    gate.add_permits(1);
    assert_eq!(*emit.await.unwrap(), 5);
}

#[test]
fn a_sealed_bus_delivers_and_takes_no_more_subscriptions() {
    // J-11
    let bus = Bus::new();
    let _adds = bus.on(|n: &mut Envelope<u32>| **n += 1).unwrap();
    bus.seal();
    assert!(!bus.is_closed());
    assert_eq!(bus.on(|_: &mut Envelope<u32>| {}).unwrap_err(), BusClosed);
    assert_eq!(bus.on(|_: &mut Envelope<Pong>| {}).unwrap_err(), BusClosed);
    assert_eq!(bus.observe(|_| {}).unwrap_err(), BusClosed);
    assert_eq!(*bus.emit_sync(1_u32).unwrap(), 2);
    assert_eq!(*bus.topic::<u32>().emit_sync(1).unwrap(), 2);
    bus.topic::<Pong>().emit_sync(Pong).unwrap();
}

struct SubscribesWhenDropped(Bus);

impl Drop for SubscribesWhenDropped {
    fn drop(&mut self) {
        if let Ok(subscription) = self.0.on(|_: &mut Envelope<Ping>| {}) {
            subscription.until_closed();
        }
    }
}

#[test]
fn a_goodbye_cannot_leave_a_subscription_behind() {
    // F-29, J-11
    let bus = Bus::new();
    let last_word = SubscribesWhenDropped(bus.clone());
    let guard = bus.on(move |_: &mut Envelope<Ping>| {
        let _held = &last_word;
    });
    bus.seal();
    drop(guard);
    assert_eq!(bus.subscriptions(), 0);
}

#[test]
fn a_hundred_thousand_handlers_are_registered_in_no_time() {
    // R-BUS-13; a quadratic insertion takes minutes
    let bus = Bus::new();
    let begin = Instant::now();
    let all: Vec<_> = (0..100_000)
        .map(|n| bus.handler().priority(Priority::new(n)).on(move |last: &mut Envelope<i64>| **last = n))
        .collect();
    assert_eq!(*bus.emit_sync(-1_i64).unwrap(), 0);
    drop(all);
    assert!(begin.elapsed() < Duration::from_secs(5), "took {:?}", begin.elapsed());
    assert_eq!(bus.subscriptions(), 0);
}

#[test]
fn ten_thousand_addresses_come_and_go_while_others_stay() {
    // R-BUS-12; rebuilding all addresses at every emit takes minutes
    let bus = Bus::new();
    let stay: Vec<_> = (0..10_000)
        .map(|n| bus.handler().identifier(format!("stays {n}")).on(|n: &mut Envelope<u32>| **n += 1).unwrap())
        .collect();
    for n in 0..10_000 {
        let address: Arc<str> = format!("passes {n}").into();
        let passes = bus.handler().identifier(Arc::clone(&address)).on(|n: &mut Envelope<u32>| **n += 1);
        assert_eq!(*bus.emission(0_u32).to(Arc::clone(&address)).send_sync().unwrap(), 1);
        drop(passes);
        assert_eq!(*bus.emission(0_u32).to(Arc::clone(&address)).send_sync().unwrap(), 0);
        assert_eq!(Arc::strong_count(&address), 1, "the bus still knows the address");
    }
    assert_eq!(bus.subscriptions(), stay.len());
}
