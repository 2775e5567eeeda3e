//! Topics: the same bus, faster.

use std::sync::Arc;

use jackfield::{Bus, Envelope};

#[test]
fn a_topic_notices_every_change() {
    let bus = Bus::new();
    let mut topic = bus.topic::<u32>();
    assert_eq!(*topic.emit_sync(0).unwrap(), 0);
    let one = bus.on(|n: &mut Envelope<u32>| **n += 1).unwrap();
    assert_eq!(*topic.emit_sync(0).unwrap(), 1);
    let _ten = bus.on(|n: &mut Envelope<u32>| **n += 10).unwrap();
    assert_eq!(*topic.emit_sync(0).unwrap(), 11);
    drop(one);
    assert_eq!(*topic.emit_sync(0).unwrap(), 10);
}

#[tokio::test]
async fn a_topic_emits_to_async_handlers_as_well() {
    let bus = Bus::new();
    let mut topic = bus.topic::<u32>();
    let _one = bus.on_async(|n: &mut Envelope<u32>| Box::pin(async move { **n += 1 })).unwrap();
    assert_eq!(*topic.emit(0).await.unwrap(), 1);
    assert!(topic.emit_sync(0).is_err());
}

#[test]
fn a_topic_may_have_an_address() {
    // R-BUS-08
    let bus = Bus::new();
    let mut left = bus.topic::<u32>().to("left");
    let _general = bus.on(|n: &mut Envelope<u32>| **n += 1).unwrap();
    assert_eq!(*left.emit_sync(0).unwrap(), 1);
    let addressed = bus.handler().identifier("left").on(|n: &mut Envelope<u32>| **n += 10).unwrap();
    assert_eq!(left.emit_sync(0).unwrap().identifier(), Some("left"));
    assert_eq!(*left.emit_sync(0).unwrap(), 11);
    drop(addressed);
    assert_eq!(*left.clone().emit_sync(0).unwrap(), 1);
}

#[test]
fn a_topic_notices_that_its_bus_was_closed_whenever_it_was_made() {
    // R-BUS-22
    let (bus, sealed) = (Bus::new(), Bus::new());
    sealed.seal();
    for bus in [bus, sealed] {
        let mut topic = bus.topic::<u32>();
        topic.emit_sync(0).unwrap();
        bus.close();
        assert!(topic.emit_sync(0).is_err());
        assert!(topic.emit_sync(0).is_err());
        assert!(bus.topic::<u32>().emit_sync(0).is_err());
    }
}

#[test]
fn general_and_addressed_handlers_of_a_topic_share_one_order() {
    // R-BUS-09
    let bus = Bus::new();
    let mut left = bus.topic::<Vec<u8>>().to("left");
    let handler = |priority| bus.handler().priority(jackfield::Priority::new(priority));
    let _third = handler(1).identifier("left").on(|order: &mut Envelope<Vec<u8>>| order.push(3)).unwrap();
    let _second = handler(1).on(|order: &mut Envelope<Vec<u8>>| order.push(2)).unwrap();
    let _first = handler(2).identifier("left").on(|order: &mut Envelope<Vec<u8>>| order.push(1)).unwrap();
    assert_eq!(*left.emit_sync(Vec::new()).unwrap(), [1, 2, 3]);
    let broken = handler(1).owner("broken").on(|_: &mut Envelope<Vec<u8>>| -> () { panic!() }).unwrap();
    let error = left.emit_sync(Vec::new()).unwrap_err();
    assert!(error.to_string().contains("broken"), "{error}");
    drop(broken);
    assert_eq!(*left.emit_sync(Vec::new()).unwrap(), [1, 2, 3]);
}

#[test]
fn a_topic_lets_go_of_cancelled_handlers_when_asked_or_at_its_next_emit() {
    let bus = Bus::new();
    let mut topic = bus.topic::<u32>();
    for forgets in [true, false] {
        let token = Arc::new(());
        let held = Arc::clone(&token);
        let handler = bus.on(move |_: &mut Envelope<u32>| {
            let _held = &held;
        });
        topic.emit_sync(0).unwrap();
        drop(handler);
        if forgets {
            topic.forget();
        } else {
            topic.emit_sync(0).unwrap();
        }
        assert_eq!(Arc::strong_count(&token), 1);
    }
}

#[test]
fn observers_see_what_a_topic_emits() {
    // R-BUS-16
    let bus = Bus::new();
    let mut topic = bus.topic::<u32>();
    let seen = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let noting = Arc::clone(&seen);
    let _tap = bus.observe(move |_| _ = noting.fetch_add(1, std::sync::atomic::Ordering::Relaxed)).unwrap();
    topic.emit_sync(0).unwrap();
    assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 2);
}
