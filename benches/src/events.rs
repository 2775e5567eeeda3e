//! Emitting events.

use std::{
    any::TypeId,
    collections::HashMap,
    hash::BuildHasherDefault,
    hint::black_box,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use jackfield::{Bus, BusClosed, Envelope, Priority, Subscription};

use crate::{
    alloc,
    fixture::{Tick, awaiting, one_thread},
    measure::Contender,
    services::AsItIs,
    table::{Goal, Group, Planned, Unit},
};

const HANDLERS: [usize; 3] = [1, 10, 100];

pub(crate) fn run(group: &mut Group) {
    let tokio = one_thread();
    for (handlers, goal) in HANDLERS.into_iter().zip([1.3, 1.1, 1.1]) {
        let name = format!("sync emit through a topic handle, per handler of {handlers}");
        group.measure(
            Planned::new(name, Unit::Nanos, by_topic("Jackfield", handlers, &plain(handlers)))
                .goal(Goal::Ratio(goal))
                .floor(closures(handlers))
                .peers(peers::in_process(handlers)),
        );
    }
    for (handlers, goal) in HANDLERS.into_iter().zip([2.0, 1.3, 1.1]) {
        let name = format!("sync emit by type, per handler of {handlers}");
        let bus = plain(handlers);
        let jackfield = Contender::each("Jackfield", move || bus.emit_sync(Tick(1)).map(|tick| tick.0).ok())
            .doing(handlers);
        group.measure(
            Planned::new(name, Unit::Nanos, jackfield)
                .goal(Goal::Ratio(goal))
                .floor(closures(handlers))
                .peers(peers::of_runtimes(&tokio, handlers)),
        );
    }
    for handlers in HANDLERS {
        let name = format!("priorities, stop, mutation, panic isolation in use, per handler of {handlers}");
        group.measure(
            Planned::new(name, Unit::Nanos, by_topic("Jackfield", handlers, &with_everything(handlers)))
                .goal(Goal::Ratio(1.1))
                .floor(by_topic("by topic", handlers, &plain(handlers))),
        );
    }
    for handlers in HANDLERS {
        let name = format!("async emit, sync handlers only, per handler of {handlers}");
        let (bus, floor) = (plain(handlers), Either::sync(handlers));
        let mut topic = bus.topic::<Tick>();
        let jackfield = awaiting(&tokio, async move || topic.emit(Tick(1)).await.map(|tick| tick.0).ok());
        let floor = awaiting(&tokio, async move || floor.run(Tick(1)).await);
        group.measure(
            Planned::new(name, Unit::Nanos, Contender::new("Jackfield", jackfield).doing(handlers))
                .goal(Goal::Ratio(1.3))
                .floor(Contender::new("enum dispatch", floor).doing(handlers)),
        );
    }
    for handlers in HANDLERS {
        let name = format!("async emit, ready async handlers, per handler of {handlers}");
        let (bus, floor) = (asynchronous(handlers), Either::asynchronous(handlers));
        let mut topic = bus.topic::<Tick>();
        let jackfield = awaiting(&tokio, async move || topic.emit(Tick(1)).await.map(|tick| tick.0).ok());
        let floor = awaiting(&tokio, async move || floor.run(Tick(1)).await);
        group.measure(
            Planned::new(name, Unit::Nanos, Contender::new("Jackfield", jackfield).doing(handlers))
                .goal(Goal::Ratio(1.2))
                .floor(Contender::new("boxed futures", floor).doing(handlers)),
        );
    }
    nobody(group);
    registering(group);
    growth(group);
    memory(group);
}

/// A bus with so many handlers, until it is dropped.
fn listening(handlers: usize, subscribe: impl Fn(&Bus, usize) -> Result<Subscription, BusClosed>) -> Bus {
    let bus = Bus::new();
    for number in 0..handlers {
        subscribe(&bus, number).expect("the bus is open").until_closed();
    }
    bus
}

fn plain(handlers: usize) -> Bus {
    listening(handlers, |bus, _| bus.on(add))
}

fn add(tick: &mut Envelope<Tick>) {
    tick.0 = tick.0.wrapping_add(1);
}

/// Each at a priority of its own, all change the payload, all may fail, and the last one stops it.
fn with_everything(handlers: usize) -> Bus {
    fn may_fail(tick: &mut Envelope<Tick>) -> Result<(), jackfield::BoxError> {
        add(tick);
        Ok(())
    }
    fn stops(tick: &mut Envelope<Tick>) -> Result<(), jackfield::BoxError> {
        add(tick);
        tick.stop_as_is();
        Ok(())
    }
    listening(handlers, |bus, number| {
        let options = bus.handler().priority(Priority::new(number as i64));
        if number == 0 { options.on(stops) } else { options.on(may_fail) }
    })
}

fn asynchronous(handlers: usize) -> Bus {
    listening(handlers, |bus, _| bus.on_async(add_later))
}

fn add_later(tick: &mut Envelope<Tick>) -> BoxFuture<'_, ()> {
    Box::pin(async move { tick.0 = tick.0.wrapping_add(1) })
}

