//! Handlers as values, bound to one bus after another.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use jackfield::{Binding, Bus, BusClosed, EmitError, Envelope, EventBinding, Listener, Priority};

fn push(text: &'static str) -> EventBinding {
    EventBinding::on(move |said: &mut Envelope<String>| said.push_str(text))
}

fn said(bus: &Bus, to: Option<&str>) -> String {
    let mut emission = bus.emission(String::new());
    if let Some(to) = to {
        emission = emission.to(to);
    }
    emission.send_sync().unwrap().into_inner()
}

#[test]
fn a_binding_carries_its_priority_and_its_address_to_every_bus() {
    // R-BUS-24
    let bindings =
        [push("c"), push("b").priority(Priority::HIGH), push("a").identifier("x").priority(Priority::SYSTEM)];
    for _ in 0..2 {
        let bus = Bus::new();
        let _held: Vec<_> = bindings.iter().map(|binding| binding.bind(&bus).unwrap()).collect();
        assert_eq!(said(&bus, Some("x")), "abc");
        assert_eq!(said(&bus, None), "bc");
    }
}

#[test]
fn a_binding_is_of_the_usual_priority_unless_it_says_otherwise() {
    // F-27
    let bus = Bus::new();
    let bound = push("bound").bind(&bus).unwrap();
    let _direct = bus.on(|said: &mut Envelope<String>| said.push_str(" direct")).unwrap();
    let just_below = bus.handler().priority(Priority::NORMAL.below());
    let _below = just_below.on(|said: &mut Envelope<String>| said.push_str(" below")).unwrap();
    assert_eq!(said(&bus, None), "bound direct below");
    drop(bound);
    assert_eq!(said(&bus, None), " direct below");
}

#[tokio::test]
async fn a_binding_may_be_asynchronous_and_names_its_place_when_it_fails() {
    let bus = Bus::new();
    let binding = EventBinding::on_async(|_: &mut Envelope<String>| {
        Box::pin(async { Err::<(), jackfield::BoxError>("no".into()) })
    });
    let _bound = binding.owner("host").bind(&bus).unwrap();
    let error = bus.emit(String::new()).await.unwrap_err();
    let EmitError::Failed { handler, .. } = error else { panic!("{error:?}") };
    assert_eq!(handler.owner(), Some("host"));
    assert!(handler.location().file().ends_with("bindings.rs"));
}

#[test]
fn a_host_may_bring_bindings_of_its_own_kind() {
    // R-BUS-24
    let observes = |bus: &Bus| bus.observe(|_| {});
    let mut listener =
        Listener::new(move || vec![Box::new(observes) as Box<dyn Binding>, Box::new(push("a"))]);
    let bus = Bus::new();
    listener.attach(&bus).unwrap();
    assert_eq!(bus.subscriptions(), 2);
}

#[test]
fn a_listener_attaches_once_and_detaches_completely() {
    // R-BUS-25
    let asked = Arc::new(AtomicU32::new(0));
    let asking = Arc::clone(&asked);
    let mut listener = Listener::new(move || {
        asking.fetch_add(1, Ordering::Relaxed);
        vec![Box::new(push("a")) as Box<dyn Binding>, Box::new(push("b"))]
    });
    let bus = Bus::new();
    listener.attach(&bus).unwrap();
    listener.attach(&bus).unwrap();
    assert_eq!((said(&bus, None), asked.load(Ordering::Relaxed)), ("ab".to_owned(), 1));
    listener.detach();
    listener.detach();
    assert_eq!((said(&bus, None), bus.subscriptions()), (String::new(), 0));
}

#[test]
fn a_listener_moves_from_bus_to_bus_and_asks_anew_what_to_bind() {
    // R-BUS-25
    let texts = Arc::new(std::sync::Mutex::new("old"));
    let current = Arc::clone(&texts);
    let mut listener =
        Listener::new(move || vec![Box::new(push(*current.lock().unwrap())) as Box<dyn Binding>]);
    let (one, two) = (Bus::new(), Bus::new());
    listener.attach(&one).unwrap();
    *texts.lock().unwrap() = "new";
    listener.detach();
    listener.attach(&two).unwrap();
    assert_eq!((said(&one, None), said(&two, None)), (String::new(), "new".to_owned()));
    drop(listener);
    assert_eq!(two.subscriptions(), 0);
}

#[test]
fn a_listener_that_meets_a_closed_bus_stays_detached() {
    let mut listener = Listener::new(|| vec![Box::new(push("a")) as Box<dyn Binding>]);
    let bus = Bus::new();
    bus.close();
    assert_eq!(listener.attach(&bus).unwrap_err(), BusClosed);
    assert!(!listener.is_attached());
    listener.attach(&Bus::new()).unwrap();
    assert!(listener.is_attached());
}
