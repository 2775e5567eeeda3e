//! The contract between whoever makes engines and the manager that runs one of them.

use crate::console::Console;
use crate::events::EventDispatcher;
use crate::id::EngineId;
use crate::project::Project;
use crate::store::StateStore;
use futures_util::future::BoxFuture;
use schemars::Schema;
use serde_json::{Map, Value};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

mod closure;
mod registry;

pub use self::closure::engine_fn;
pub use self::registry::{EngineRegistry, Registered};

/// The project store as engines and their manager use it.
pub type ProjectStore = StateStore<EngineRegistry>;

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Makes engines of one kind. Shared by all sessions.
///
/// Making goes in two steps, so that the engine which plays can go on playing through the first:
/// [`prepare`](Self::prepare) does what can fail or takes time and touches no device, then the old engine is
/// stopped, then [`Prepared::start`] takes the device.
pub trait EngineFactory: Send + Sync {
    /// The id under which it is known.
    fn id(&self) -> EngineId;

    /// Other names it answers to.
    fn aliases(&self) -> &[&'static str] {
        &[]
    }

    /// The settings an engine has where the project says nothing.
    fn defaults(&self) -> Map<String, Value> {
        Map::new()
    }

    /// The settings to play with when the project asks for an engine that is not there, and this one stands
    /// in: what is of use in the settings `meant` for the other, over its own defaults.
    ///
    /// As it stands, everything that this engine has a default for, such as the rate.
    fn stand_in(&self, meant: &Map<String, Value>) -> Map<String, Value> {
        let mut settings = self.defaults();
        for (name, value) in &mut settings {
            if let Some(meant) = meant.get(name) {
                *value = meant.clone();
            }
        }
        settings
    }

    /// What its settings may look like.
    fn schema(&self) -> Schema {
        Schema::default()
    }

    /// Compiles, instantiates and validates, while another engine may be playing.
    ///
    /// # Errors
    ///
    /// When the project or the settings cannot be played; nothing has changed then.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when it exceeds the manager's deadline or the manager closes; that must undo it.
    fn prepare(&self, cx: EngineContext) -> BoxFuture<'_, Result<Box<dyn Prepared>, EngineError>>;
}

/// An engine about to start: everything is ready but the device. Dropping it undoes the preparation.
pub trait Prepared: Send {
    /// Takes the device and plays.
    ///
    /// # Errors
    ///
    /// When the device cannot be had; everything is released then.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when it exceeds the manager's deadline; that must release everything.
    fn start(self: Box<Self>) -> BoxFuture<'static, Result<Box<dyn Engine>, EngineError>>;
}

/// A running engine. The manager has one at a time.
///
/// Dropping one without [`stop`](Self::stop) must release its device too, if not at once.
pub trait Engine: Send {
    /// Takes over a new project, new settings, or both; also called when neither differs, after a compilation
    /// that changed nothing.
    ///
    /// # Errors
    ///
    /// When they cannot be played; the engine goes on as before then.
    ///
    /// # Cancel safety
    ///
    /// A future that exceeds the manager's deadline is dropped, and the engine stopped and made anew.
    fn sync(&mut self, update: EngineUpdate) -> BoxFuture<'_, Result<Synced, EngineError>>;

    /// Stops, and returns when the device is released and no callback runs any more.
    fn stop(self: Box<Self>) -> BoxFuture<'static, ()>;
}

const _: Option<&dyn EngineFactory> = None;
const _: Option<&dyn Prepared> = None;
const _: Option<&dyn Engine> = None;

/// What an engine did with an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// It runs with it.
    Done,
    /// It cannot take it over while running (another sample rate, another device) and asks to be made anew;
    /// it goes on as before until then.
    NeedsRestart,
}

/// What an engine is made from: the session's things, and the project and settings as they were when the
/// change was asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineContext {
    /// The project store.
    pub store: ProjectStore,
    /// Where to report.
    pub events: EventDispatcher,
    /// What people see and turn; it outlives the engine.
    pub console: Console,
    /// The project, once there is one.
    pub project: Option<Arc<Project>>,
    /// The project's settings over the factory's defaults.
    pub settings: Map<String, Value>,
}

impl EngineContext {
    /// A context; the manager makes them, and tests.
    #[must_use]
    pub fn new(store: ProjectStore, events: EventDispatcher, console: Console) -> Self {
        Self { store, events, console, project: None, settings: Map::new() }
    }

    /// The same for a project with settings.
    #[must_use]
    pub fn with(self, update: EngineUpdate) -> Self {
        Self { project: update.project, settings: update.settings, ..self }
    }
}

/// What may change for a running engine.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EngineUpdate {
    /// The project, once there is one.
    pub project: Option<Arc<Project>>,
    /// The project's settings over the factory's defaults.
    pub settings: Map<String, Value>,
}

impl EngineUpdate {
    /// An update to this project and these settings.
    #[must_use]
    pub fn new(project: Option<Arc<Project>>, settings: Map<String, Value>) -> Self {
        Self { project, settings }
    }
}

/// An engine could not be made, started or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is nothing to play yet. Comes right when a project is loaded.
    #[error("there is no project to play yet")]
    NoProject,
    /// The settings do not fit the engine. The author must change them.
    #[error("the settings of engine `{engine}` are not valid: {problem}")]
    Settings {
        /// The engine.
        engine: EngineId,
        /// What is wrong, with its place.
        problem: String,
    },
    /// The program does not compile, start or fit the engine. The author must change it.
    #[error("the program cannot be played")]
    Program {
        /// Why.
        source: BoxError,
    },
    /// The device cannot be had. Another device, or trying again, may help.
    #[error("the device cannot be opened")]
    Device {
        /// Why.
        source: BoxError,
    },
    /// Anything else; engines of other people may fail as they like.
    #[error("the engine failed")]
    Other {
        /// Why.
        #[from]
        source: BoxError,
    },
}

impl fmt::Debug for dyn EngineFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineFactory").finish_non_exhaustive()
    }
}

impl fmt::Debug for dyn Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}

impl fmt::Debug for dyn Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
