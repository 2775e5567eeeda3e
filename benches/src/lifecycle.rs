//! Plugins that come and go, sessions that open and close, and settings that change.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use arc_swap::ArcSwap;
use jackfield::{PluginRuntime, RuntimeSettings, Session};
use tokio::runtime::{Builder, Runtime};

use crate::{
    alloc,
    fixture::{
        Made, Thing, Tick, awaiting, one_thread, session, sessions, slots, twenty, with_plugins, without,
    },
    measure::Contender,
    table::{Goal, Group, Planned, Unit},
};

pub(crate) fn run(group: &mut Group) {
    attaching(group);
    opening(group);
    toggling(group);
    planning(group);
    equal_settings(group);
    two_cores(group);
    growth(group);
    memory(group);
    flat_memory(group);
}

fn empty(count: usize) -> Vec<Made> {
    (0..count).map(Made::empty).collect()
}

/// Changes of settings to and fro; what is measured is one there and one back.
fn to_and_fro(
    tokio: &Runtime,
    runtime: PluginRuntime,
    sessions: Vec<Session>,
    off: RuntimeSettings,
) -> Contender<'_> {
    let on = RuntimeSettings::default();
    let change = awaiting(tokio, async move || {
        let _open = &sessions;
        runtime.update_settings(off.clone()).await.expect("the change is made");
        runtime.update_settings(on.clone()).await.expect("the change is made");
    });
    Contender::new("Jackfield", change)
}

fn attaching(group: &mut Group) {
    let tokio = one_thread();
    let plugins = empty(100);
    let runtime = tokio.block_on(with_plugins(plugins.clone()));
    let open = tokio.block_on(sessions(&runtime, 1));
    group.measure(
        Planned::new(
            "attach + detach one empty plugin inside a change",
            Unit::Micros,
            to_and_fro(&tokio, runtime, open, without(&plugins)).doing(100),
        )
        .goal(Goal::AtMost(5.0))
        .peers(peers::load_and_dispose(&tokio)),
    );
    group.note(
        "\"attach + detach\": a hundred plugins go in one change and come back in another, per plugin.",
    );
    let runtime = tokio.block_on(with_plugins(empty(1)));
    let open = tokio.block_on(sessions(&runtime, 1));
    group.measure(Planned::new(
        "a whole change that detaches one plugin, and one that attaches it",
        Unit::Micros,
        to_and_fro(&tokio, runtime, open, without(&empty(1))),
    ));
}

fn opening(group: &mut Group) {
    let tokio = one_thread();
    let runtime = tokio.block_on(with_plugins(twenty()));
    let open = awaiting(&tokio, async || {
        let session = session(&runtime).await;
        session.close().await.expect("it closes")
    });
    group.measure(
        Planned::new(
            "open + close a session of 20 plugins, 20 services, 20 handlers",
            Unit::Micros,
            Contender::new("Jackfield", open),
        )
        .goal(Goal::Ratio(4.0))
        .floor(Contender::each("bare vectors and maps", || drop(black_box(BareSession::open())))),
    );
    let count = 100;
    let (_open, mine) = alloc::during(|| tokio.block_on(sessions(&runtime, count)));
    let (_bare, bare) = alloc::during(|| (0..count).map(|_| BareSession::open()).collect::<Vec<_>>());
    let each = |bytes: i64| bytes as f64 / count as f64;
    group.figure(
        "a session of 20 plugins, 20 services, 20 handlers: bytes",
        Unit::Bytes,
        each(mine.kept),
        Some(each(bare.kept)),
        Goal::Ratio(3.0),
    );
    let times = |times: u64| times as f64 / count as f64;
    group.figure(
        "opening such a session: allocations",
        Unit::Allocations,
        times(mine.times),
        Some(times(bare.times)),
        Goal::None,
    );
}

/// The least that a session can be: who takes part, a map of services by name, and a list of handlers by type.
struct BareSession {
    plugins: Vec<&'static str>,
    services: HashMap<&'static str, Arc<dyn Any + Send + Sync>>,
    handlers: HashMap<TypeId, Vec<Box<dyn Fn(&mut Tick) + Send + Sync>>>,
}

impl BareSession {
    fn open() -> Self {
        const NAMES: [&str; 20] = [
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
            "t",
        ];
        let mut bare = Self { plugins: Vec::new(), services: HashMap::new(), handlers: HashMap::new() };
        for (number, name) in NAMES.into_iter().enumerate() {
            bare.plugins.push(name);
            bare.services.insert(name, Arc::new(Thing(1)));
            let handlers = bare.handlers.entry(TypeId::of::<Tick>()).or_default();
            handlers.push(Box::new(move |tick| tick.0 += number as u64));
        }
        bare
    }
}

