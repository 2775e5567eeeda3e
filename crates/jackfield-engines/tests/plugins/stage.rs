//! A runtime whose plugins play on devices that write down what is done to them.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jackfield::{
    Envelope, Manifest, Plugin, PluginResult, PluginRuntime, RuntimeBuilder, RuntimeSettings, Session,
    SessionContext, Slot, Subscription,
};
use jackfield_engines::{
    AUDIO, AudioEngine, BoxError, Device, DeviceError, ENGINES, EngineContext, EngineError, EngineFactory,
    EngineId, EngineManagerPlugin, EnginePlugin, Engines, MAIN, ManualClock, NullDevice, Prepared, Project,
    Stream, StreamSetup, TimerEngine, WORKER,
};
use jackfield_testkit::fixtures;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// A device that keeps time by hand, and writes down when it is opened and closed. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Recorded(Arc<Bench>);

#[derive(Default)]
struct Bench {
    lines: Mutex<Vec<&'static str>>,
    clocks: Mutex<Vec<ManualClock>>,
    refuses: AtomicBool,
}

impl Recorded {
    /// What was done to it since the last time.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        mem::take(&mut self.0.lines.lock().unwrap())
    }

    /// From now on it cannot be opened, or can again.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.0.refuses.store(refuse, Ordering::SeqCst);
    }

    /// Lets the stream that was opened as the `n`th play for so many milliseconds.
    pub(crate) fn play(&self, n: usize, milliseconds: u64) {
        let clock = self.0.clocks.lock().unwrap()[n].clone();
        clock.advance(Duration::from_millis(milliseconds));
    }
}

impl Device for Recorded {
    fn name(&self) -> String {
        "recorded".to_owned()
    }

    fn open(&self, setup: StreamSetup) -> Result<Box<dyn Stream>, DeviceError> {
        if self.0.refuses.load(Ordering::SeqCst) {
            return Err(DeviceError::Busy { device: self.name(), source: "told to refuse".into() });
        }
        let clock = ManualClock::new();
        let stream = NullDevice::with_clock(Arc::new(clock.clone())).open(setup)?;
        self.0.clocks.lock().unwrap().push(clock);
        self.0.lines.lock().unwrap().push("open");
        Ok(Box::new(Open { stream, bench: Arc::clone(&self.0) }))
    }
}

struct Open {
    stream: Box<dyn Stream>,
    bench: Arc<Bench>,
}

impl Stream for Open {
    fn stop(self: Box<Self>) -> Result<(), DeviceError> {
        let stopped = self.stream.stop();
        self.bench.lines.lock().unwrap().push("close");
        stopped
    }
}

/// An engine called `broken`, which fails to be made.
pub(crate) struct Broken;

pub(crate) const BROKEN: Slot<dyn EngineFactory> = Slot::new("engine.broken");

impl EngineFactory for Broken {
    fn id(&self) -> EngineId {
        EngineId::new("broken")
    }

    fn prepare(&self, _: EngineContext) -> BoxFuture<'_, Result<Box<dyn Prepared>, EngineError>> {
        async { Err(BoxError::from("it is broken").into()) }.boxed()
    }
}

/// Plays a project from when it attaches, as hosts do.
pub(crate) struct Loader(pub(crate) Arc<Project>);

impl Plugin for Loader {
    fn manifest(&self) -> Manifest {
        Manifest::new("loader").depends_on("engine-manager")
    }

    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let engines = cx.resolve(ENGINES)?;
        engines.play(Arc::clone(&self.0)).await?;
        cx.at_detach(async move {
            engines.stop().await;
            Ok(())
        });
        Ok(())
    }
}

pub(crate) fn project(name: &str) -> Arc<Project> {
    Arc::new(Project::load(fixtures::path(&format!("{name}.project.json"))).unwrap())
}

/// The three engines, the one for audio on `device`, and their manager.
pub(crate) fn engines(device: &Recorded) -> RuntimeBuilder<(), ()> {
    let device: Arc<dyn Device> = Arc::new(device.clone());
    PluginRuntime::builder()
        .plugin(EnginePlugin::new("engine-audio", "plays audio", AUDIO, AudioEngine::new(device)))
        .plugin(EnginePlugin::new("engine-worker", "ticks", WORKER, TimerEngine::worker()))
        .plugin(EnginePlugin::new("engine-main", "ticks", MAIN, TimerEngine::main()))
        .plugin(EngineManagerPlugin)
}

/// A session in which something plays.
pub(crate) struct Stage {
    pub(crate) runtime: PluginRuntime,
    pub(crate) session: Session,
    pub(crate) engines: Arc<Engines>,
}

impl Stage {
    pub(crate) async fn of(builder: RuntimeBuilder<(), ()>, project: &Arc<Project>) -> Self {
        let runtime = builder.init().await.unwrap();
        let session = runtime.create_session("ada").await.unwrap();
        let engines = session.resolve(ENGINES).unwrap();
        engines.play(Arc::clone(project)).await.unwrap();
        Self { runtime, session, engines }
    }

    /// Changes the settings, and says whether that worked.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut RuntimeSettings)) -> Result<(), String> {
        let next = self.runtime.settings().with(change);
        self.runtime.update_settings(next).await.map(drop).map_err(|error| error.to_string())
    }

    pub(crate) fn active(&self) -> Option<String> {
        self.engines.status().active.as_ref().map(ToString::to_string)
    }
}

/// Everything of one type that is told in a session, in order.
pub(crate) struct Heard<E> {
    events: mpsc::UnboundedReceiver<E>,
    _subscription: Subscription,
}

impl<E: Clone + Send + Sync + 'static> Heard<E> {
    pub(crate) fn on(session: &Session) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let heard = move |event: &mut Envelope<E>| drop(sender.send(E::clone(event)));
        Self { events, _subscription: session.bus().on(heard).unwrap() }
    }

    /// Waits for one that fits; those before it are passed over.
    pub(crate) async fn until(&mut self, fits: impl Fn(&E) -> bool) -> E {
        loop {
            let event = self.events.recv().await.unwrap();
            if fits(&event) {
                return event;
            }
        }
    }

    /// The last that was told so far.
    pub(crate) fn last(&mut self) -> Option<E> {
        let mut last = None;
        while let Ok(event) = self.events.try_recv() {
            last = Some(event);
        }
        last
    }
}
