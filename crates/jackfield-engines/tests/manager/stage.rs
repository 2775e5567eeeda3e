//! A manager among engines that do as they are told and write down what is done to them.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use crate::captured::Captured;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jackfield_engines::{
    BoxError, Console, Deadlines, Engine, EngineContext, EngineError, EngineFactory, EngineId, EngineManager,
    EngineRegistry, EngineSettings, EngineUpdate, EventDispatcher, ManagerState, ManagerStatus, Prepared,
    ProjectConfig, ProjectStore, Synced,
};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// What a stub does at one step, once.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Fail,
    Panic,
    Hang,
    /// Goes on when the gate gives a permit.
    Wait(Arc<Semaphore>),
    /// (sync only) asks to be made anew.
    Restart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Prepare,
    Start,
    Sync,
    Stop,
}

/// What all stubs of a stage share.
#[derive(Debug, Default)]
pub(crate) struct Backstage {
    calls: Mutex<Vec<String>>,
    acts: Mutex<VecDeque<(String, Step, Act)>>,
    alive: AtomicUsize,
    most_alive: AtomicUsize,
}

impl Backstage {
    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }

    async fn perform(&self, id: &str, step: Step) -> Result<bool, EngineError> {
        let act = {
            let mut acts = self.acts.lock().unwrap();
            let place = acts.iter().position(|(who, when, _)| who == id && *when == step);
            place.and_then(|place| acts.remove(place))
        };
        match act {
            None => Ok(false),
            Some((_, _, Act::Restart)) => Ok(true),
            Some((_, _, Act::Fail)) => Err(BoxError::from(format!("{id} boom")).into()),
            Some((_, _, Act::Panic)) => panic!("{id} panics"),
            Some((_, _, Act::Hang)) => std::future::pending().await,
            Some((_, _, Act::Wait(gate))) => {
                gate.acquire().await.unwrap().forget();
                Ok(false)
            }
        }
    }
}

struct Stub {
    id: &'static str,
    backstage: Arc<Backstage>,
}

impl EngineFactory for Stub {
    fn id(&self) -> EngineId {
        EngineId::new(self.id)
    }

    fn aliases(&self) -> &[&'static str] {
        if self.id == "b" { &["LegacyB"] } else { &[] }
    }

    fn defaults(&self) -> Map<String, Value> {
        Map::from_iter([("sampleRate".to_owned(), json!(50))])
    }

    fn prepare(&self, cx: EngineContext) -> BoxFuture<'_, Result<Box<dyn Prepared>, EngineError>> {
        async move {
            self.backstage.note(format!("prepare {}", self.id));
            self.backstage.perform(self.id, Step::Prepare).await?;
            let ready =
                Ready { id: self.id, rate: rate(&cx.settings), backstage: Arc::clone(&self.backstage) };
            Ok(Box::new(ready) as Box<dyn Prepared>)
        }
        .boxed()
    }
}

struct Ready {
    id: &'static str,
    rate: String,
    backstage: Arc<Backstage>,
}

impl Prepared for Ready {
    fn start(self: Box<Self>) -> BoxFuture<'static, Result<Box<dyn Engine>, EngineError>> {
        async move {
            self.backstage.note(format!("start {} {}", self.id, self.rate));
            self.backstage.perform(self.id, Step::Start).await?;
            let alive = self.backstage.alive.fetch_add(1, Ordering::SeqCst) + 1;
            self.backstage.most_alive.fetch_max(alive, Ordering::SeqCst);
            Ok(Box::new(Running { id: self.id, backstage: self.backstage }) as Box<dyn Engine>)
        }
        .boxed()
    }
}

struct Running {
    id: &'static str,
    backstage: Arc<Backstage>,
}

impl Engine for Running {
    fn sync(&mut self, update: EngineUpdate) -> BoxFuture<'_, Result<Synced, EngineError>> {
        async move {
            self.backstage.note(format!("sync {} {}", self.id, rate(&update.settings)));
            let restart = self.backstage.perform(self.id, Step::Sync).await?;
            Ok(if restart { Synced::NeedsRestart } else { Synced::Done })
        }
        .boxed()
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            self.backstage.note(format!("stop {}", self.id));
            self.backstage.perform(self.id, Step::Stop).await.ok();
        }
        .boxed()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.backstage.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