fn by_topic(name: &'static str, handlers: usize, bus: &Bus) -> Contender<'static> {
    let mut topic = bus.topic::<Tick>();
    Contender::each(name, move || topic.emit_sync(Tick(1)).map(|tick| tick.0).ok()).doing(handlers)
}

/// The least that a synchronous emit can cost: a loop over closures.
fn closures(handlers: usize) -> Contender<'static> {
    type Handler = Box<dyn Fn(&mut Tick) + Send + Sync>;
    let add = || -> Handler { Box::new(|tick| tick.0 = tick.0.wrapping_add(1)) };
    let list: Vec<Handler> = (0..handlers).map(|_| add()).collect();
    let emit = move || {
        let mut tick = black_box(Tick(1));
        for handler in black_box(&list) {
            handler(&mut tick);
        }
        tick
    };
    Contender::each("closures", emit).doing(handlers)
}

/// The least that an emit to both kinds of handlers can cost: tell them apart, and await one of them.
struct Either(Vec<Kind>);

enum Kind {
    Sync(Box<dyn Fn(&mut Tick) + Send + Sync>),
    Async(Box<dyn for<'a> Fn(&'a mut Tick) -> BoxFuture<'a, ()> + Send + Sync>),
}

impl Either {
    fn sync(handlers: usize) -> Self {
        Self((0..handlers).map(|_| Kind::Sync(Box::new(|tick| tick.0 = tick.0.wrapping_add(1)))).collect())
    }

    fn asynchronous(handlers: usize) -> Self {
        fn add(tick: &mut Tick) -> BoxFuture<'_, ()> {
            Box::pin(async move { tick.0 = tick.0.wrapping_add(1) })
        }
        Self((0..handlers).map(|_| Kind::Async(Box::new(add))).collect())
    }

    async fn run(&self, tick: Tick) -> Tick {
        let mut tick = black_box(tick);
        for handler in black_box(&self.0) {
            match handler {
                Kind::Sync(call) => call(&mut tick),
                Kind::Async(call) => call(&mut tick).await,
            }
        }
        tick
    }
}

/// An event that nobody wants.
struct Unheard(u64);

fn nobody(group: &mut Group) {
    let floor = || {
        let topics: HashMap<TypeId, u64, BuildHasherDefault<AsItIs>> =
            (0..1).map(|number| (TypeId::of::<Tick>(), number)).collect();
        Contender::each("map lookup", move || black_box(&topics).get(&TypeId::of::<Unheard>()).is_some())
    };
    let by_type = plain(10);
    let jackfield = Contender::each("Jackfield", move || by_type.emit_sync(Unheard(1)).map(|it| it.0).ok());
    group.measure(
        Planned::new("emit with nobody listening, by type", Unit::Nanos, jackfield)
            .goal(Goal::AtMost(5.0))
            .floor(floor()),
    );
    let by_topic = plain(10);
    let mut topic = by_topic.topic::<Unheard>();
    let jackfield = Contender::each("Jackfield", move || topic.emit_sync(Unheard(1)).map(|it| it.0).ok());
    group.measure(
        Planned::new("emit with nobody listening, by topic", Unit::Nanos, jackfield)
            .goal(Goal::AtMost(5.0))
            .floor(floor()),
    );
}

