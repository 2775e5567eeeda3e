//! An audio engine that is ready, and one that plays.

use crate::console::{Console, Playing, Shown};
use crate::device::{Clock, DeviceError, StreamFormat};
use crate::engine::audio::outlet::{Caretaker, Outlet, Told};
use crate::engine::audio::voices::Voices;
use crate::engine::audio::{AudioEngine, Devices, Tuning};
use crate::engine::ready;
use crate::engine::watchdog::Watchdog;
use crate::events::{EngineEvent, EventDispatcher};
use crate::factory::{BoxError, Engine, EngineError, EngineUpdate, Prepared, Synced};
use crate::instance::Instance;
use crate::program::Compiler;
use crate::project::{Addresses, AudioSettings, Project};
use crate::realtime::{BlockRunner, Processor, ProcessorMonitor, Voice};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
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
    pub(super) looking: Arc<dyn Clock>,
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
            looking,
            call_limit,
            compiler,
            tuning,
        } = self;
        let inputs = if devices.first.has_input() { settings.input_channels() } else { 0 };
        let controls = ready::controls(&console, instance.program());
        let tape = console.take_writer();
        if tape.is_none() {
            tracing::warn!(target: "jackfield::engine", "An engine before still has the tape: nothing is kept");
        }
        let (voice, voice_monitor) = Voice::new(BlockRunner::new(instance, addresses), controls);
        let outputs = settings.output_channels();
        let (processor, monitor, swaps) = Processor::with_outputs(voice, inputs, outputs, tape);
        let mut format = StreamFormat::stereo(settings.sample_rate).with_inputs(inputs).with_outputs(outputs);
        format.block = devices.block;
        let told = Told { console: console.clone(), events: events.clone() };
        let outlet = Outlet::open(devices, format, Box::new(processor), told).map_err(no_device)?;

        let (device, degraded) = outlet.place();
        let mut playing = Playing::new(AudioEngine::ID, f64::from(settings.sample_rate));
        (playing.device, playing.degraded) = (Some(device.clone()), degraded);
        playing.latency = monitor.latency();
        let (sample_rate, shown) = (playing.sample_rate, console.show(playing));
        let told = (console, events.clone());
        let voices =
            Arc::new(Voices::new(settings.sample_rate, tuning, told, (swaps, voice_monitor), project));
        let watchdog = watch(&voices, monitor, call_limit).map_err(no_thread)?;
        events.dispatch(EngineEvent::Initialized {
            engine: AudioEngine::ID,
            sample_rate,
            device: Some(device),
        });
        let caretaker = outlet.look_after(looking).map_err(no_thread)?;
        Ok(Running { caretaker, watchdog, voices, settings, compiler, shown })
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
    caretaker: Caretaker,
    watchdog: Watchdog,
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
                && settings.input_channels() == self.settings.input_channels()
                && settings.output_channels() == self.settings.output_channels();
            if !same_device || self.caretaker.is_over() {
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
            let Self { caretaker, watchdog, shown, .. } = *self;
            let stopped = ready::blocking(move || {
                caretaker.finish();
                watchdog.finish();
                Ok(())
            });
            // What it panicked with was printed then.
            stopped.await.ok();
            drop(shown);
        }
        .boxed()
    }
}

fn no_device(error: DeviceError) -> EngineError {
    EngineError::Device { source: error.into() }
}

fn no_thread(error: std::io::Error) -> EngineError {
    EngineError::from(BoxError::from(error))
}
