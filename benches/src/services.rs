//! Looking services up.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    hint::black_box,
    sync::{
        Arc, Barrier, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use jackfield::{Pin, PluginRuntime, Priority, RuntimeSettings};

use crate::{
    alloc,
    fixture::{Made, Thing, one_thread, slots, with_global},
    measure::Contender,
    table::{Goal, Group, Planned, Unit},
};

pub(crate) fn run(group: &mut Group) {
    let tokio = one_thread();
    let slots = slots(0..100);
    let plain = tokio.block_on(with_global([Made::empty(0).offering(&slots)], RuntimeSettings::default()));
    let contested = tokio.block_on(contested(&slots));
    let (slot, floor) = (slots[50], TypedMap::of_a_hundred());
    let registry = plain.global().registry();

    let mut watch = registry.watch(slot);
    let mut watched = Watched::new();
    let jackfield = Contender::each("Jackfield", move || watch.get().map_or(0, |thing| thing.value()));
    group.measure(
        Planned::new("read through a watched handle", Unit::Nanos, jackfield)
            .goal(Goal::Ratio(2.0))
            .floor(Contender::each("generation check", move || black_box(&mut watched).get().value())),
    );

    let warm = || {
        let mut reader = registry.reader();
        slots.iter().for_each(|slot| drop(reader.get(*slot)));
        reader
    };
    let mut reader = warm();
    let borrowed = Contender::each("Jackfield", move || {
        black_box(&mut reader).get(slot).map_or(0, |thing| thing.value())
    });
    group.measure(
        Planned::new("resolve by slot, borrowed (100 slots)", Unit::Nanos, borrowed)
            .goal(Goal::Ratio(1.3))
            .floor(Contender::each("typed map", || {
                black_box(&floor).get::<Thing>().map(|thing| thing.value())
            })),
    );

    let shared =
        |name, registry| Contender::each(name, move || jackfield::Registry::resolve(registry, slot).ok());
    let cloned = || Contender::each("typed map", || black_box(&floor).get::<Thing>().cloned());
    let mut reader = warm();
    let jackfield = Contender::each("Jackfield", move || black_box(&mut reader).get(slot).cloned().ok());
    group.measure(
        Planned::new("resolve by slot, Arc", Unit::Nanos, jackfield)
            .goal(Goal::Ratio(1.3))
            .floor(cloned())
            .peers(peers::resolve(&tokio)),
    );
    let swapped = ArcSwap::from_pointee(TypedMap::of_a_hundred());
    let locked = RwLock::new(TypedMap::of_a_hundred());
    group.measure(
        Planned::new("resolve by slot, Arc, through the handle that all share", Unit::Nanos, {
            shared("Jackfield", registry)
        })
        .goal(Goal::Ratio(1.3))
        .floor(cloned())
        .peers([
            Contender::each("typed map in an ArcSwap", move || swapped.load().get::<Thing>().cloned()),
            Contender::each("typed map in an RwLock", move || locked.read().ok()?.get::<Thing>().cloned()),
        ]),
    );
    group.note(
        "\"resolve by slot, borrowed\" and \"Arc\" are through a `Reader`; the rows below them through the `Registry` that \
         all share. Its peers are the floor's map where it can be replaced while others read, as a registry can.",
    );
    group.measure(
        Planned::new(
            "the same with overrides and five competing priorities",
            Unit::Nanos,
            shared("Jackfield", contested.global().registry()),
        )
        .goal(Goal::Ratio(1.05))
        .floor(shared("the row above", registry)),
    );

    let other = tokio.block_on(with_global([Made::empty(0).offering(&slots)], RuntimeSettings::default()));
    let of_registry = |registry: &jackfield::Registry| {
        let mut watch = registry.watch(slot);
        move || watch.get().map_or(0, |thing| thing.value())
    };
    let on_one_slot = |_| of_registry(registry);
    let apart = |thread| of_registry([registry, other.global().registry()][thread]);
    let locked = RwLock::new(Thing(1));
    let lock = |_| || locked.read().map_or(0, |thing| thing.value());
    group.measure(
        Planned::new(
            "two threads on one slot, borrowed",
            Unit::Nanos,
            Contender::new("Jackfield", on_threads(2, on_one_slot)),
        )
        .goal(Goal::Ratio(1.2))
        .floor(Contender::new("one thread", on_threads(1, on_one_slot)))
        .peers([
            Contender::new("two runtimes, a thread each", on_threads(2, apart)),
            Contender::new("RwLock", on_threads(2, lock)),
        ]),
    );
    group.note(
        "\"two threads\" is the time of one read while another thread reads too, the mean of both. On two runtimes the \
         threads share nothing: what that takes more than one thread is the machine's, whose cores are slower when all are \
         busy, or busy with something else.",
    );

    let sizes = [10, 100, 1_000, 10_000];
    let all: Vec<_> = sizes.iter().map(|size| (*size, crate::fixture::slots(0..*size))).collect();
    let worlds: Vec<_> = all
        .iter()
        .map(|(_, slots)| {
            tokio.block_on(with_global([Made::empty(0).offering(slots)], RuntimeSettings::default()))
        })
        .collect();
    let ten_of = |place: usize| {
        let (size, slots) = &all[place];
        let ten: Vec<_> = (0..10).map(|n| slots[n * size / 10]).collect();
        let registry = worlds[place].global().registry();
        let mut next = 0;
        Contender::each("Jackfield", move || {
            next = (next + 1) % 10;
            registry.resolve(ten[next]).ok()
        })
    };
    group.measure(
        Planned::new("10 → 10,000 slots", Unit::Nanos, ten_of(3)).goal(Goal::Ratio(1.6)).floor(ten_of(0)),
    );
    group.note("\"10 → 10,000 slots\": ten slots in turn, of 10,000 (Jackfield) and of 10 (floor).");
    let mut place = 0;
    group.grow("resolve by slot", Unit::Nanos, Goal::None, &sizes, |_| {
        place += 1;
        ten_of(place - 1)
    });

    memory(group, &plain);
}

fn memory(group: &mut Group, runtime: &PluginRuntime) {
    let slot = slots(50..51)[0];
    let registry = runtime.global().registry();
    let (_, allocated) = alloc::during(|| (0..1_000).for_each(|_| drop(registry.resolve(slot))));
    group.figure(
        "resolve by slot: allocations",
        Unit::Allocations,
        allocated.times as f64 / 1e3,
        None,
        Goal::AtMost(0.0),
    );
    let tokio = one_thread();
    let count = 10_000;
    let slots = slots(0..count);
    let (_runtime, allocated) = alloc::during(|| {
        tokio.block_on(with_global([Made::empty(0).offering(&slots)], RuntimeSettings::default()))
    });
    group.allocated("a slot with one candidate, of 10,000", allocated, count);
}

/// The same slots, with candidates of five plugins whose priorities and switches come from the settings.
async fn contested(slots: &[jackfield::Slot<Thing>]) -> PluginRuntime {
    let plugins = (0..5).map(|n| Made::empty(n).offering(slots).at(Priority::new(100 * n as i64)));
    let mut settings = RuntimeSettings::default();
    for slot in slots {
        let pin = |plugin: usize| Pin::new(Made::empty(plugin).id().clone(), *slot);
        settings.service_mut(pin(0)).priority = Some(Priority::SYSTEM);
        settings.service_mut(pin(4)).enabled = false;
        settings.service_mut(pin(3)).priority = Some(Priority::LOWEST);
    }
    with_global(plugins, settings).await
}

/// The time of one operation on each of so many threads at once: the mean of all.
fn on_threads<T, Op: FnMut() -> T + Send>(
    threads: usize,
    make: impl Fn(usize) -> Op,
) -> impl FnMut(u64) -> Duration {
    move |times| {
        let barrier = Barrier::new(threads);
        let run = |mut op: Op| {
            barrier.wait();
            let start = Instant::now();
            for _ in 0..times {
                black_box(op());
            }
            start.elapsed()
        };
        let mine = make(0);
        let taken: Duration = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(&make).map(|op| scope.spawn(|| run(op))).collect();
            let mine = run(mine);
            others.into_iter().map(|other| other.join().expect("no thread panics")).sum::<Duration>() + mine
        });
        taken / threads as u32
    }
}

