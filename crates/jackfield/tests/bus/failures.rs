//! What becomes of an emit when a handler does not do well.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use jackfield::{BoxError, Bus, EmitError, Envelope};

#[derive(Debug, PartialEq)]
struct OutOfTune(u32);

impl fmt::Display for OutOfTune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cents out of tune", self.0)
    }
}

impl std::error::Error for OutOfTune {}

#[derive(Debug)]
struct Note;

fn break_a_stick() {
    panic!("a stick broke");
}

fn counting(bus: &Bus) -> (Arc<AtomicU32>, jackfield::Subscription) {
    let calls = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&calls);
    let subscription = bus.on(move |_: &mut Envelope<Note>| {
        seen.fetch_add(1, Ordering::Relaxed);
    });
    (calls, subscription.unwrap())
}

#[test]
fn a_failing_handler_ends_the_dispatch_and_the_emitter_gets_its_error() {
    // R-BUS-15
    let bus = Bus::new();
    let _fails =
        bus.on(|_: &mut Envelope<Note>| -> Result<(), BoxError> { Err(OutOfTune(13).into()) }).unwrap();
    let (later, _later) = counting(&bus);
    let error = bus.emit_sync(Note).unwrap_err();
    let original = error.into_failure().unwrap().downcast::<OutOfTune>().unwrap();
    assert_eq!(*original, OutOfTune(13));
    assert_eq!(later.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_failing_async_handler_is_no_different() {
    // R-BUS-15
    let bus = Bus::new();
    let _fails = bus
        .on_async(|_: &mut Envelope<Note>| {
            Box::pin(async {
                tokio::task::yield_now().await;
                Err::<(), BoxError>(OutOfTune(1).into())
            })
        })
        .unwrap();
    let (later, _later) = counting(&bus);
    let error = bus.emit(Note).await.unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().is::<OutOfTune>());
    assert_eq!(later.load(Ordering::Relaxed), 0);
}

#[test]
fn the_error_says_whose_handler_it_was_and_where_it_came_from() {
    let bus = Bus::new();
    let _fails = bus
        .handler()
        .owner("tuner")
        .on(|_: &mut Envelope<Note>| -> Result<(), BoxError> { Err(OutOfTune(2).into()) })
        .unwrap();
    let error = bus.emit_sync(Note).unwrap_err();
    let EmitError::Failed { event, handler, .. } = &error else { panic!("{error:?}") };
    assert!(event.ends_with("Note"));
    assert_eq!(handler.owner(), Some("tuner"));
    assert!(handler.location().file().ends_with("failures.rs"));
    assert!(error.to_string().starts_with("the handler of `tuner` from "), "{error}");
}

#[test]
fn a_panic_is_contained_and_names_its_handler() {
    let bus = Bus::new();
    let _fine = bus.on(|_: &mut Envelope<Note>| {}).unwrap();
    let panics = bus.handler().owner("drums").on(|_: &mut Envelope<Note>| -> () { panic!("a stick broke") });
    let panics = panics.unwrap();
    let (later, _later) = counting(&bus);
    let error = bus.emit_sync(Note).unwrap_err();
    let EmitError::Panicked { handler, message, .. } = error else { panic!("{error:?}") };
    assert_eq!((handler.owner(), &*message), (Some("drums"), "a stick broke"));
    assert_eq!(later.load(Ordering::Relaxed), 0);

    drop(panics);
    bus.emit_sync(Note).unwrap();
    assert_eq!(later.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_panic_is_contained_before_and_after_an_await() {
    for late in [false, true] {
        let bus = Bus::new();
        let _fine = bus.on_async(|_: &mut Envelope<Note>| Box::pin(async {})).unwrap();
        let _panics = bus
            .handler()
            .owner("drums")
            .on_async(move |_: &mut Envelope<Note>| {
                Box::pin(async move {
                    if late {
                        tokio::task::yield_now().await;
                    }
                    break_a_stick();
                })
            })
            .unwrap();
        let error = bus.emit(Note).await.unwrap_err();
        assert!(matches!(&error, EmitError::Panicked { handler, .. } if handler.owner() == Some("drums")));
    }
}

#[test]
fn the_right_handler_is_named_among_general_and_addressed_ones() {
    let bus = Bus::new();
    let earlier = bus.handler().owner("first").priority(jackfield::Priority::SYSTEM);
    let _earlier = earlier.on(|_: &mut Envelope<Note>| {}).unwrap();
    let addressed = bus.handler().owner("second").identifier("x").priority(jackfield::Priority::HIGH);
    let _addressed = addressed.on(|_: &mut Envelope<Note>| -> () { panic!() }).unwrap();
    let _last = bus.handler().owner("third").on(|_: &mut Envelope<Note>| {}).unwrap();
    let error = bus.emission(Note).to("x").send_sync().unwrap_err();
    assert!(matches!(&error, EmitError::Panicked { handler, .. } if handler.owner() == Some("second")));
}

#[test]
fn a_sync_emit_runs_up_to_the_first_async_handler_and_says_so() {
    // R-BUS-14
    let bus = Bus::new();
    let (before, _before) = counting(&bus);
    let _waits = bus.handler().owner("slow").on_async(|_: &mut Envelope<Note>| Box::pin(async {})).unwrap();
    let (after, _after) = counting(&bus);
    let error = bus.emit_sync(Note).unwrap_err();
    assert!(matches!(&error, EmitError::Asynchronous { handler, .. } if handler.owner() == Some("slow")));
    assert_eq!((before.load(Ordering::Relaxed), after.load(Ordering::Relaxed)), (1, 0));
}

#[test]
fn an_async_handler_behind_a_stop_does_no_harm() {
    // R-BUS-14
    let bus = Bus::new();
    let _stops = bus.on(|note: &mut Envelope<Note>| note.stop(Note)).unwrap();
    let _waits = bus.on_async(|_: &mut Envelope<Note>| Box::pin(async {})).unwrap();
    assert!(bus.emit_sync(Note).unwrap().is_stopped());
}

/// A future that panics when it is polled, and again when it is dropped.
struct Twice;

impl Future for Twice {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        panic!("once")
    }
}

impl Drop for Twice {
    fn drop(&mut self) {
        panic!("twice");
    }
}

#[tokio::test]
async fn a_future_that_panics_again_when_it_is_dropped_is_contained_too() {
    let bus = Bus::new();
    let _panics = bus.handler().owner("drums").on_async(|_: &mut Envelope<Note>| Box::pin(Twice)).unwrap();
    let (later, _later) = counting(&bus);
    let errors = [bus.emit(Note).await.unwrap_err(), bus.topic::<Note>().emit(Note).await.unwrap_err()];
    for error in errors {
        let EmitError::Panicked { handler, message, .. } = error else { panic!("{error:?}") };
        assert_eq!((handler.owner(), &*message), (Some("drums"), "once"));
    }
    assert_eq!(later.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_future_that_panics_when_it_is_done_is_its_handlers_panic() {
    struct Late(Bomb);
    impl Future for Late {
        type Output = ();

        fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
            let _held = &self.0;
            std::task::Poll::Ready(())
        }
    }
    let bus = Bus::new();
    let _fine = bus.on_async(|_: &mut Envelope<Note>| Box::pin(async {})).unwrap();
    let late = bus.handler().owner("drums").on_async(|_: &mut Envelope<Note>| Box::pin(Late(Bomb)));
    let _late = late.unwrap();
    let error = bus.emit(Note).await.unwrap_err();
    assert!(matches!(&error, EmitError::Panicked { handler, .. } if handler.owner() == Some("drums")));
}

/// Panics with a payload whose own destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the destructor of a panic's payload");
    }
}

#[test]
fn a_panic_whose_payload_panics_is_contained_too() {
    let bus = Bus::new();
    let _panics = bus.on(|_: &mut Envelope<Note>| -> () { std::panic::panic_any(Bomb) }).unwrap();
    assert!(matches!(bus.emit_sync(Note), Err(EmitError::Panicked { .. })));
    assert!(matches!(bus.emit_sync(Note), Err(EmitError::Panicked { .. })));
}

#[test]
fn what_a_handler_captured_may_panic_when_dropped() {
    let bus = Bus::new();
    let holding = |bus: &Bus| {
        let bomb = Bomb;
        bus.on(move |_: &mut Envelope<Note>| {
            let _held = &bomb;
        })
    };
    let one = holding(&bus).unwrap();
    drop(one);
    let _two = holding(&bus).unwrap();
    let _three = holding(&bus).unwrap();
    bus.emit_sync(Note).unwrap();
    bus.close();
    assert_eq!(bus.subscriptions(), 0);
}

#[tokio::test]
async fn dropping_an_emit_ends_it_where_it_is() {
    let bus = Bus::new();
    let _waits = bus.on_async(|_: &mut Envelope<Note>| Box::pin(std::future::pending::<()>())).unwrap();
    let (later, _later) = counting(&bus);
    {
        let emit = bus.emit(Note);
        tokio::pin!(emit);
        assert!(futures_util::poll!(emit.as_mut()).is_pending());
    }
    assert_eq!(later.load(Ordering::Relaxed), 0);
    assert_eq!(bus.subscriptions(), 2);
}
