//! Handlers that subscribe, cancel, emit and close while they are being called.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use jackfield::{Bus, Envelope, Priority, Subscription};

#[derive(Clone, Copy)]
struct Tick;

fn count(bus: &Bus, calls: &Arc<AtomicU32>) -> Subscription {
    let calls = Arc::clone(calls);
    let handler = bus.handler().priority(Priority::LOW);
    handler.on(move |_: &mut Envelope<Tick>| _ = calls.fetch_add(1, Ordering::Relaxed)).unwrap()
}

#[test]
fn a_handler_cancelled_during_a_dispatch_still_runs_in_it_and_never_again() {
    // R-BUS-10
    let (bus, calls) = (Bus::new(), Arc::new(AtomicU32::new(0)));
    let victim = Mutex::new(Some(count(&bus, &calls)));
    let _cancels = bus.on(move |_: &mut Envelope<Tick>| drop(victim.lock().unwrap().take())).unwrap();
    bus.emit_sync(Tick).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    bus.emit_sync(Tick).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn a_handler_may_cancel_itself() {
    // R-BUS-10
    let (bus, calls) = (Bus::new(), Arc::new(AtomicU32::new(0)));
    let own: Arc<OnceLock<Subscription>> = Arc::default();
    let (held, seen) = (Arc::downgrade(&own), Arc::clone(&calls));
    let subscription = bus.on(move |_: &mut Envelope<Tick>| {
        seen.fetch_add(1, Ordering::Relaxed);
        held.upgrade().unwrap().get().unwrap().cancel();
    });
    own.set(subscription.unwrap()).unwrap();
    for _ in 0..3 {
        bus.emit_sync(Tick).unwrap();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(bus.subscriptions(), 0);
}

#[test]
fn a_handler_added_during_a_dispatch_waits_for_the_next() {
    // R-BUS-10
    let (bus, calls) = (Bus::new(), Arc::new(AtomicU32::new(0)));
    let added = Mutex::new(Vec::new());
    let (adding, counting) = (bus.clone(), Arc::clone(&calls));
    let _adds =
        bus.on(move |_: &mut Envelope<Tick>| added.lock().unwrap().push(count(&adding, &counting))).unwrap();
    bus.emit_sync(Tick).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    bus.emit_sync(Tick).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    bus.close(); // the handler owns its own bus
}

#[tokio::test]
async fn the_same_holds_across_an_await() {
    // R-BUS-10
    let (bus, calls) = (Bus::new(), Arc::new(AtomicU32::new(0)));
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    let _waits = bus
        .on_async(move |_: &mut Envelope<Tick>| {
            let gate = Arc::clone(&waiting);
            Box::pin(async move { gate.acquire().await.unwrap().forget() })
        })
        .unwrap();
    let cancelled = count(&bus, &calls);
    let emit = bus.emit(Tick);
    tokio::pin!(emit);
    assert!(futures_util::poll!(emit.as_mut()).is_pending());
    drop(cancelled);
    let added = count(&bus, &Arc::new(AtomicU32::new(0)));
    gate.add_permits(1);
    emit.await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    drop(added);
}

#[test]
fn an_emit_within_a_handler_runs_to_its_end_there_and_then() {
    struct Countdown(u32, Vec<u32>);
    let bus = Bus::new();
    let inner = bus.clone();
    let counts = bus.on(move |count: &mut Envelope<Countdown>| {
        let left = count.0;
        if left > 0 {
            let below = inner.emit_sync(Countdown(left - 1, Vec::new())).unwrap().into_inner();
            count.1 = below.1;
        }
        count.1.push(left);
    });
    let counts = counts.unwrap();
    assert_eq!(bus.emit_sync(Countdown(20, Vec::new())).unwrap().1, (0..=20).collect::<Vec<_>>());
    drop(counts);
}

#[tokio::test]
async fn an_async_emit_within_an_async_handler_works() {
    let bus = Bus::new();
    let inner = bus.clone();
    let _outer = bus
        .on_async(move |text: &mut Envelope<String>| {
            let inner = inner.clone();
            Box::pin(async move {
                let number = inner.emit(1_u8).await.unwrap();
                text.push_str(&number.to_string());
            })
        })
        .unwrap();
    let _inner = bus.on_async(|n: &mut Envelope<u8>| Box::pin(async move { **n += 1 })).unwrap();
    assert_eq!(*bus.emit(String::new()).await.unwrap(), "2");
    bus.close();
}

/// Does something to a bus when it is dropped.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A handler of nothing in particular that owns `captured`.
fn holding<T: Send + Sync + 'static>(bus: &Bus, captured: T) -> Subscription {
    bus.on(move |_: &mut Envelope<Tick>| {
        let _held = &captured;
    })
    .unwrap()
}

#[test]
fn a_guard_may_own_a_guard_of_the_same_event() {
    let (bus, calls) = (Bus::new(), Arc::new(AtomicU32::new(0)));
    let chain = (0..50).fold(count(&bus, &calls), |inner, _| holding(&bus, inner));
    bus.emit_sync(Tick).unwrap();
    assert_eq!(bus.subscriptions(), 51);
    drop(chain);
    assert_eq!(bus.subscriptions(), 0);
}

#[test]
fn what_a_handler_captured_may_come_back_to_the_bus_when_dropped() {
    let bus = Bus::new();
    let again = bus.clone();
    let guard = holding(
        &bus,
        OnDrop(move || {
            again.emit_sync(Tick).unwrap();
            drop(count(&again, &Arc::default()));
            assert_eq!(again.subscriptions(), 0);
        }),
    );
    drop(guard);
}

#[test]
fn a_handler_whose_last_dispatch_drops_it_may_come_back_too() {
    let bus = Bus::new();
    let again = bus.clone();
    let victim = holding(&bus, OnDrop(move || _ = again.emit_sync(Tick).unwrap()));
    let victim = Mutex::new(Some(victim));
    let _cancels = bus.on(move |_: &mut Envelope<Tick>| drop(victim.lock().unwrap().take())).unwrap();
    bus.emit_sync(Tick).unwrap(); // the list of this dispatch held the victim last
    assert_eq!(bus.subscriptions(), 1);
}

#[test]
fn closing_drops_handlers_that_own_guards_of_the_same_bus() {
    let bus = Bus::new();
    let inner = holding(&bus, ());
    let refused = bus.clone();
    let subscribes = OnDrop(move || assert!(refused.on(|_: &mut Envelope<Tick>| {}).is_err()));
    let outer = holding(&bus, (inner, subscribes));
    bus.close();
    assert_eq!(bus.subscriptions(), 0);
    drop(outer);
}

#[test]
fn a_handler_may_close_its_bus_and_the_dispatch_completes() {
    // R-BUS-23
    let (bus, calls) = (Bus::new(), Arc::new(AtomicU32::new(0)));
    let closing = bus.clone();
    let _closes = bus.on(move |_: &mut Envelope<Tick>| closing.close()).unwrap();
    let late = count(&bus, &calls);
    bus.emit_sync(Tick).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(bus.emit_sync(Tick).is_err());
    late.cancel(); // late, and harmless
}

#[test]
fn threads_may_subscribe_cancel_and_emit_at_once() {
    let (bus, calls) = (Bus::new(), Arc::new(AtomicU32::new(0)));
    let _steady = count(&bus, &calls);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let bus = bus.clone();
            scope.spawn(move || {
                for round in 0..500 {
                    let general = bus.on(|_: &mut Envelope<Tick>| {}).unwrap();
                    let address = format!("{thread}.{round}");
                    let addressed = bus.handler().identifier(&*address).on(|_: &mut Envelope<Tick>| {});
                    bus.emission(Tick).to(address).send_sync().unwrap();
                    drop((general, addressed));
                }
            });
        }
        let mut topic = bus.topic::<Tick>();
        for _ in 0..500 {
            topic.emit_sync(Tick).unwrap();
        }
    });
    assert_eq!(calls.load(Ordering::Relaxed), 2000);
    assert_eq!(bus.subscriptions(), 1);
}
