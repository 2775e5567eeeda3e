//! A MIDI engine that is ready, and one that plays.

use crate::console::Console;
use crate::device::{Clock, Thread};
use crate::engine::midi::{MidiEngine, mapper, settings};
use crate::engine::ready;
use crate::engine::timer::{CatchUp, Duty, Host, Loaded as LoadedTimer, Running as Ticking};
use crate::events::EventDispatcher;
use crate::factory::{BoxError, Engine, EngineError, EngineUpdate, Prepared, Synced};
use crate::instance::{Instance, Trap};
use crate::midi::MidiMapper;
use crate::ports::{LOOK_EVERY, MidiRecorder, Patchbay, Plugs};
use crate::program::Compiler;
use crate::project::{MidiSettings, Project, TimerSettings};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// After how many looks what is recorded goes to the disk: a minute of it is lost should the program be killed.
const LOOKS_TO_SAVE: u32 = 30;

/// Everything but the ports.
pub(super) struct Loaded {
    pub(super) engine: MidiEngine,
    pub(super) instance: Instance,
    pub(super) mapper: MidiMapper,
    pub(super) settings: MidiSettings,
    pub(super) project: Arc<Project>,
    pub(super) console: Console,
    pub(super) events: EventDispatcher,
}

impl Prepared for Loaded {
    fn start(self: Box<Self>) -> BoxFuture<'static, Result<Box<dyn Engine>, EngineError>> {
        async move {
            // Ports take their time.
            let engine = self.engine.clone();
            let inputs = self.mapper.listens().then(|| engine.inputs.clone());
            let connected = ready::blocking(move || {
                let MidiEngine { device, outputs, recorder, traffic, .. } = engine;
                Ok(Patchbay::new(device, outputs, inputs, traffic, recorder))
            });
            let (patchbay, plugs) = connected.await?;
            self.begin(patchbay, plugs).map(|playing| Box::new(playing) as Box<dyn Engine>)
        }
        .boxed()
    }
}

impl Loaded {
    fn begin(self, patchbay: Patchbay, plugs: Plugs) -> Result<Playing, EngineError> {
        let Self { engine, instance, mapper, settings, project, console, events } = self;
        let MidiEngine { recorder, clock, looking, call_limit, compiler, .. } = engine;
        let listens = mapper.listens();
        if let Some(recorder) = &recorder {
            recorder.begin();
        }
        let ports = patchbay.describe();
        let mut performance = Performance { mapper, plugs };
        performance.reset(&instance);
        let timer = LoadedTimer {
            id: MidiEngine::ID,
            instance,
            settings: TimerSettings::at(settings.sample_rate),
            project: Arc::clone(&project),
            console: console.clone(),
            events,
            host: Host::Thread(clock),
            call_limit,
            compiler: compiler.clone(),
            catch_up: Arc::new(CatchUp::default),
            duty: Some(Box::new(performance)),
        };
        let ticking = timer.begin()?;
        console.set_ports(&MidiEngine::ID, ports);
        let lookout = look_out(patchbay, recorder.clone(), looking, console).map_err(BoxError::from)?;
        Ok(Playing { ticking, lookout, recorder, compiler, listens, settings, project })
    }
}

/// What is played, and where. Dropping it ends what sounds.
struct Performance {
    mapper: MidiMapper,
    plugs: Plugs,
}

impl Performance {
    fn reset(&mut self, instance: &Instance) {
        let Self { mapper, plugs } = self;
        mapper.reset(instance, |sent| plugs.send(sent));
    }

    fn end(&mut self) {
        let Self { mapper, plugs } = self;
        mapper.end(|sent| plugs.send(sent));
    }
}

impl Duty for Performance {
    fn before(&mut self, instance: &mut Instance) -> Result<(), Trap> {
        let Self { mapper, plugs } = self;
        plugs.look();
        plugs.take(|came| mapper.deliver(instance, came))
    }

    fn after(&mut self, instance: &Instance) {
        let Self { mapper, plugs } = self;
        mapper.after_cycle(instance, |sent| plugs.send(sent));
    }

    fn broken(&mut self) {
        self.end();
    }

    fn take_over(&mut self, instance: &Instance, settings: &MidiSettings) {
        // Bound anew: pointers have the values that were carried over by now.
        let (mapper, _) = MidiMapper::for_program(settings, instance.program(), instance);
        let before = std::mem::replace(&mut self.mapper, mapper);
        let Self { mapper, plugs } = self;
        mapper.take_over(before, |sent| plugs.send(sent));
    }
}

impl Drop for Performance {
    fn drop(&mut self) {
        self.end();
    }
}

/// A MIDI engine that plays.
struct Playing {
    ticking: Ticking,
    lookout: Thread,
    recorder: Option<MidiRecorder>,
    compiler: Compiler,
    /// Whether inputs are connected.
    listens: bool,
    settings: MidiSettings,
    project: Arc<Project>,
}

impl Engine for Playing {
    fn sync(&mut self, update: EngineUpdate) -> BoxFuture<'_, Result<Synced, EngineError>> {
        async move {
            let project = update.project.ok_or(EngineError::NoProject)?;
            let settings = settings(&update.settings, &project)?;
            if settings.sample_rate != self.settings.sample_rate || self.ticking.is_faulted() {
                return Ok(Synced::NeedsRestart);
            }
            if settings == self.settings && ready::same_program(&project, &self.project) {
                self.project = project;
                return Ok(Synced::Done);
            }
            let instance = ready::instance(Arc::clone(&project), self.compiler.clone()).await?;
            if mapper(&settings, &project, &instance).listens() != self.listens {
                return Ok(Synced::NeedsRestart);
            }
            let synced = self.ticking.take_over(Arc::clone(&project), instance, Some(settings.clone()));
            (self.settings, self.project) = (settings, project);
            Ok(synced)
        }
        .boxed()
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            let Self { ticking, lookout, recorder, .. } = *self;
            // Notes end while the ports are still there.
            Box::new(ticking).stop().await;
            let ended = ready::blocking(move || {
                if lookout.finish().is_err() {
                    tracing::error!(target: "jackfield::engine", "The thread that looks after MIDI ports panicked");
                }
                match recorder {
                    Some(recorder) => recorder.save().map_err(|error| {
                        let path = recorder.path().display();
                        EngineError::from(BoxError::from(format!("{path} cannot be written: {error}")))
                    }),
                    None => Ok(()),
                }
            });
            if let Err(error) = ended.await {
                let reason = std::error::Error::source(&error).map_or(error.to_string(), ToString::to_string);
                tracing::error!(target: "jackfield::engine", "{reason}");
            }
        }
        .boxed()
    }
}

/// Looks which ports there are, on a thread of its own. When that has ended, all are disconnected.
fn look_out(
    mut patchbay: Patchbay,
    recorder: Option<MidiRecorder>,
    clock: Arc<dyn Clock>,
    console: Console,
) -> std::io::Result<Thread> {
    Thread::spawn("jackfield-ports", move |stop| {
        let mut looks = 0_u32;
        while clock.wait_until(clock.now() + LOOK_EVERY, stop) {
            looks = looks.wrapping_add(1);
            if let Some(recorder) = recorder.as_ref().filter(|_| looks.is_multiple_of(LOOKS_TO_SAVE)) {
                recorder.save().ok(); // the end tries again, and says why not
            }
            if patchbay.look() && !stop.is_set() {
                console.set_ports(&MidiEngine::ID, patchbay.describe());
            }
        }
    })
}
