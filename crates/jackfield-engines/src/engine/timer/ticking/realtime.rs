//! A tick, of the engines `worker`, `main` and `midi` alike, asks nothing of the system but what time it is, and it is told
//! that here.

use std::{
    sync::{Arc, atomic::AtomicBool, mpsc::channel},
    time::Duration,
};

use jackfield_testkit::{asks_nothing, fixtures, realtime};

use super::{Duty, Pulse, Ticking};
use crate::{
    console::Console,
    engine::timer::CatchUp,
    events::EventDispatcher,
    id::EngineId,
    instance::{Instance, Trap},
    memory::Value,
    midi::{MidiMapper, MidiMessage, PortMessage},
    program::{Limits, Program},
    project::{MidiSettings, Project},
    realtime::Rate,
};

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

/// Plays and hears, without a port.
struct Mapping {
    mapper: MidiMapper,
    heard: [PortMessage; 3],
    sent: Arc<AtomicBool>,
}

impl Duty for Mapping {
    fn before(&mut self, instance: &mut Instance) -> Result<(), Trap> {
        self.heard.iter().try_for_each(|came| self.mapper.deliver(instance, *came))
    }

    fn after(&mut self, instance: &Instance) {
        let Self { mapper, sent, .. } = self;
        mapper.after_cycle(instance, |_| sent.store(true, std::sync::atomic::Ordering::Relaxed));
    }

    fn broken(&mut self) {
        self.mapper.end(|_| {});
    }

    fn take_over(&mut self, _: &Instance, _: &MidiSettings) {}
}

fn ticking(
    name: &str,
    duty: impl FnOnce(&Project, &Instance) -> Option<Box<dyn Duty>>,
) -> (Ticking, Console) {
    let project = Project::load(fixtures::project(name)).unwrap();
    let instance = Program::compile(&project, &Limits::default()).unwrap().instantiate().unwrap();
    let (console, (_programs, incoming)) = (Console::new(), channel());
    let controls = console.connect(instance.program()).0;
    let duty = duty(&project, &instance);
    let ticking = Ticking {
        id: EngineId::new("worker"),
        instance,
        controls,
        incoming,
        load: console.load().probe(),
        console: console.clone(),
        events: EventDispatcher::new(),
        faulted: Arc::default(),
        pulse: Pulse::new(Rate::per_second(50.0).unwrap(), Duration::ZERO),
        catch_up: Arc::new(CatchUp::default),
        duty,
    };
    (ticking, console)
}

/// Two hundred ticks, four seconds: no statistics are told yet.
fn tick(ticking: &mut Ticking) {
    Program::prepare_thread();
    for n in 1..=200 {
        let now = Duration::from_millis(20) * n;
        realtime(|| {
            assert_eq!(ticking.due(now), 1);
            assert!(ticking.tick(|| now));
        });
    }
}

#[test]
fn a_tick_of_a_timer_asks_nothing_of_the_system() {
    let (mut ticking, console) = ticking("tally", |_, _| None);
    let count = console.gauges().watch("counter.count").unwrap();
    console.knobs().set("counter.count", 1000.0).unwrap();
    tick(&mut ticking);
    assert_eq!(count.read().map(Value::as_f64), Some(1200.0));
}

#[test]
fn a_tick_that_hears_and_sends_notes_asks_nothing_of_the_system() {
    let sent = Arc::new(AtomicBool::new(false));
    let (mut ticking, _console) = ticking("night-bus", |project, instance| {
        let settings = MidiSettings::read(project.config.selected().unwrap()).unwrap();
        let mapper = MidiMapper::for_program(&settings, instance.program(), instance).0;
        let heard = [[0xb0, 20, 3], [0x90, 60, 100], [0x80, 60, 0]];
        let heard = heard.map(|bytes| PortMessage { port: 1, message: MidiMessage::new(&bytes).unwrap() });
        Some(Box::new(Mapping { mapper, heard, sent: Arc::clone(&sent) }) as Box<dyn Duty>)
    });
    tick(&mut ticking);
    assert!(sent.load(std::sync::atomic::Ordering::Relaxed));
}

/// The tick after which there is no other one tells people why; that of the program is the one that must not wait.
#[test]
fn a_program_that_traps_waits_for_nobody() {
    let (mut ticking, _console) = ticking("trap-later", |_, _| None);
    Program::prepare_thread();
    let trapped = (0..257 * 128).find_map(|_| asks_nothing(|| ticking.instance.cycle()).err());
    assert!(trapped.is_some());
}
