//! Whatever is in use, and whatever becomes of the program, the audio thread asks nothing of the system.

use crate::support::{Control, project, runner};
use jackfield_engines::{
    Carry, Console, Gauge, LoadMeter, Processor, Program, Project, Swap, TrapKind, Voice,
};
use jackfield_testkit::{asks_nothing, realtime};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A processor with all that a session has: knobs that are turned, gauges and captures that are looked at, and a tape.
struct Session {
    processor: Processor,
    control: Control,
    console: Console,
    playing: Arc<Project>,
    gauges: Vec<Gauge>,
}

impl Session {
    fn new(playing: Arc<Project>, inputs: usize) -> Self {
        let console = Console::new();
        let runner = runner(&playing);
        let controls = console.connect(runner.instance().program()).0;
        let (voice, voice_monitor) = Voice::new(runner, controls);
        let (processor, monitor, swaps) = Processor::new(voice, inputs, console.take_writer());
        let control = Control { monitor, voice: voice_monitor, swaps };
        let mut session = Self { processor, control, console, playing, gauges: Vec::new() };
        session.look();
        session
    }

    /// Looks at some of the variables.
    fn look(&mut self) {
        let single = |id: &String| self.console.gauges().watch(id).ok();
        let ids: Vec<String> = self.playing.map.variables().map(|variable| variable.id.clone()).collect();
        self.gauges = ids.iter().filter_map(single).take(20).collect();
        assert!(!self.gauges.is_empty());
    }

    /// Turns all that can be turned.
    fn turn(&self) {
        let turned = self.playing.map.variables().filter(|variable| {
            let knob = self.console.knobs().set(&variable.id, 1.0);
            knob.is_ok()
        });
        assert!(turned.count() > 1);
    }

    /// Asks for the largest variable, which comes after the next block.
    async fn capture(&self) -> Pin<Box<dyn Future<Output = bool>>> {
        let largest = self.playing.map.variables().max_by_key(|variable| variable.elements).unwrap();
        let (captures, id) = (self.console.captures().clone(), largest.id.clone());
        let mut asked = Box::pin(async move { captures.take(&id).await.is_ok() });
        assert!(futures_util::poll!(asked.as_mut()).is_pending());
        asked
    }

    /// Device blocks of this size, for so many frames, as a device plays them.
    fn play(&mut self, frames: usize, size: usize, inputs: usize) -> Vec<f32> {
        let load = LoadMeter::new().probe();
        let (input, mut output) = (vec![0.25; size * inputs], vec![f32::NAN; frames * 2]);
        Program::prepare_thread();
        realtime(|| {
            for block in output.chunks_mut(size * 2) {
                self.processor.process(&input, block);
                load.record(Duration::from_micros(100), Duration::from_millis(1));
            }
        });
        output
    }

    fn send(&mut self, next: &Arc<Project>, fade: usize) {
        let runner = runner(next);
        let controls = self.console.connect(runner.instance().program()).0;
        let (voice, monitor) = Voice::new(runner, controls);
        let carry = Carry::between(&self.playing.map, &next.map, |_| false);
        self.control.swaps.send(Box::new(Swap::new(voice, carry, fade))).unwrap();
        self.control.voice = monitor;
        self.playing = Arc::clone(next);
    }
}

#[tokio::test(start_paused = true)]
async fn device_blocks_of_any_size_with_everything_in_use() {
    for (name, inputs) in [("first-light", 0), ("heavy", 0), ("echo", 1), ("echo", 2)] {
        for size in [1, 64, 127, 128, 480, 1024, 4096] {
            let mut session = Session::new(project(name), inputs);
            session.turn();
            let capture = session.capture().await;
            let played = session.play(4096, size, inputs);
            assert!(played.iter().all(|sample| sample.is_finite()));
            assert!(session.gauges.iter().all(|gauge| gauge.read().is_some()));
            assert!(capture.await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_a_fade_and_several_swaps_in_a_row() {
    let programs = ["first-light", "first-light-b", "first-light-c", "dc"].map(project);
    for (fade, size) in [(0, 480), (1, 64), (960, 480), (960, 1), (5000, 127)] {
        let mut session = Session::new(Arc::clone(&programs[0]), 0);
        session.play(480, size, 0);
        for pair in programs[1..].windows(2) {
            session.send(&pair[0], fade);
            session.look();
            session.turn();
            let capture = session.capture().await;
            session.send(&pair[1], fade);
            session.play(24_000, size, 0);
            // Whoever was to be looked at has gone before, unless it was played for a moment.
            drop(capture);
            assert!(session.control.swaps.take_back().is_some());
            assert!(session.control.swaps.take_back().is_some());
        }
    }
}

/// A trap is a signal, which is none of the thread's asking. wasmtime makes an error of it, for which it allocates.
#[test]
fn a_block_in_which_the_program_traps_waits_for_nobody_and_neither_does_a_swap_after_it() {
    for fade in [0, 960] {
        let mut session = Session::new(project("trap-later"), 0);
        let (traps, mut output) = (257, vec![0.0; 512]);
        for _ in 0..traps / 2 {
            session.play(256, 64, 0);
        }
        assert!(!session.control.voice.is_faulted());
        asks_nothing(|| session.processor.process(&[], &mut output));
        assert_eq!(session.control.voice.take_fault().map(|trap| trap.kind), Some(TrapKind::BadConversion));
        session.play(256, 64, 0);
        session.send(&project("dc"), fade);
        assert_eq!(session.play(2048, 64, 0)[4094], 0.25);
    }
}

/// The one who goes traps while it fades out, and then the one who comes while it fades in.
#[test]
fn a_program_that_traps_while_it_fades_waits_for_nobody() {
    for (goes, comes, swapped_at) in [("trap-later", "dc", 250), ("dc", "trap-later", 0)] {
        let mut session = Session::new(project(goes), 0);
        session.play(swapped_at * 128, 128, 0);
        session.send(&project(comes), 300 * 128);
        let mut output = vec![0.0; 256];
        Program::prepare_thread();
        for _ in 0..301 {
            asks_nothing(|| session.processor.process(&[], &mut output));
        }
        assert!(session.control.swaps.take_back().is_some());
        assert_eq!(session.control.voice.is_faulted(), comes == "trap-later");
    }
}
