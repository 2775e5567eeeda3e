//! How long nothing is heard when one engine takes over from another.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jackfield_engines::{
    AudioEngine, Console, Device, DeviceError, EngineFactory, EngineId, EngineManager, EngineRegistry,
    EventDispatcher, NullDevice, Project, ProjectStore, Render, Stream, StreamSetup, TimerEngine,
};

use super::project;
use crate::{
    fixture::one_thread,
    measure::Spread,
    table::{Goal, Group, Unit},
};

/// Frames of a device block.
const BLOCK: usize = 64;

/// When a device was played on: of each stream the first time and the last.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(Instant, Instant)>>>);

/// The null device, watched.
struct Watched(NullDevice, Seen);

struct Watching {
    render: Box<dyn Render>,
    seen: Seen,
    stream: Option<usize>,
}

impl Device for Watched {
    fn name(&self) -> String {
        self.0.name()
    }

    fn open(&self, mut setup: StreamSetup) -> Result<Box<dyn Stream>, DeviceError> {
        setup.render = Box::new(Watching { render: setup.render, seen: self.1.clone(), stream: None });
        self.0.open(setup)
    }
}

impl Render for Watching {
    fn enter(&mut self) {
        self.render.enter();
    }

    fn render(&mut self, input: &[f32], output: &mut [f32]) {
        self.render.render(input, output);
        let (now, mut seen) = (Instant::now(), self.seen.0.lock().expect("nobody panics"));
        let stream = *self.stream.get_or_insert_with(|| {
            seen.push((now, now));
            seen.len() - 1
        });
        seen[stream].1 = now;
    }
}

/// `dc` at this rate: another rate makes a new start of the engine, with all that a switch has.
fn at_rate(rate: u32) -> Arc<Project> {
    let mut project = Project::clone(&project("dc"));
    let selected = project.config.selected_runtime;
    project.config.runtime_settings[selected].settings.insert("sampleRate".to_owned(), rate.into());
    Arc::new(project)
}

pub(super) fn run(group: &mut Group) {
    let seen = Seen::default();
    let device = Watched(NullDevice::new(), seen.clone());
    let engines: [Arc<dyn EngineFactory>; 2] =
        [Arc::new(AudioEngine::new(Arc::new(device)).with_block(BLOCK)), Arc::new(TimerEngine::worker())];
    let store = ProjectStore::new(EngineRegistry::new(engines), EngineId::new("worker"));
    let rounds = group.scale(10, 60);
    one_thread().block_on(async {
        let manager = EngineManager::start(store.clone(), EventDispatcher::new(), Console::new());
        for round in 0..=rounds {
            store.load(at_rate(if round % 2 == 0 { 48_000 } else { 44_100 }));
            manager.apply().await;
            while seen.0.lock().expect("nobody panics").len() <= round {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        manager.close().await;
    });
    let seen = seen.0.lock().expect("nobody panics");
    let block = Duration::from_secs_f64(BLOCK as f64 / 44_100.0);
    let gaps = seen.windows(2).map(|two| two[1].0.saturating_duration_since(two[0].1));
    // From one block to the next a block's time passes in any case.
    let gaps = Spread::of(gaps.map(|gap| gap.saturating_sub(block).as_nanos() as f64 * 1e-6).collect());
    let name = "switch engines, device blocks of 64 frames: nothing is heard for";
    group.figure(name, Unit::Millis, gaps.median, None, Goal::AtMost(block.as_secs_f64() * 1e3));
    group.note(format!(
        "\"switch engines\": from the last block of one to the first of the next on the null device, which takes a block's time \
         to open, less a block; quartiles {:.2}–{:.2} ms.",
        gaps.low, gaps.high
    ));
}