/// The least that following a slot can cost: see whether anything has changed, and borrow.
struct Watched {
    generation: Arc<AtomicU64>,
    seen: u64,
    thing: Arc<Thing>,
}

impl Watched {
    fn new() -> Self {
        Self { generation: Arc::default(), seen: 0, thing: Arc::new(Thing(1)) }
    }

    #[inline]
    fn get(&mut self) -> &Arc<Thing> {
        let generation = self.generation.load(Ordering::Acquire);
        if generation != self.seen {
            self.seen = generation;
            self.thing = Arc::new(Thing(generation));
        }
        &self.thing
    }
}

/// The least that a lookup can cost: a map by type that never changes, and a downcast.
pub(crate) struct TypedMap(HashMap<TypeId, Box<dyn Any + Send + Sync>, BuildHasherDefault<AsItIs>>);

/// The hash of a type's id is its id.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// A type for each number.
#[cfg_attr(feature = "peers", derive(bevy_ecs::prelude::Resource, Clone))]
pub(crate) struct Tag<const N: usize>(
    #[allow(dead_code, reason = "only peers read it")] pub(crate) Arc<Thing>,
);

/// `$do!(0 0)` to `$do!(9 9)`.
macro_rules! a_hundred {
    ($do:ident) => {
        a_hundred!(@ten $do 0 1 2 3 4 5 6 7 8 9);
    };
    (@ten $do:ident $($tens:literal)*) => {
        $($do!($tens 0); $do!($tens 1); $do!($tens 2); $do!($tens 3); $do!($tens 4);
          $do!($tens 5); $do!($tens 6); $do!($tens 7); $do!($tens 8); $do!($tens 9);)*
    };
}
#[cfg(feature = "peers")]
pub(crate) use a_hundred;

impl TypedMap {
    pub(crate) fn of_a_hundred() -> Self {
        let mut map = Self(HashMap::default());
        macro_rules! insert {
            ($tens:literal $ones:literal) => {
                map.insert(Arc::new(Tag::<{ $tens * 10 + $ones }>(Arc::new(Thing(1)))));
            };
        }
        a_hundred!(insert);
        map.insert(Arc::new(Thing(1)));
        map
    }

    fn insert<T: Send + Sync + 'static>(&mut self, service: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), Box::new(service));
    }

    #[inline]
    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<&Arc<T>> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

#[cfg(feature = "peers")]
use crate::peers::services as peers;
#[cfg(not(feature = "peers"))]
mod peers {
    pub(super) fn resolve(_: &tokio::runtime::Runtime) -> [crate::measure::Contender<'static>; 0] {
        []
    }
}
