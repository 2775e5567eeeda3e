//! An audio engine that is ready, and one that plays.

use crate::causes::chain;
use crate::console::{Console, Playing, Shown};
use crate::device::{Device, DeviceError, Render, Stream, StreamFormat, StreamSetup};
use crate::engine::audio::voices::Voices;
use crate::engine::audio::{AudioEngine, Devices, Tuning};
use crate::engine::ready;
use crate::engine::watchdog::Watchdog;
use crate::events::{EngineEvent, EventDispatcher};
use crate::factory::{BoxError, Engine, EngineError, EngineUpdate, Prepared, Synced};
use crate::instance::Instance;
use crate::program::{Compiler, Program};
use crate::project::{Addresses, AudioSettings, Project};
use crate::realtime::{BlockRunner, OUTPUTS, Processor, ProcessorMonitor, SwapSender, Voice, VoiceMonitor};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// How long a program waits for the one before it to have taken over. That takes its fade; if it takes this, nobody
/// plays.
const PATIENCE: Duration = Duration::from_secs(12);

/// Everything but the device.
pub(super) struct Loaded {
    pub(super) instance: Instance,
    pub(super) addresses: Addresses,
    pub(super) settings: AudioSettings,
    pub(super) project: Arc<Project>,
    pub(super) console: Console,
    pub(super) events: EventDispatcher,
    pub(super) devices: Devices,
    pub(super) call_limit: Duration,
    pub(super) compiler: Compiler,
    pub(super) tuning: Tuning,
}

impl Prepared for Loaded {
    fn start(self: Box<Self>) -> BoxFuture<'static, Result<Box<dyn Engine>, EngineError>> {
        async move {
            // Whoever gives up waiting drops the engine when it comes, and with it the device.
            let running = ready::blocking(move || self.open()).await?;
            Ok(Box::new(running) as Box<dyn Engine>)
        }
        .boxed()
    }
}

impl Loaded {
    fn open(self) -> Result<Running, EngineError> {
        let Self {
            instance,
            addresses,
            settings,
            project,
            console,
            events,
            devices,
            call_limit,
            compiler,
            tuning,
        } = self;
        let runner = BlockRunner::new(instance, addresses);
        let lost = Arc::new(AtomicBool::new(false));
        let stage = Stage {
            lost: &lost,
            settings: &settings,
            console: &console,
            events: &events,
            block: devices.block,
        };
        let mut opened = stage.open(&*devices.first, runner);
        if let (Err(refused), Some(otherwise)) = (&mut opened, &devices.otherwise)
            && let Some(runner) = refused.runner.take()
        {
            let (name, reason) = (otherwise.name(), chain(&refused.error));
            tracing::warn!(target: "jackfield::engine", "{reason}; playing on the {name}");
            opened = stage.open(&**otherwise, runner);
        }
        let no_device = |refused: Box<Refused>| no_device(refused.error);
        let Opened { stream, monitor, voice, swaps, playing, shown } = opened.map_err(no_device)?;
        let told = (console, events.clone());
        let voices = Arc::new(Voices::new(settings.sample_rate, tuning, told, (swaps, voice), project));
        let watchdog =
            watch(&voices, monitor, call_limit).map_err(|error| EngineError::from(BoxError::from(error)))?;
        events.dispatch(EngineEvent::Initialized {
            engine: AudioEngine::ID,
            sample_rate: playing.sample_rate,
            device: playing.device,
        });
        Ok(Running { stream, watchdog, lost, voices, settings, compiler, shown })
    }
}

/// What opening a device takes.
struct Stage<'a> {
    lost: &'a Arc<AtomicBool>,
    settings: &'a AudioSettings,
    console: &'a Console,
    events: &'a EventDispatcher,
    block: Option<usize>,
}

struct Opened {
    stream: Box<dyn Stream>,
    monitor: ProcessorMonitor,
    voice: VoiceMonitor,
    swaps: SwapSender,
    playing: Playing,
    shown: Shown,
}

/// A device that does not open, and the program that was to play on it.
struct Refused {
    error: DeviceError,
    runner: Option<BlockRunner>,
}

impl Stage<'_> {
    fn open(&self, device: &dyn Device, runner: BlockRunner) -> Result<Opened, Box<Refused>> {
        let inputs = if device.has_input() { inputs(self.settings) } else { 0 };
        let controls = ready::controls(self.console, runner.instance().program());
        let tape = self.console.take_writer();
        if tape.is_none() {
            tracing::warn!(target: "jackfield::engine", "An engine before still has the tape: nothing is kept");
        }
        let (voice, voice_monitor) = Voice::new(runner, controls);
        let (processor, monitor, swaps) = Processor::new(voice, inputs, tape);
        let mut playing = Playing::new(AudioEngine::ID, f64::from(self.settings.sample_rate));
        (playing.device, playing.latency) = (Some(device.name()), monitor.latency());
        let (lent, home) = Lent::new(processor, self.console.clone());
        let mut format = StreamFormat::stereo(self.settings.sample_rate).with_inputs(inputs);
        format.block = self.block;
        // Shown before the device can say that it is lost again.
        let shown = self.console.show(playing.clone());
        let setup = StreamSetup {
            format,
            render: Box::new(lent),
            load: self.console.load().probe(),
            lost: Box::new(when_lost(Arc::clone(self.lost), self.console.clone(), self.events.clone())),
        };
        match device.open(setup) {
            Ok(stream) => Ok(Opened { stream, monitor, voice: voice_monitor, swaps, playing, shown }),
            // The device has dropped what it was lent, so it has come home.
            Err(error) => Err(Box::new(Refused { error, runner: home.try_recv().ok() })),
        }
    }
}