fn registering(group: &mut Group) {
    const MANY: usize = 100_000;
    /// The time of making something, without that of dropping it.
    fn making<T>(make: impl Fn() -> T) -> impl FnMut(u64) -> Duration {
        move |times| {
            let making = |_| {
                let start = Instant::now();
                let made = make();
                let taken = start.elapsed();
                drop(made);
                taken
            };
            (0..times).map(making).sum()
        }
    }
    let jackfield = making(|| {
        let bus = listening(MANY, |bus, number| bus.handler().priority(Priority::new(number as i64)).on(add));
        bus.emit_sync(Tick(1)).expect("no handler fails");
        bus
    });
    let floor = making(|| {
        type Handler = Box<dyn Fn(&mut Tick) + Send + Sync>;
        let mut handlers: Vec<(i64, Handler)> = Vec::new();
        for number in 0..MANY {
            handlers.push((number as i64, Box::new(move |tick| tick.0 += number as u64)));
        }
        handlers.sort_by_key(|(priority, _)| -priority);
        handlers
    });
    group.measure(
        Planned::new(
            "100,000 handlers registered with ascending priority",
            Unit::Millis,
            Contender::new("Jackfield", jackfield),
        )
        .goal(Goal::AtMost(50.0))
        .floor(Contender::new("push and sort", floor)),
    );
    group.note("\"100,000 handlers registered\" includes the first emit, which puts them in order.");
    let bus = plain(100);
    let jackfield = Contender::each("Jackfield", move || drop(bus.on(add)));
    group.measure(Planned::new("subscribe and cancel, beside 100 handlers", Unit::Nanos, jackfield));
}

fn growth(group: &mut Group) {
    let sizes = [10, 100, 1_000, 10_000];
    group.grow("sync emit by type to all handlers", Unit::Nanos, Goal::None, &sizes, |handlers| {
        let bus = plain(handlers);
        Contender::each("Jackfield", move || bus.emit_sync(Tick(1)))
    });
    group.grow("subscribe and cancel beside handlers", Unit::Nanos, Goal::None, &sizes, |handlers| {
        let bus = plain(handlers);
        Contender::each("Jackfield", move || drop(bus.on(add)))
    });
}

fn memory(group: &mut Group) {
    let bus = plain(100);
    let mut topic = bus.topic::<Tick>();
    topic.emit_sync(Tick(1)).expect("no handler fails");
    let (_, by_topic) = alloc::during(|| drop(topic.emit_sync(Tick(1))));
    let (_, by_type) = alloc::during(|| drop(bus.emit_sync(Tick(1))));
    for (name, allocated) in [("by topic", by_topic), ("by type", by_type)] {
        let name = format!("sync emit {name} to 100 handlers: allocations");
        group.figure(name, Unit::Allocations, allocated.times as f64, None, Goal::AtMost(0.0));
    }
    let count = 10_000;
    let bus = Bus::new();
    let subscribe = |_| bus.on(add).expect("the bus is open");
    let (_subscriptions, allocated) = alloc::during(|| (0..count).map(subscribe).collect::<Vec<_>>());
    group.allocated("a handler, of 10,000, with its subscription", allocated, count);
    let (_, allocated) = alloc::during(|| bus.topic::<Tick>());
    group.allocated("a topic handle", allocated, 1);
}

#[cfg(feature = "peers")]
use crate::peers::events as peers;
#[cfg(not(feature = "peers"))]
mod peers {
    use crate::measure::Contender;

    pub(super) fn in_process(_: usize) -> [Contender<'static>; 0] {
        []
    }
    pub(super) fn of_runtimes(_: &tokio::runtime::Runtime, _: usize) -> [Contender<'static>; 0] {
        []
    }
}
