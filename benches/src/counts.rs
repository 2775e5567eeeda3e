//! Instructions of the hot paths, counted by valgrind: the same at every run, whatever else the machine does.
//!
//! What they were is kept in `counts.json`, beside the sources. A count says nothing of caches and branches; it says that
//! a path has become longer, and by how much.

use std::{
    collections::BTreeMap,
    hint::black_box,
    path::Path,
    process::{Command, ExitCode},
};

use jackfield::{Envelope, RuntimeSettings};

use crate::fixture::{
    Made, Tick, one_thread, session, sessions, slots, twenty, with_global, with_plugins, without,
};

/// By how many hundredths a path may change.
const TOLERANCE: f64 = 3.0;

const PATHS: [(&str, u64, fn(u64)); 14] = [
    ("read through a watched handle", 10_000, watched),
    ("resolve by slot, of 100", 10_000, resolve),
    ("resolve by slot through a reader, of 100", 10_000, read),
    ("sync emit by topic, 1 handler", 10_000, by_topic::<1>),
    ("sync emit by topic, 100 handlers", 1_000, by_topic::<100>),
    ("sync emit by type, 1 handler", 10_000, by_type),
    ("sync emit with nobody listening", 10_000, nobody),
    ("async emit by topic, 1 sync handler", 10_000, awaited::<1>),
    ("async emit by topic, 10 sync handlers", 10_000, awaited::<10>),
    ("async emit by topic, 10 async handlers", 10_000, awaiting),
    ("subscribe and cancel, beside 100 handlers", 10_000, subscribe),
    ("open and close a session of 20 plugins", 50, open),
    ("toggle 1 of 100 plugins in 100 sessions", 4, toggle),
    ("the same settings again, 50 plugins", 100, again),
];

/// What valgrind counts: it is told the name of this function.
#[inline(never)]
fn counted<T>(times: u64, mut op: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(op());
    }
}

/// Takes one path, for valgrind to watch.
pub(crate) fn walk(path: &str, times: u64) -> ExitCode {
    match PATHS.iter().find(|(name, _, _)| *name == path) {
        Some((_, _, walk)) => {
            walk(times);
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("bench: there is no path `{path}`.");
            ExitCode::from(2)
        }
    }
}

/// Counts all paths and compares them with what they were, or keeps them as what they are to be.
pub(crate) fn check(bless: bool) -> ExitCode {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.json");
    let kept: BTreeMap<String, f64> = std::fs::read_to_string(&file)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let mut now = BTreeMap::new();
    let mut moved = 0;
    for (name, times, _) in PATHS {
        let count = match count(name, times) {
            Ok(count) => count,
            Err(problem) => {
                eprintln!("bench: `{name}` was not counted: {problem}");
                return ExitCode::FAILURE;
            }
        };
        match kept.get(name) {
            Some(before) => {
                let change = (count / before - 1.0) * 100.0;
                let is_other = change.abs() > TOLERANCE;
                moved += usize::from(is_other);
                println!("{name:45} {count:12.1} {change:+8.2} % {}", if is_other { "✗" } else { "✓" });
            }
            None => {
                moved += 1;
                println!("{name:45} {count:12.1}      new ✗");
            }
        }
        now.insert(name, (count * 10.0).round() / 10.0);
    }
    if bless {
        let text = serde_json::to_string_pretty(&now).expect("a map of numbers") + "\n";
        return match std::fs::write(&file, text) {
            Ok(()) => {
                println!("Kept in {}.", file.display());
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("bench: {} was not written: {error}", file.display());
                ExitCode::FAILURE
            }
        };
    }
    if moved == 0 {
        return ExitCode::SUCCESS;
    }
    println!(
        "{moved} of {} paths have changed by more than {TOLERANCE} %, to the better or the worse. If that is as it should \
         be: `./dev bench --counts --bless`.",
        PATHS.len()
    );
    ExitCode::FAILURE
}

