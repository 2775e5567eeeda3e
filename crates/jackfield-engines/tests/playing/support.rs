//! What the scenarios share: a fixture's program, and a session to play it in.

use jackfield_engines::{
    AudioSettings, Block, BlockRunner, Console, EngineEvent, EngineFactory, EngineId, EngineManager,
    EngineRegistry, EventDispatcher, KnobReceiver, Limits, Offline, Playing, Processor, ProcessorMonitor,
    Program, Project, ProjectStore, Start, SwapSender, TapeWriter, Voice, VoiceMonitor,
};
use jackfield_testkit::fixtures;
use std::sync::{Arc, Mutex};

pub(crate) fn project(name: &str) -> Arc<Project> {
    Arc::new(Project::load(fixtures::project(name)).unwrap())
}

/// A project that misbehaves.
pub(crate) fn misbehaving(name: &str) -> Arc<Project> {
    Arc::new(Project::load(fixtures::path(&format!("wat/{name}.project.json"))).unwrap())
}

/// From the program's own initial values.
pub(crate) fn runner(project: &Project) -> BlockRunner {
    let settings = AudioSettings::read(project.config.selected().unwrap()).unwrap();
    let instance =
        Program::compile(project, &Limits::default()).unwrap().instantiate_from(Start::Init).unwrap();
    BlockRunner::new(instance, settings.routes(&project.map).0)
}

pub(crate) fn processor(
    project: &Project,
    inputs: usize,
    knobs: KnobReceiver,
    tape: Option<TapeWriter>,
) -> (Processor, Control) {
    let (voice, voice_monitor) = Voice::new(runner(project), knobs);
    let (processor, monitor, swaps) = Processor::new(voice, inputs, tape);
    (processor, Control { monitor, voice: voice_monitor, swaps })
}

/// What a normal thread has of a processor.
pub(crate) struct Control {
    pub(crate) monitor: ProcessorMonitor,
    pub(crate) voice: VoiceMonitor,
    pub(crate) swaps: SwapSender,
}

/// The first frames as they are rendered offline, interleaved.
pub(crate) fn offline(project: &Project, frames: usize) -> Vec<f32> {
    let settings = AudioSettings::read(project.config.selected().unwrap()).unwrap();
    let mut offline = Offline::new(runner(project).into_instance(), settings.routes(&project.map).0);
    let mut all = Vec::new();
    while all.len() < frames * 2 {
        let mut block: [Block; 2] = [[0.0; 128]; 2];
        offline.render_block(&[], &mut block).unwrap();
        let [left, right] = &block;
        all.extend(left.iter().zip(right).flat_map(|(left, right)| [*left, *right]));
    }
    all.truncate(frames * 2);
    all
}

/// Compares bit for bit, and says where they part.
#[track_caller]
pub(crate) fn check_samples(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let parted = found.iter().zip(expected).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!(parted, None, "first sample that differs");
}

/// A store, a console and a manager around some engines, the first of which is the default.
pub(crate) struct Session {
    pub(crate) store: ProjectStore,
    pub(crate) console: Console,
    pub(crate) manager: EngineManager,
    pub(crate) heard: Arc<Mutex<Vec<EngineEvent>>>,
    pub(crate) events: EventDispatcher,
    _events: jackfield_engines::Subscription,
}

impl Session {
    pub(crate) fn new(engines: impl IntoIterator<Item = Arc<dyn EngineFactory>>) -> Self {
        let registry = EngineRegistry::new(engines);
        let default: EngineId = registry.iter().next().unwrap().id().clone();
        let (store, console, events) =
            (ProjectStore::new(registry, default), Console::new(), EventDispatcher::new());
        let heard: Arc<Mutex<Vec<EngineEvent>>> = Arc::default();
        let subscription = events.subscribe({
            let heard = Arc::clone(&heard);
            move |event| heard.lock().unwrap().push(event.clone())
        });
        let manager = EngineManager::start(store.clone(), events.clone(), console.clone());
        Self { store, console, manager, heard, events, _events: subscription }
    }

    /// Plays a project as the host would, and waits until it does.
    pub(crate) async fn play(&self, project: Arc<Project>) {
        self.store.compiled_project_config.set(project.config.clone());
        self.store.project.set(Some(project));
        let answer = self.manager.apply().await;
        assert!(answer.is_applied(), "{answer:?}");
    }

    /// The same at another rate.
    pub(crate) async fn play_at(&self, project: Arc<Project>, rate: u32) {
        self.play_with_rate(project, rate.into()).await;
    }

    /// The same at a rate that need not be whole.
    pub(crate) async fn play_with_rate(&self, project: Arc<Project>, rate: f64) {
        let mut config = project.config.clone();
        let selected = config.selected_runtime;
        config.runtime_settings[selected].settings.insert("sampleRate".to_owned(), rate.into());
        self.store.compiled_project_config.set(config);
        self.store.project.set(Some(project));
        let answer = self.manager.apply().await;
        assert!(answer.is_applied(), "{answer:?}");
    }

    /// Waits until the program is known to be broken, and gives the reason.
    pub(crate) async fn fault(&self) -> String {
        let broken =
            |playing: &Option<Playing>| playing.as_ref().is_some_and(|playing| playing.fault.is_some());
        let mut playing = self.console.playing();
        let playing = playing.wait_for(broken).await.unwrap().clone();
        playing.unwrap().fault.unwrap()
    }

    /// Waits until the program that plays is known to be well.
    pub(crate) async fn is_well(&self) {
        let well =
            |playing: &Option<Playing>| playing.as_ref().is_some_and(|playing| playing.fault.is_none());
        self.console.playing().wait_for(well).await.unwrap();
    }

    pub(crate) fn active(&self) -> Option<String> {
        self.manager.status().borrow().active.as_ref().map(ToString::to_string)
    }
}
