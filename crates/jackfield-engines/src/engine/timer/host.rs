//! A timer engine that is ready, and one that ticks: on a thread, or as a task.

use crate::console::{Console, Playing, Shown};
use crate::device::{Clock, Thread};
use crate::engine::ready;
use crate::engine::timer::ticking::{Duty, Incoming, Pulse, Ticking};
use crate::engine::timer::{Host, Policy};
use crate::engine::watchdog::Watchdog;
use crate::events::{EngineEvent, EventDispatcher};
use crate::factory::{BoxError, Engine, EngineError, EngineUpdate, Prepared, Synced};
use crate::id::EngineId;
use crate::instance::Instance;
use crate::program::{Compiler, Program};
use crate::project::{MidiSettings, Project, TimerSettings};
use crate::realtime::Rate;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Everything but the ticks.
pub(in crate::engine) struct Loaded {
    pub(in crate::engine) id: EngineId,
    pub(in crate::engine) instance: Instance,
    pub(in crate::engine) settings: TimerSettings,
    pub(in crate::engine) project: Arc<Project>,
    pub(in crate::engine) console: Console,
    pub(in crate::engine) events: EventDispatcher,
    pub(in crate::engine) host: Host,
    pub(in crate::engine) call_limit: Duration,
    pub(in crate::engine) catch_up: Policy,
    pub(in crate::engine) compiler: Compiler,
    /// What is to be done around the ticks.
    pub(in crate::engine) duty: Option<Box<dyn Duty>>,
}

impl Prepared for Loaded {
    fn start(self: Box<Self>) -> BoxFuture<'static, Result<Box<dyn Engine>, EngineError>> {
        async move { self.begin().map(|running| Box::new(running) as Box<dyn Engine>) }.boxed()
    }
}

impl Loaded {
    pub(in crate::engine) fn begin(self) -> Result<Running, EngineError> {
        let Self {
            id,
            instance,
            settings,
            project,
            console,
            events,
            host,
            call_limit,
            catch_up,
            compiler,
            duty,
        } = self;
        let sample_rate = settings.sample_rate;
        let rate = Rate::per_second(sample_rate).ok_or_else(|| EngineError::Settings {
            engine: id.clone(),
            problem: format!("a rate of {sample_rate} per second cannot be kept"),
        })?;
        let watchdog = Watchdog::start(instance.interrupt_handle(), call_limit, || {}).map_err(other)?;
        let controls = ready::controls(&console, instance.program());
        let (programs, incoming) = channel();
        let faulted = Arc::new(AtomicBool::new(false));
        let start = match &host {
            Host::Thread(clock) => clock.now(),
            Host::Task => Duration::ZERO,
        };
        let ticking = Ticking {
            id: id.clone(),
            instance,
            controls,
            incoming,
            load: console.load().probe(),
            console: console.clone(),
            events: events.clone(),
            faulted: Arc::clone(&faulted),
            pulse: Pulse::new(rate, start),
            catch_up,
            duty,
        };
        // Said before the first tick can break.
        let shown = console.show(Playing::new(id.clone(), sample_rate));
        let ticks = match host {
            Host::Thread(clock) => Ticks::Thread(spawn_thread(ticking, clock).map_err(other)?),
            Host::Task => Ticks::Task(spawn_task(ticking)),
        };
        events.dispatch(EngineEvent::Initialized { engine: id.clone(), sample_rate, device: None });
        Ok(Running { id, ticks, watchdog, faulted, programs, compiler, console, settings, project, shown })
    }
}

/// A timer engine that ticks.
pub(in crate::engine) struct Running {
    id: EngineId,
    ticks: Ticks,
    watchdog: Watchdog,
    faulted: Arc<AtomicBool>,
    programs: Sender<Incoming>,
    compiler: Compiler,
    console: Console,
    settings: TimerSettings,
    project: Arc<Project>,
    shown: Shown,
}

impl Running {
    /// Whether the program broke.
    pub(in crate::engine) fn is_faulted(&self) -> bool {
        self.faulted.load(Ordering::Acquire)
    }

    /// Has `instance`, made from `project`, go on between two ticks with the values that both have.
    pub(in crate::engine) fn take_over(
        &mut self,
        project: Arc<Project>,
        instance: Instance,
        midi: Option<MidiSettings>,
    ) -> Synced {
        self.watchdog.watch(instance.interrupt_handle());
        let carry = ready::carry(&self.project, &project);
        let controls = ready::controls(&self.console, instance.program());
        let incoming = Incoming { instance, controls, carry, project: project.name.clone(), midi };
        if self.programs.send(incoming).is_err() {
            return Synced::NeedsRestart; // its thread has ended
        }
        self.project = project;
        Synced::Done
    }
}

impl Engine for Running {
    fn sync(&mut self, update: EngineUpdate) -> BoxFuture<'_, Result<Synced, EngineError>> {
        async move {
            let settings = ready::read(&self.id, &update.settings, TimerSettings::read)?;
            let project = update.project.ok_or(EngineError::NoProject)?;
            if settings != self.settings || self.is_faulted() {
                return Ok(Synced::NeedsRestart);
            }
            if ready::same_program(&project, &self.project) {
                self.project = project;
                return Ok(Synced::Done);
            }
            let instance = ready::instance(Arc::clone(&project), self.compiler.clone()).await?;
            Ok(self.take_over(project, instance, None))
        }
        .boxed()
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            let Self { id, ticks, watchdog, shown, .. } = *self;
            let stopped = match ticks {
                // It takes a tick at most.
                Ticks::Thread(thread) => {
                    let panicked = |_| EngineError::from(BoxError::from("its thread panicked"));
                    ready::blocking(move || thread.finish().map_err(panicked)).await
                }
                Ticks::Task(mut task) => {
                    task.shutdown().await;
                    Ok(())
                }
            };
            if stopped.is_err() {
                tracing::error!(target: "jackfield::engine", "The thread of engine `{id}` panicked");
            }
            drop((watchdog, shown));
        }
        .boxed()
    }
}

enum Ticks {
    Thread(Thread),
    /// One task; ends between two ticks when the set is dropped.
    Task(JoinSet<()>),
}

fn spawn_thread(mut ticking: Ticking, clock: Arc<dyn Clock>) -> std::io::Result<Thread> {
    Thread::spawn("jackfield-worker", move |stop| {
        Program::prepare_thread();
        'playing: while clock.wait_until(ticking.next(), stop) {
            for _ in 0..ticking.due(clock.now()) {
                // Of those that are overdue none has to be waited for.
                if stop.is_set() || !ticking.tick(|| clock.now()) {
                    break 'playing;
                }
            }
        }
        // Broken: nothing to do but wait for the end.
        clock.wait_until(Duration::MAX, stop);
    })
}

fn spawn_task(mut ticking: Ticking) -> JoinSet<()> {
    let mut task = JoinSet::new();
    let start = Instant::now();
    task.spawn(async move {
        loop {
            tokio::time::sleep_until(start + ticking.next()).await;
            for _ in 0..ticking.due(start.elapsed()) {
                if !ticking.tick(|| start.elapsed()) {
                    return;
                }
                // The loop is everybody's, also when the program takes all the time there is.
                tokio::task::yield_now().await;
            }
        }
    });
    task
}

fn other(error: std::io::Error) -> EngineError {
    EngineError::from(BoxError::from(error))
}