fn toggling(group: &mut Group) {
    let tokio = one_thread();
    let plugins = empty(100);
    let runtime = tokio.block_on(with_plugins(plugins.clone()));
    let open = tokio.block_on(sessions(&runtime, 100));
    let mut writes: Vec<_> = (0..100).map(|_| Writes::new(100)).collect();
    let write = move || {
        writes.iter_mut().for_each(Writes::off);
        writes.iter_mut().for_each(Writes::on);
    };
    group.measure(
        Planned::new(
            "toggle 1 of 100 plugins in 100 sessions",
            Unit::Micros,
            to_and_fro(&tokio, runtime, open, without(&plugins[50..51])).doing(2),
        )
        .goal(Goal::Ratio(10.0))
        .floor(Contender::each("writes alone", write).doing(2)),
    );
    let sizes = [10, 100, 1_000];
    group.grow(
        "toggle 1 plugin there and back in a session, of plugins",
        Unit::Micros,
        Goal::AtMost(0.1),
        &sizes,
        |size| {
            let plugins = empty(size);
            let runtime = tokio.block_on(with_plugins(plugins.clone()));
            let open = tokio.block_on(sessions(&runtime, 1));
            to_and_fro(&tokio, runtime, open, without(&plugins[size / 2..=size / 2]))
        },
    );
    group.note(
        "\"toggle 1 plugin … : growth\" should be flat, an exponent of 0, in plugins that do not change.",
    );
}

/// What a change of one plugin has to write in one session: who is attached, what readers see, and that it is new.
struct Writes {
    attached: Vec<usize>,
    view: ArcSwap<usize>,
    generation: AtomicU64,
}

impl Writes {
    fn new(plugins: usize) -> Self {
        Self { attached: (0..plugins).collect(), view: ArcSwap::default(), generation: AtomicU64::new(0) }
    }

    fn off(&mut self) {
        self.attached.pop();
        self.publish();
    }

    fn on(&mut self) {
        self.attached.push(1);
        self.publish();
    }

    fn publish(&self) {
        self.view.store(Arc::new(self.attached.len()));
        self.generation.fetch_add(1, Ordering::Release);
    }
}

fn planning(group: &mut Group) {
    let tokio = one_thread();
    let plugins = empty(1_000);
    let runtime = tokio.block_on(with_plugins(plugins.clone()));
    let _sessions = tokio.block_on(sessions(&runtime, 100));
    let off = without(&plugins[500..501]);
    let plan = Contender::each("Jackfield", || runtime.plan(&off));
    group.measure(
        Planned::new("plan for 1,000 plugins × 100 sessions, one toggle", Unit::Millis, plan)
            .goal(Goal::AtMost(1.0)),
    );
}

fn equal_settings(group: &mut Group) {
    let tokio = one_thread();
    let (slot_count, plugin_count) = group.scale((1_000, 50), (10_000, 50));
    let slots = slots(0..slot_count);
    let plugins: Vec<_> = (0..plugin_count).map(|n| Made::empty(n).offering(&slots)).collect();
    let settings = without(&plugins[7..8]);
    let runtime = tokio.block_on(with_plugins(plugins));
    let _session = tokio.block_on(session(&runtime));
    tokio.block_on(runtime.update_settings(settings.clone())).expect("the change is made");
    let again = |settings: Arc<RuntimeSettings>| {
        let runtime = &runtime;
        awaiting(&tokio, async move || runtime.update_settings(RuntimeSettings::clone(&settings)).await)
    };
    let size = format!("{slot_count} slots × {plugin_count} registrations");
    for (which, settings, goal) in
        [("the same value", runtime.settings(), 1.0), ("an equal one", Arc::new(settings), 200.0)]
    {
        let name = format!("equal settings again, {size}: {which}");
        let contender = Contender::new("Jackfield", again(settings));
        group.measure(Planned::new(name, Unit::Micros, contender).goal(Goal::AtMost(goal)));
    }
    group.note("\"equal settings again\": settings are handed over by value, so \"the same value\" is a clone of those in force.");
}

fn two_cores(group: &mut Group) {
    reconcile_on_two_cores(group, "session reconcile, two cores", 5_000, Goal::AtLeast(1.7));
    reconcile_on_two_cores(group, "session reconcile, two cores, hooks a tenth as long", 500, Goal::None);
    group.note(
        "\"session reconcile, two cores\": how much faster than on one, where a hook calculates for some 200 µs; less where others use the cores.",
    );
}

