//! What a session's people see and turn, whichever engine plays.

use crate::id::EngineId;
use crate::program::Program;
use crate::realtime::{
    Calls, Captures, Controls, Gauges, KnobError, Knobs, LoadMeter, TapeReader, TapeWriter, tape,
};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Channels of the tape: what a stereo device plays.
const CHANNELS: usize = 2;

/// How much the tape holds: about five seconds at 48 kHz, for a recorder that writes to a slow disk.
const TAPE_FRAMES: usize = 1 << 18;

/// The tape of what was played, the knobs, and the load meter of a session.
///
/// A handle: clones are the same console. It outlives the engines, which borrow its writing ends.
#[derive(Clone)]
pub struct Console {
    tape: TapeReader,
    writer: Arc<Mutex<Option<TapeWriter>>>,
    knobs: Knobs,
    calls: Calls,
    gauges: Gauges,
    captures: Captures,
    load: LoadMeter,
    playing: watch::Sender<Option<Playing>>,
    /// Counts what was shown, so that nobody takes away what another has put there.
    shown: Arc<AtomicU64>,
}

/// What an engine says of itself while it plays.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Playing {
    /// The engine.
    pub engine: EngineId,
    /// The device it plays on; none for timers.
    pub device: Option<String>,
    /// The MIDI ports it is connected to, as a text for people; none for engines without MIDI.
    pub ports: Option<String>,
    /// Frames or ticks per second.
    pub sample_rate: f64,
    /// How far the output is behind the input, in frames.
    pub latency: usize,
    /// Why there is silence, when the program broke.
    pub fault: Option<String>,
    /// Why it does not play on the device that it should, when it plays elsewhere meanwhile.
    pub degraded: Option<String>,
}

impl Playing {
    /// An engine that plays at this rate.
    #[must_use]
    pub fn new(engine: EngineId, sample_rate: f64) -> Self {
        Self { engine, device: None, ports: None, sample_rate, latency: 0, fault: None, degraded: None }
    }
}

impl Console {
    /// A console with a blank tape and no knob set. Takes two megabytes for the tape.
    #[must_use]
    pub fn new() -> Self {
        let (writer, tape) = tape(CHANNELS, TAPE_FRAMES);
        Self {
            tape,
            writer: Arc::new(Mutex::new(Some(writer))),
            knobs: Knobs::new(),
            calls: Calls::default(),
            gauges: Gauges::new(),
            captures: Captures::default(),
            load: LoadMeter::new(),
            playing: watch::Sender::new(None),
            shown: Arc::default(),
        }
    }

    /// A reader of what was played, at the beginning of what is kept. Two channels.
    #[must_use]
    pub fn tape(&self) -> TapeReader {
        self.tape.clone()
    }

    /// The knobs.
    #[must_use]
    pub fn knobs(&self) -> &Knobs {
        &self.knobs
    }

    /// Calls of functions that the program exports.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// What variables of the program hold while it plays.
    #[must_use]
    pub fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    /// Whole variables of the program, also arrays, as they are at one moment.
    #[must_use]
    pub fn captures(&self) -> &Captures {
        &self.captures
    }

    /// For engines: what this program is turned and shown by from now on. The one connected before hears no
    /// more of the console.
    ///
    /// Answers with the knobs that this program has no place for, too.
    #[must_use]
    pub fn connect(&self, program: &Program) -> (Controls, Vec<KnobError>) {
        let map = || Arc::clone(program.map());
        let (knobs, unset) = self.knobs.connect(map());
        let (gauges, captures) = (self.gauges.connect(map()), self.captures.connect(map()));
        (Controls::new(knobs, self.calls.connect(program.clone()), gauges, captures), unset)
    }

    /// The load of the audio thread.
    #[must_use]
    pub fn load(&self) -> &LoadMeter {
        &self.load
    }

    /// What plays, to look at and to wait for. `None` while nothing does.
    #[must_use]
    pub fn playing(&self) -> watch::Receiver<Option<Playing>> {
        self.playing.subscribe()
    }

    /// For engines: says what plays from now on. Nothing does when the guard is dropped, unless another engine
    /// has said something since.
    pub fn show(&self, playing: Playing) -> Shown {
        let mut turn = 0;
        self.playing.send_modify(|shown| {
            turn = self.shown.fetch_add(1, Ordering::Relaxed) + 1;
            *shown = Some(playing);
        });
        Shown { console: self.clone(), turn }
    }

    /// For engines: says that the program broke, and why, or that it runs again.
    pub fn set_fault(&self, fault: Option<String>) {
        self.playing.send_if_modified(|playing| match playing {
            Some(playing) if playing.fault != fault => {
                playing.fault = fault;
                true
            }
            _ => false,
        });
    }

    /// For engines: says on which device it plays, and why it is not the one it should be, unless another engine plays by
    /// now.
    pub fn set_device(&self, engine: &EngineId, device: String, degraded: Option<String>) {
        self.playing.send_if_modified(|playing| match playing {
            Some(playing) if playing.engine == *engine => {
                (playing.device, playing.degraded) = (Some(device), degraded);
                true
            }
            _ => false,
        });
    }

    /// For engines: says which MIDI ports it is connected to, unless another engine plays by now.
    pub fn set_ports(&self, engine: &EngineId, ports: String) {
        self.playing.send_if_modified(|playing| match playing {
            Some(playing) if playing.engine == *engine && playing.ports.as_ref() != Some(&ports) => {
                playing.ports = Some(ports);
                true
            }
            _ => false,
        });
    }

    /// For engines: the writing end of the tape, to be given back. `None` while another engine has it.
    #[must_use]
    pub fn take_writer(&self) -> Option<TapeWriter> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// For engines: gives the writing end back, for the next one to take.
    pub fn give_writer(&self, writer: TapeWriter) {
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
    }
}

/// Says that an engine plays, until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it says that nothing plays"]
pub struct Shown {
    console: Console,
    turn: u64,
}

impl Drop for Shown {
    fn drop(&mut self) {
        let Console { playing, shown, .. } = &self.console;
        // Both are changed within the channel's lock only.
        playing.send_if_modified(|playing| {
            shown.load(Ordering::Relaxed) == self.turn && playing.take().is_some()
        });
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("playing", &*self.playing.borrow()).finish_non_exhaustive()
    }
}