/// Instructions per operation.
fn count(path: &str, times: u64) -> Result<f64, String> {
    let myself = std::env::current_exe().map_err(|error| error.to_string())?;
    let asked = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=*counts*counted*")
        .arg(myself)
        .args(["--walk", path, &times.to_string()])
        .output();
    let answer = asked.map_err(|error| format!("valgrind did not start: {error}"))?;
    let told = String::from_utf8_lossy(&answer.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    match collected {
        Some(instructions) if instructions > 0.0 && answer.status.success() => {
            let instructions: f64 = instructions;
            Ok(instructions / times as f64)
        }
        _ => Err(format!("valgrind said:\n{told}")),
    }
}

fn watched(times: u64) {
    let tokio = one_thread();
    let slots = slots(0..100);
    let runtime = tokio.block_on(with_global([Made::empty(0).offering(&slots)], RuntimeSettings::default()));
    let mut watch = runtime.global().registry().watch(slots[50]);
    watch.get().expect("a service");
    counted(times, || watch.get().map_or(0, |thing| thing.value()));
}

fn resolve(times: u64) {
    let tokio = one_thread();
    let slots = slots(0..100);
    let runtime = tokio.block_on(with_global([Made::empty(0).offering(&slots)], RuntimeSettings::default()));
    let registry = runtime.global().registry();
    registry.resolve(slots[50]).expect("a service");
    counted(times, || registry.resolve(slots[50]).ok());
}

fn read(times: u64) {
    let tokio = one_thread();
    let slots = slots(0..100);
    let runtime = tokio.block_on(with_global([Made::empty(0).offering(&slots)], RuntimeSettings::default()));
    let mut reader = runtime.global().registry().reader();
    slots.iter().for_each(|slot| drop(reader.get(*slot)));
    counted(times, || reader.get(slots[50]).map_or(0, |thing| thing.value()));
}

/// A bus with so many handlers of `Tick`, until it is dropped.
fn bus(handlers: usize) -> jackfield::Bus {
    let bus = jackfield::Bus::new();
    for _ in 0..handlers {
        bus.on(|tick: &mut Envelope<Tick>| tick.0 += 1).expect("the bus is open").until_closed();
    }
    bus.emit_sync(Tick(0)).expect("no handler fails");
    bus
}

fn by_topic<const HANDLERS: usize>(times: u64) {
    let mut topic = bus(HANDLERS).topic::<Tick>();
    topic.emit_sync(Tick(0)).expect("no handler fails");
    counted(times, || topic.emit_sync(Tick(1)).map(|tick| tick.0).ok());
}

fn by_type(times: u64) {
    let bus = bus(1);
    counted(times, || bus.emit_sync(Tick(1)).map(|tick| tick.0).ok());
}

fn nobody(times: u64) {
    let bus = bus(1);
    counted(times, || bus.emit_sync("unheard").is_ok());
}

fn awaited<const HANDLERS: usize>(times: u64) {
    emit(times, &bus(HANDLERS));
}

fn awaiting(times: u64) {
    let bus = jackfield::Bus::new();
    for _ in 0..10 {
        bus.on_async(|tick: &mut Envelope<Tick>| Box::pin(async move { tick.0 += 1 }))
            .expect("the bus is open")
            .until_closed();
    }
    emit(times, &bus);
}

fn emit(times: u64, bus: &jackfield::Bus) {
    let mut topic = bus.topic::<Tick>();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    counted(times, || {
        let emit = std::pin::pin!(topic.emit(Tick(1)));
        emit.poll(&mut context).is_ready()
    });
}

fn subscribe(times: u64) {
    let bus = bus(100);
    counted(times, || drop(bus.on(|tick: &mut Envelope<Tick>| tick.0 += 1)));
}

fn open(times: u64) {
    let tokio = one_thread();
    let runtime = tokio.block_on(with_plugins(twenty()));
    let cycle = || tokio.block_on(async { session(&runtime).await.close().await.is_ok() });
    cycle();
    counted(times, cycle);
}

fn toggle(times: u64) {
    let tokio = one_thread();
    let plugins: Vec<_> = (0..100).map(Made::empty).collect();
    let runtime = tokio.block_on(with_plugins(plugins.clone()));
    let _open = tokio.block_on(sessions(&runtime, 100));
    let (off, on) = (without(&plugins[50..51]), RuntimeSettings::default());
    let change = || {
        tokio.block_on(async {
            runtime.update_settings(off.clone()).await.is_ok()
                && runtime.update_settings(on.clone()).await.is_ok()
        })
    };
    change();
    counted(times, change);
}

fn again(times: u64) {
    let tokio = one_thread();
    let slots = slots(0..100);
    let plugins: Vec<_> = (0..50).map(|number| Made::empty(number).offering(&slots)).collect();
    let settings = without(&plugins[7..8]);
    let runtime = tokio.block_on(with_plugins(plugins));
    let _session = tokio.block_on(session(&runtime));
    let change = || tokio.block_on(async { runtime.update_settings(settings.clone()).await.is_ok() });
    change();
    counted(times, change);
}