fn reconcile_on_two_cores(group: &mut Group, name: &str, work: u32, goal: Goal) {
    let plugins: Vec<_> = (0..2).map(|n| Made::empty(n).working(work)).collect();
    let on = |threads: usize| {
        let tokio = Builder::new_multi_thread().worker_threads(threads).enable_time().build();
        let tokio = tokio.expect("a Tokio runtime");
        let runtime = tokio.block_on(with_plugins(plugins.clone()));
        let sessions = tokio.block_on(sessions(&runtime, 100));
        let (off, on) = (without(&plugins), RuntimeSettings::default());
        move |times: u64| {
            let _sessions = &sessions;
            (0..times)
                .map(|_| {
                    let change = |settings: &RuntimeSettings| {
                        let (runtime, settings) = (runtime.clone(), settings.clone());
                        let change = tokio.spawn(async move {
                            let start = Instant::now();
                            runtime.update_settings(settings).await.map(|_| start.elapsed())
                        });
                        tokio.block_on(change).expect("no panic").expect("the change is made")
                    };
                    change(&off);
                    change(&on) // hooks calculate when they attach
                })
                .sum()
        }
    };
    let (two, one) = (Contender::new("two cores", on(2)), Contender::new("one core", on(1)));
    group.speed_up(name, two, one, goal);
}

fn growth(group: &mut Group) {
    let tokio = one_thread();
    let sizes: &[usize] = group.scale(&[10, 100, 1_000], &[10, 100, 1_000, 10_000]);
    group.grow("start and shut down, of session plugins", Unit::Micros, Goal::None, sizes, |size| {
        let plugins = empty(size);
        let cycle = awaiting(&tokio, async move || {
            let runtime = with_plugins(plugins.clone()).await;
            runtime.shutdown().await
        });
        Contender::new("Jackfield", cycle)
    });
    group.grow("open + close a session, of plugins", Unit::Micros, Goal::None, sizes, |size| {
        let runtime = tokio.block_on(with_plugins(empty(size)));
        let cycle = awaiting(&tokio, async move || session(&runtime).await.close().await.is_ok());
        Contender::new("Jackfield", cycle)
    });
    let sizes = [10, 100, 1_000, 10_000];
    group.grow("open + close an empty session beside sessions", Unit::Micros, Goal::None, &sizes, |size| {
        let runtime = tokio.block_on(with_plugins([]));
        let beside = tokio.block_on(sessions(&runtime, size));
        let cycle = awaiting(&tokio, async move || {
            let _beside = &beside;
            session(&runtime).await.close().await.is_ok()
        });
        Contender::new("Jackfield", cycle)
    });
    group.grow("toggle 1 plugin there and back in sessions", Unit::Micros, Goal::None, &sizes, |size| {
        let runtime = tokio.block_on(with_plugins(empty(1)));
        let open = tokio.block_on(sessions(&runtime, size));
        to_and_fro(&tokio, runtime, open, without(&empty(1)))
    });
}

fn memory(group: &mut Group) {
    let tokio = one_thread();
    let count = 1_000;
    let (runtime, allocated) = alloc::during(|| tokio.block_on(with_plugins(empty(count))));
    group.allocated("a registered plugin, of 1,000", allocated, count);
    drop(runtime);
    let runtime = tokio.block_on(with_plugins([]));
    let count = 1_000;
    let (_open, allocated) = alloc::during(|| tokio.block_on(sessions(&runtime, count)));
    group.allocated("an idle session without plugins, of 1,000", allocated, count);
}

fn flat_memory(group: &mut Group) {
    let tokio = one_thread();
    let (count, rounds) = group.scale((2_000, 3), (10_000, 100));
    let runtime = tokio.block_on(with_plugins(twenty()));
    let open_and_close = || {
        let (open, allocated) = alloc::during(|| tokio.block_on(sessions(&runtime, count)));
        tokio.block_on(async {
            for session in open {
                session.close().await.expect("it closes");
            }
        });
        allocated
    };
    let (open, grown) = {
        let mut open = alloc::Allocated { times: 0, kept: 0 };
        let (_, _warm) = alloc::during(|| open = open_and_close());
        let (_, grown) = alloc::during(|| (0..rounds).for_each(|_| _ = open_and_close()));
        (open, grown)
    };
    group.allocated(&format!("an idle session of 20 plugins, of {count}"), open, count);
    group.figure(
        format!("{count} sessions opened and closed {rounds} times: bytes left behind, per session"),
        Unit::Bytes,
        grown.kept as f64 / (count * rounds) as f64,
        None,
        Goal::AtMost(0.1),
    );
}

#[cfg(feature = "peers")]
use crate::peers::lifecycle as peers;
#[cfg(not(feature = "peers"))]
mod peers {
    pub(super) fn load_and_dispose(_: &tokio::runtime::Runtime) -> [crate::measure::Contender<'static>; 0] {
        []
    }
}
