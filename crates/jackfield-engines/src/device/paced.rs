//! A thread that plays blocks, in time or as fast as it can, and hands them on.

use crate::device::{Clock, DeviceError, Render, Stop, Stream, StreamFormat, StreamSetup, Thread};
use crate::realtime::{LoadProbe, Rate, Ticker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Frames per block where nobody says otherwise: ten milliseconds at 48 kHz.
const BLOCK: usize = 480;

/// How much of a pause is made up for; what is older is left out.
const CATCH_UP: Duration = Duration::from_millis(100);

/// What becomes of the blocks.
pub(super) trait Sink: Send {
    fn write(&mut self, samples: &[f32]) -> Result<(), DeviceError>;
    /// Called once, at the end.
    fn finish(self: Box<Self>) -> Result<(), DeviceError>;
}

/// When the blocks are made.
pub(super) enum Tempo {
    /// In time.
    Clock(Arc<dyn Clock>),
    /// At once, up to so many frames.
    Frames(u64),
}

/// A stream whose device is a thread.
pub(super) struct Paced {
    device: String,
    thread: Thread<Result<(), DeviceError>>,
}

impl Paced {
    pub(super) fn open(
        device: String,
        tempo: Tempo,
        setup: StreamSetup,
        sink: Box<dyn Sink>,
    ) -> Result<Self, DeviceError> {
        let Some(rate) = Rate::per_second(f64::from(setup.format.sample_rate)) else {
            return Err(DeviceError::Failed { device, source: "it needs a sample rate above 0".into() });
        };
        let name = device.clone();
        let run = move |stop: &Stop| play(name, setup, rate, &tempo, sink, stop);
        match Thread::spawn("jackfield-device", run) {
            Ok(thread) => Ok(Self { device, thread }),
            Err(error) => Err(DeviceError::Failed { device, source: error.into() }),
        }
    }
}

impl Stream for Paced {
    fn stop(self: Box<Self>) -> Result<(), DeviceError> {
        let Self { device, thread } = *self;
        let panicked = |_| Err(DeviceError::Failed { device, source: "its thread panicked".into() });
        thread.finish().unwrap_or_else(panicked)
    }
}

fn play(
    device: String,
    setup: StreamSetup,
    rate: Rate,
    tempo: &Tempo,
    sink: Box<dyn Sink>,
    stop: &Stop,
) -> Result<(), DeviceError> {
    let StreamSetup { format, render, load, mut lost } = setup;
    let mut player = Player::new(format, render, sink);
    let play = || match tempo {
        Tempo::Frames(frames) => player.play_all(*frames, stop),
        Tempo::Clock(clock) => player.play_in_time(rate, &**clock, &load, stop),
    };
    // Otherwise it would end without a word, and what was written would not be complete.
    let panicked = |_| Err(DeviceError::Failed { device, source: "what it plays panicked".into() });
    let played = catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(panicked);
    let Player { render, sink, .. } = player;
    drop(render);
    let finished = sink.finish();
    if let Err(error) = &played {
        // Whoever is told is foreign code.
        catch_unwind(AssertUnwindSafe(|| lost(error))).ok();
    }
    played.and(finished)
}

/// What plays, where to, and room for a block of it.
struct Player {
    render: Box<dyn Render>,
    sink: Box<dyn Sink>,
    format: StreamFormat,
    frames: usize,
    input: Vec<f32>,
    output: Vec<f32>,
}

impl Player {
    fn new(format: StreamFormat, mut render: Box<dyn Render>, sink: Box<dyn Sink>) -> Self {
        let frames = format.block.unwrap_or(BLOCK).max(1);
        render.enter();
        // Nothing is connected to the input of such a device: silence comes from it.
        let (input, output) = (vec![0.0; frames * format.inputs], vec![0.0; frames * format.outputs]);
        Self { render, sink, format, frames, input, output }
    }

    fn play_in_time(
        &mut self,
        rate: Rate,
        clock: &dyn Clock,
        load: &LoadProbe,
        stop: &Stop,
    ) -> Result<(), DeviceError> {
        let rate = rate.every(self.frames as u64);
        let mut ticker = Ticker::new(rate, clock.now(), rate.within(CATCH_UP));
        while clock.wait_until(ticker.next(), stop) {
            let due = ticker.due(clock.now());
            load.late(due.skipped);
            for _ in 0..due.ticks {
                // Of those that are overdue none has to be waited for.
                if stop.is_set() {
                    return Ok(());
                }
                let begun = clock.now();
                self.render(self.frames);
                load.record(clock.now().saturating_sub(begun), rate.period());
                self.sink.write(&self.output)?;
            }
        }
        Ok(())
    }

    fn play_all(&mut self, mut frames: u64, stop: &Stop) -> Result<(), DeviceError> {
        while frames > 0 && !stop.is_set() {
            let now = usize::try_from(frames).unwrap_or(usize::MAX).min(self.frames);
            self.render(now);
            self.sink.write(&self.output[..now * self.format.outputs])?;
            frames -= now as u64;
        }
        Ok(())
    }

    fn render(&mut self, frames: usize) {
        let (input, output) = (frames * self.format.inputs, frames * self.format.outputs);
        self.render.render(&self.input[..input], &mut self.output[..output]);
    }
}
