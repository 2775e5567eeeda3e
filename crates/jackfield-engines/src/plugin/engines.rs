use crate::console::Console;
use crate::events::EventDispatcher;
use crate::factory::{EngineRegistry, ProjectStore};
use crate::id::EngineId;
use crate::manager::{Answer, EngineManager, ManagerStatus, Ticket};
use crate::project::{Project, ProjectConfig};
use jackfield::BoxError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const NOT_RUNNING: &str = "the engine manager is not running";

/// What a session plays with: the project store, the console, the engines' events, and the manager.
///
/// A service, one per session. It outlives the engines, and the manager's plugin while an undo may bring it back.
#[derive(Debug)]
pub struct Engines {
    store: ProjectStore,
    events: EventDispatcher,
    console: Console,
    manager: Mutex<Option<Arc<EngineManager>>>,
    /// Whose turn it is to play: two at once would mix their projects in the store.
    turn: tokio::sync::Mutex<()>,
}

impl Engines {
    pub(super) fn new() -> Self {
        let default = EngineId::new("worker");
        Self {
            store: ProjectStore::new(EngineRegistry::default(), default),
            events: EventDispatcher::new(),
            console: Console::new(),
            manager: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
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

    /// What the manager does: what was asked for, what plays, and what went wrong last. Later news comes over the
    /// session's bus.
    #[must_use]
    pub fn status(&self) -> ManagerStatus {
        let manager = self.lock().clone();
        manager.map(|manager| manager.status().borrow().clone()).unwrap_or_default()
    }

    /// Plays `project`, and returns when its engine runs. Those who ask at the same time are served one after the other.
    ///
    /// # Errors
    ///
    /// When no engine can play it. What played before plays on, as far as it can, and is what the store holds.
    ///
    /// # Cancel safety
    ///
    /// The change is made even if nobody waits for it.
    pub async fn play(&self, project: Arc<Project>) -> Result<EngineId, BoxError> {
        let _turn = self.turn.lock().await;
        let (config, before) = (self.store.compiled_project_config.get(), self.store.project.get());
        self.store.load(Arc::clone(&project));
        let played = self.follow().await;
        let is_still_there =
            || self.store.project.get().as_ref().as_ref().is_some_and(|now| Arc::ptr_eq(now, &project));
        if played.is_err() && is_still_there() {
            self.store.compiled_project_config.set(ProjectConfig::clone(&config));
            self.store.project.set(Option::clone(&before));
        }
        played
    }

    /// Stops what plays, forgets the project, and returns when the device is released. The next
    /// [`play`](Self::play) starts again.
    ///
    /// # Cancel safety
    ///
    /// What plays is stopped even if nobody waits for it.
    pub async fn stop(&self) {
        self.store.project.set(None);
        let manager = self.lock().clone();
        if let Some(manager) = manager {
            // Overtaken by somebody who wants to play; or it does not stop, which the manager has said.
            drop(manager.rest().await);
        }
    }

    /// Waits until the engine is the one that the store asks for.
    pub(super) async fn follow(&self) -> Result<EngineId, BoxError> {
        let manager = self.lock().clone().ok_or(NOT_RUNNING)?;
        settled(|| manager.apply()).await
    }

    /// Starts a manager. The one there was has been closed.
    pub(super) fn start_manager(&self) -> Arc<EngineManager> {
        let manager = EngineManager::start(self.store.clone(), self.events.clone(), self.console.clone());
        let manager = Arc::new(manager);
        *self.lock() = Some(Arc::clone(&manager));
        manager
    }

    /// Closes the manager, and returns when the device is released.
    pub(super) async fn close_manager(&self) {
        let manager = self.lock().take();
        if let Some(manager) = manager {
            manager.close().await;
        }
    }

    /// Puts the engines that there are into the store, when nothing plays yet.
    pub(super) fn take_up(&self, registry: EngineRegistry, default: EngineId) {
        // The default first: the manager looks when the registry is set.
        self.store.default_runtime_id.set(default);
        self.store.runtime_registry.set(registry);
    }

    /// Plays on with these engines, and puts them into the store.
    ///
    /// # Errors
    ///
    /// When nothing could play any more, though it does now. What plays plays on then, and the store is as before.
    pub(super) async fn change_to(
        &self,
        registry: EngineRegistry,
        default: EngineId,
    ) -> Result<(), BoxError> {
        if *self.store.default_runtime_id.get() == default
            && self.store.runtime_registry.get().is_the_same_as(&registry)
        {
            return Ok(());
        }
        let manager = self.lock().clone().ok_or(NOT_RUNNING)?;
        let plays = manager.status().borrow().active.is_some();
        let has_project = self.store.project.get().is_some();
        if plays && has_project {
            // Should nobody wait any more, the change is not made.
            let unless_answered = Otherwise(Some(&manager));
            let tried = settled(|| manager.try_engines(registry.clone(), default.clone())).await;
            unless_answered.need_not();
            tried?;
        }
        self.take_up(registry, default);
        if has_project && !plays {
            // What did not play before is not this change's fault; the manager's status says why.
            self.follow().await.ok();
        }
        Ok(())
    }

    // Only moves and counts happen under this lock.
    fn lock(&self) -> MutexGuard<'_, Option<Arc<EngineManager>>> {
        self.manager.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks until there is an answer that is final.
async fn settled(ask: impl Fn() -> Ticket) -> Result<EngineId, BoxError> {
    loop {
        match ask().await {
            Answer::Applied { active } => return Ok(active),
            Answer::Superseded => {} // somebody asked for something else; ours holds all the same
            Answer::Stopped => return Err("it was stopped".into()),
            Answer::Refused(error) => return Err(error.into()),
        }
    }
}

/// Has a manager follow its store again, when a trial is given up half-way.
struct Otherwise<'a>(Option<&'a EngineManager>);

impl Otherwise<'_> {
    fn need_not(mut self) {
        self.0 = None;
    }
}

impl Drop for Otherwise<'_> {
    fn drop(&mut self) {
        if let Some(manager) = self.0 {
            drop(manager.apply());
        }
    }
}