fn rate(settings: &Map<String, Value>) -> String {
    settings.get("sampleRate").map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// A store, its manager, and the stubs `a` (the default) and `b`.
pub(crate) struct Stage {
    pub(crate) store: ProjectStore,
    pub(crate) manager: EngineManager,
    pub(crate) backstage: Arc<Backstage>,
    log: Captured,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let backstage = Arc::new(Backstage::default());
        let stub = |id| Arc::new(Stub { id, backstage: Arc::clone(&backstage) }) as Arc<dyn EngineFactory>;
        let store = ProjectStore::new(EngineRegistry::new([stub("a"), stub("b")]), EngineId::new("a"));
        let manager = EngineManager::start_with(
            store.clone(),
            EventDispatcher::new(),
            Console::new(),
            Deadlines::default(),
        );
        Self { store, manager, backstage, log: Captured::new() }
    }

    pub(crate) fn stub(&self, id: &'static str) -> Arc<dyn EngineFactory> {
        Arc::new(Stub { id, backstage: Arc::clone(&self.backstage) })
    }

    /// What `id` does the next time it comes to `step`.
    pub(crate) fn next(&self, id: &str, step: Step, act: Act) {
        self.backstage.acts.lock().unwrap().push_back((id.to_owned(), step, act));
    }

    pub(crate) fn gate(&self, id: &str, step: Step) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.next(id, step, Act::Wait(Arc::clone(&gate)));
        gate
    }

    /// Lets the project ask for an engine at a rate.
    pub(crate) fn config(&self, runtime: &str, sample_rate: u32) {
        self.store.compiled_project_config.set(config(runtime, sample_rate));
    }

    /// Lets the compiler finish, as the editor does it.
    pub(crate) fn compiled(&self) {
        self.store.compiler.is_compiling.set(false);
    }

    /// Asks for an engine and waits for the answer's success.
    pub(crate) async fn plays(&self, runtime: &str) {
        self.config(runtime, 50);
        let answer = self.manager.apply().await;
        assert!(answer.is_applied(), "{answer:?}");
    }

    /// Waits for a status that fits.
    pub(crate) async fn until(&self, fits: impl FnMut(&ManagerStatus) -> bool) -> ManagerStatus {
        self.manager.status().wait_for(fits).await.unwrap().clone()
    }

    pub(crate) async fn settled(&self) -> ManagerStatus {
        self.until(|status| matches!(status.state, ManagerState::Running | ManagerState::Failed)).await
    }

    pub(crate) fn status(&self) -> ManagerStatus {
        self.manager.status().borrow().clone()
    }

    /// What was done to the stubs since the last time.
    #[track_caller]
    pub(crate) fn calls(&self, expected: &[&str]) {
        let calls = std::mem::take(&mut *self.backstage.calls.lock().unwrap());
        assert_eq!(calls, expected);
    }

    /// The same, for whoever looks at it otherwise.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.backstage.calls.lock().unwrap())
    }

    /// Drops the manager; what was done to the stubs can still be asked for.
    pub(crate) fn drop_manager(self) -> impl Fn() -> Vec<String> {
        let backstage = Arc::clone(&self.backstage);
        drop(self);
        move || backstage.calls.lock().unwrap().clone()
    }

    /// What was logged since the last time.
    #[track_caller]
    pub(crate) fn logs(&self, expected: &[&str]) {
        self.log.lines(expected);
    }

    pub(crate) fn alive(&self) -> usize {
        self.backstage.alive.load(Ordering::SeqCst)
    }

    pub(crate) fn most_alive(&self) -> usize {
        self.backstage.most_alive.load(Ordering::SeqCst)
    }
}

pub(crate) fn config(runtime: &str, sample_rate: u32) -> ProjectConfig {
    let settings = Map::from_iter([("sampleRate".to_owned(), json!(sample_rate))]);
    let mut config = ProjectConfig::default();
    config.runtime_settings = vec![EngineSettings { runtime: runtime.to_owned(), settings }];
    config
}
