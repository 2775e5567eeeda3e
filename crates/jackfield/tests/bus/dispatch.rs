//! Who is called, in which order, with what.

use std::sync::{Arc, Mutex};

use jackfield::{BoxError, Bus, Envelope, Priority, Subscription};

/// A note of what ran.
#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<&'static str>>>);

impl Trace {
    fn push(&self, name: &'static str) {
        self.0.lock().unwrap().push(name);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn on(&self, bus: &Bus, priority: i64, identifier: Option<&str>, name: &'static str) -> Subscription {
        let trace = self.clone();
        let mut options = bus.handler().priority(Priority::new(priority));
        if let Some(identifier) = identifier {
            options = options.identifier(identifier);
        }
        options.on(move |_: &mut Envelope<Ping>| trace.push(name)).unwrap()
    }
}

#[derive(Debug, Default, PartialEq)]
struct Ping(u32);

#[test]
fn handlers_are_picked_by_exactly_the_payloads_type() {
    // R-BUS-01
    let (bus, trace) = (Bus::new(), Trace::default());
    let _ping = trace.on(&bus, 500, None, "ping");
    bus.emit_sync(Box::new(Ping(1))).unwrap();
    bus.emit_sync(&Ping(1)).unwrap();
    assert!(trace.take().is_empty());
    bus.emit_sync(Ping(1)).unwrap();
    assert_eq!(trace.take(), ["ping"]);
}

#[test]
fn an_emit_nobody_hears_gives_the_event_back_as_it_was() {
    // R-BUS-03
    let sent = Bus::new().emit_sync(Ping(7)).unwrap();
    assert!(!sent.is_stopped());
    assert_eq!(sent.identifier(), None);
    assert_eq!(sent.into_inner(), Ping(7));
}

#[test]
fn handlers_share_one_envelope_and_the_emitter_gets_it_in_the_end() {
    // R-BUS-02, R-BUS-03, R-BUS-06
    let bus = Bus::new();
    let _replaces = bus.on(|ping: &mut Envelope<Ping>| **ping = Ping(10)).unwrap();
    let _adds = bus
        .on(|ping: &mut Envelope<Ping>| {
            assert_eq!(ping.identifier(), Some("left"));
            ping.0 += 1;
        })
        .unwrap();
    let sent = bus.emission(Ping(0)).to("left").send_sync().unwrap();
    assert_eq!((sent.0, sent.identifier()), (11, Some("left")));
}

#[test]
fn the_higher_priority_runs_first_and_negative_ones_last() {
    // R-BUS-04
    let (bus, trace) = (Bus::new(), Trace::default());
    let _below = trace.on(&bus, -1, None, "below zero");
    let _usual = bus
        .on({
            let trace = trace.clone();
            move |_: &mut Envelope<Ping>| trace.push("usual")
        })
        .unwrap();
    let _just_above = trace.on(&bus, 501, None, "just above");
    let _just_below = trace.on(&bus, 499, None, "just below");
    bus.emit_sync(Ping(0)).unwrap();
    assert_eq!(trace.take(), ["just above", "usual", "just below", "below zero"]);
}

#[test]
fn equal_priorities_run_in_the_order_of_registration_however_many_there_are() {
    // R-BUS-05, and not by luck: an unstable sort shows only in long lists
    let bus = Bus::new();
    let _all: Vec<_> =
        (0..1000).map(|n| bus.on(move |order: &mut Envelope<Vec<u32>>| order.push(n)).unwrap()).collect();
    let order = bus.emit_sync(Vec::<u32>::new()).unwrap().into_inner();
    assert_eq!(order, (0..1000).collect::<Vec<u32>>());
}

#[test]
fn a_handler_that_takes_the_slot_of_a_cancelled_one_does_not_take_its_turn() {
    // R-BUS-05
    let (bus, trace) = (Bus::new(), Trace::default());
    let first = trace.on(&bus, 500, None, "first");
    let _second = trace.on(&bus, 500, None, "second");
    drop(first);
    let _third = trace.on(&bus, 500, None, "third");
    bus.emit_sync(Ping(0)).unwrap();
    assert_eq!(trace.take(), ["second", "third"]);
}

#[test]
fn after_a_stop_the_handler_finishes_and_no_other_begins() {
    // R-BUS-07
    let (bus, trace) = (Bus::new(), Trace::default());
    let stopping = trace.clone();
    let _stops = bus
        .on(move |ping: &mut Envelope<Ping>| {
            ping.stop(Ping(42));
            stopping.push("goes on to its end");
        })
        .unwrap();
    let _late = trace.on(&bus, 0, None, "late");
    let sent = bus.emit_sync(Ping(0)).unwrap();
    assert!(sent.is_stopped());
    assert_eq!(*sent, Ping(42));
    assert_eq!(trace.take(), ["goes on to its end"]);
}

#[test]
fn a_stop_may_leave_the_payload_as_it_is() {
    let bus = Bus::new();
    let _stops = bus.on(|ping: &mut Envelope<Ping>| ping.stop_as_is()).unwrap();
    let sent = bus.emit_sync(Ping(3)).unwrap();
    assert_eq!((sent.is_stopped(), sent.0), (true, 3));
}

#[test]
fn an_address_reaches_its_own_handlers_and_the_general_ones() {
    // R-BUS-08
    let (bus, trace) = (Bus::new(), Trace::default());
    let _general = trace.on(&bus, 500, None, "general");
    let _left = trace.on(&bus, 500, Some("left"), "left");
    let _inner = trace.on(&bus, 500, Some("left.inner"), "left.inner");
    let heard = |identifier: Option<&str>| {
        let mut emission = bus.emission(Ping(0));
        if let Some(identifier) = identifier {
            emission = emission.to(identifier);
        }
        emission.send_sync().unwrap();
        trace.take()
    };
    assert_eq!(heard(None), ["general"]);
    assert_eq!(heard(Some("left")), ["general", "left"]);
    assert_eq!(heard(Some("left.inner")), ["general", "left.inner"]);
    assert_eq!(heard(Some("lef")), ["general"]);
}

#[test]
fn general_and_addressed_handlers_share_one_order_and_the_general_go_first() {
    // R-BUS-09
    let (bus, trace) = (Bus::new(), Trace::default());
    let _a = trace.on(&bus, 500, Some("x"), "x 500");
    let _b = trace.on(&bus, 500, None, "general 500");
    let _c = trace.on(&bus, 900, Some("x"), "x 900");
    let _d = trace.on(&bus, 100, None, "general 100");
    let _e = trace.on(&bus, 100, Some("x"), "x 100");
    bus.emission(Ping(0)).to("x").send_sync().unwrap();
    assert_eq!(trace.take(), ["x 900", "general 500", "x 500", "general 100", "x 100"]);
}

#[test]
fn an_address_without_general_handlers_is_served() {
    // R-BUS-08
    let (bus, trace) = (Bus::new(), Trace::default());
    let _x = trace.on(&bus, 500, Some("x"), "x");
    bus.emission(Ping(0)).to("x").send_sync().unwrap();
    bus.emit_sync(Ping(0)).unwrap();
    assert_eq!(trace.take(), ["x"]);
}

#[tokio::test]
async fn sync_and_async_handlers_take_turns_each_awaited() {
    // R-BUS-04, R-BUS-14
    let bus = Bus::new();
    let handler = |n| bus.handler().priority(Priority::new(n));
    let _third = handler(1).on(|order: &mut Envelope<Vec<u8>>| order.push(3)).unwrap();
    let _second = handler(2)
        .on_async(|order: &mut Envelope<Vec<u8>>| {
            Box::pin(async move {
                tokio::task::yield_now().await;
                order.push(2);
            })
        })
        .unwrap();
    let _first = handler(3).on(|order: &mut Envelope<Vec<u8>>| order.push(1)).unwrap();
    assert_eq!(bus.emit(Vec::<u8>::new()).await.unwrap().into_inner(), [1, 2, 3]);
    assert_eq!(bus.emit_to("anybody", Vec::<u8>::new()).await.unwrap().into_inner(), [1, 2, 3]);
}

#[tokio::test]
async fn an_async_stop_ends_the_dispatch() {
    // R-BUS-07
    let bus = Bus::new();
    let _stops =
        bus.on_async(|ping: &mut Envelope<Ping>| Box::pin(async move { ping.stop(Ping(1)) })).unwrap();
    let _late = bus.on(|ping: &mut Envelope<Ping>| ping.0 = 99).unwrap();
    let sent = bus.emit(Ping(0)).await.unwrap();
    assert_eq!((sent.is_stopped(), sent.0), (true, 1));
}

#[tokio::test]
async fn the_future_of_an_emit_may_move_between_threads() {
    fn sendable<T: Send>(value: T) -> T {
        value
    }
    // A `Cell` is `Send` and not `Sync`: an event needs no more.
    let bus = Bus::new();
    let _adds = bus
        .on_async(|count: &mut Envelope<std::cell::Cell<u32>>| {
            Box::pin(async move {
                tokio::task::yield_now().await;
                count.set(count.get() + 1);
            })
        })
        .unwrap();
    let sent = sendable(bus.emit(std::cell::Cell::new(1_u32))).await.unwrap();
    assert_eq!(sent.get(), 2);
}

#[test]
fn a_question_mark_works_in_a_handler() -> Result<(), BoxError> {
    let bus = Bus::new();
    let _parses = bus.on(|text: &mut Envelope<String>| {
        let doubled = text.parse::<u32>()? * 2;
        **text = doubled.to_string();
        Ok(())
    })?;
    assert_eq!(*bus.emit_sync("21".to_owned())?, "42");
    Ok(())
}