/// A processor while a device has it. When the device drops it, the tape goes back to the console, where the
/// next engine takes it, and the program goes home.
struct Lent {
    processor: Option<Processor>,
    home: SyncSender<BlockRunner>,
    console: Console,
}

impl Lent {
    fn new(processor: Processor, console: Console) -> (Self, Receiver<BlockRunner>) {
        let (home, receiver) = sync_channel(1);
        (Self { processor: Some(processor), home, console }, receiver)
    }
}

impl Render for Lent {
    fn enter(&mut self) {
        Program::prepare_thread();
    }

    fn render(&mut self, input: &[f32], output: &mut [f32]) {
        match &mut self.processor {
            Some(processor) => processor.process(input, output),
            None => output.fill(0.0),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(processor) = self.processor.take() else { return };
        let (voice, tape) = processor.into_parts();
        if let Some(tape) = tape {
            self.console.give_writer(tape);
        }
        // Nobody there means that nobody needs it any more.
        self.home.try_send(voice.into_runner()).ok();
    }
}

fn when_lost(
    lost: Arc<AtomicBool>,
    console: Console,
    events: EventDispatcher,
) -> impl FnMut(&DeviceError) + Send {
    move |error| {
        lost.store(true, Ordering::Release);
        let reason = chain(error);
        tracing::error!(target: "jackfield::engine", "The device is gone: {reason}");
        events.dispatch(EngineEvent::Faulted { engine: AudioEngine::ID, reason: reason.clone() });
        console.set_fault(Some(reason));
    }
}

/// Looks after the programs of the engine.
fn watch(voices: &Arc<Voices>, monitor: ProcessorMonitor, limit: Duration) -> std::io::Result<Watchdog> {
    let looked_after = Arc::clone(voices);
    let mut overflowed = false;
    Watchdog::start(voices.interrupt(), limit, move || {
        if !overflowed && monitor.not_finite() > 0 {
            overflowed = true;
            tracing::warn!(
                target: "jackfield::engine",
                "The program plays samples that are infinite or no numbers; each is silence instead"
            );
        }
        looked_after.look();
    })
}

/// An audio engine that plays.
struct Running {
    stream: Box<dyn Stream>,
    watchdog: Watchdog,
    lost: Arc<AtomicBool>,
    voices: Arc<Voices>,
    settings: AudioSettings,
    compiler: Compiler,
    shown: Shown,
}

impl Engine for Running {
    fn sync(&mut self, update: EngineUpdate) -> BoxFuture<'_, Result<Synced, EngineError>> {
        async move {
            let settings = ready::read(&AudioEngine::ID, &update.settings, AudioSettings::read)?;
            let project = update.project.ok_or(EngineError::NoProject)?;
            let same_device = settings.sample_rate == self.settings.sample_rate
                && inputs(&settings) == inputs(&self.settings);
            if !same_device || self.lost.load(Ordering::Acquire) {
                return Ok(Synced::NeedsRestart);
            }
            let same = settings == self.settings && ready::same_program(&project, &self.voices.project());
            if same && !self.voices.is_broken() {
                return Ok(Synced::Done);
            }
            let addresses = ready::addresses(&settings, &project);
            let instance = ready::instance(Arc::clone(&project), self.compiler.clone()).await?;
            if !self.voices.settled(PATIENCE).await {
                return Ok(Synced::NeedsRestart);
            }
            let Some(interrupt) = self.voices.take_over(project, BlockRunner::new(instance, addresses))
            else {
                return Ok(Synced::NeedsRestart);
            };
            self.watchdog.watch(interrupt);
            self.settings = settings;
            Ok(Synced::Done)
        }
        .boxed()
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            let Self { stream, watchdog, shown, .. } = *self;
            let stopped = ready::blocking(move || {
                let stopped = stream.stop();
                watchdog.finish();
                stopped.map_err(no_device)
            });
            if let Err(error) = stopped.await {
                tracing::error!(target: "jackfield::engine", "The device stopped badly: {}", chain(&error));
            }
            drop(shown);
        }
        .boxed()
    }
}

/// Input channels that these settings want.
fn inputs(settings: &AudioSettings) -> usize {
    let channels = settings.inputs.iter().filter(|route| route.port == 0).map(|route| route.channel + 1);
    channels.max().map_or(0, |channels| (channels as usize).min(OUTPUTS))
}

fn no_device(error: DeviceError) -> EngineError {
    EngineError::Device { source: error.into() }
}
