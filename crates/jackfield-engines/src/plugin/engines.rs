use super::{
    Answer, Arc, BoxError, Console, EngineId, EngineManager, EngineRegistry, EventDispatcher, Mutex,
    PoisonError, Project, ProjectStore,
};

/// What a session plays with: the project store, the console, the engines' events, and the manager.
///
/// A service, one per session. It outlives the engines, and the manager's plugin while an undo may bring it back.
#[derive(Debug)]
pub struct Engines {
    store: ProjectStore,
    events: EventDispatcher,
    console: Console,
    manager: Mutex<Option<Arc<EngineManager>>>,
}

impl Engines {
    pub(super) fn new() -> Self {
        let default = EngineId::new("worker");
        Self {
            store: ProjectStore::new(EngineRegistry::default(), default),
            events: EventDispatcher::new(),
            console: Console::new(),
            manager: Mutex::new(None),
        }
    }

    /// The project store, which the manager follows.
    pub fn store(&self) -> &ProjectStore {
        &self.store
    }

    /// What engines report.
    pub fn events(&self) -> &EventDispatcher {
        &self.events
    }

    /// What people see and turn, whichever engine plays.
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Plays `project`, and returns when its engine runs.
    ///
    /// # Errors
    ///
    /// When no engine can play it. What played before plays on, as far as it can.
    ///
    /// # Cancel safety
    ///
    /// The change is made even if nobody waits for it.
    pub async fn play(&self, project: Arc<Project>) -> Result<EngineId, BoxError> {
        self.store.load(project);
        self.follow().await
    }

    /// Stops what plays, and forgets the project.
    pub async fn stop(&self) {
        self.store.project.set(None);
        let stopped = self.lock().take();
        if let Some(manager) = stopped {
            manager.close().await;
            drop(self.start_manager());
        }
    }

    /// Waits until the engine is the one that the store asks for.
    pub(super) async fn follow(&self) -> Result<EngineId, BoxError> {
        loop {
            let manager = self.lock().clone().ok_or("the engine manager is not running")?;
            match manager.apply().await {
                Answer::Applied { active } => return Ok(active),
                Answer::Superseded => {} // somebody changed the store once more; their wish is ours
                Answer::Refused(error) => return Err(error.into()),
            }
        }
    }

    /// Starts a manager in the place of the one there was, which has been closed.
    pub(super) fn start_manager(&self) -> Arc<EngineManager> {
        let manager = EngineManager::start(self.store.clone(), self.events.clone(), self.console.clone());
        let manager = Arc::new(manager);
        *self.lock() = Some(Arc::clone(&manager));
        manager
    }

    /// Puts the engines there are into the store; says whether they are others than before.
    pub(super) fn take_up(&self, registry: EngineRegistry, default: &str) -> bool {
        let default = EngineId::from(default.to_owned());
        let before = self.store.runtime_registry.get();
        let same =
            before.iter().count() == registry.iter().count() && registry.iter().all(|new| before.holds(new));
        let same_default = *self.store.default_runtime_id.get() == default;
        if !same_default {
            self.store.default_runtime_id.set(default);
        }
        if !same {
            self.store.runtime_registry.set(registry);
        }
        !same || !same_default
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<EngineManager>>> {
        self.manager.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
