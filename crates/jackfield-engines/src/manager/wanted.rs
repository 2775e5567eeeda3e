//! What a request asks for: the store as it was then, and the engine that follows from it.

use crate::factory::{EngineRegistry, EngineUpdate, ProjectStore, Registered};
use crate::id::EngineId;
use crate::project::{Project, ProjectConfig};
use serde_json::{Map, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Why the manager looks at the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Compiling ended, or somebody asked outright: follow everything.
    Asked,
    /// The engines that there are have changed: see whether the one that plays is still the right one.
    Registry,
    /// The engines that there are would change, if that works out: the one that plays may go on otherwise.
    Trial,
    /// Nothing is to play.
    Rest,
}

/// The store at the moment of a request, so that what is made later is not made from something newer.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) registry: Arc<EngineRegistry>,
    default: Arc<EngineId>,
    config: Arc<ProjectConfig>,
    project: Option<Arc<Project>>,
}

impl Wanted {
    pub(super) fn read(store: &ProjectStore) -> Self {
        Self {
            registry: store.runtime_registry.get(),
            default: store.default_runtime_id.get(),
            config: store.compiled_project_config.get(),
            project: Option::clone(&store.project.get()),
        }
    }

    /// The same wish, among engines that are not in the store.
    pub(super) fn with_engines(self, registry: EngineRegistry, default: EngineId) -> Self {
        Self { registry: Arc::new(registry), default: Arc::new(default), ..self }
    }

    /// The same wish among other engines.
    pub(super) fn among(self, engines: &Self) -> Self {
        Self { registry: Arc::clone(&engines.registry), default: Arc::clone(&engines.default), ..self }
    }

    /// Which engine that is.
    pub(super) fn select(&self) -> Selection {
        let selected = self.config.selected();
        let requested = match selected {
            Some(settings) => settings.runtime.clone(),
            None if self.config.runtime_settings.is_empty() => self.default.as_str().to_owned(),
            None => format!("#{}", self.config.selected_runtime),
        };
        let found = self.registry.get(&requested);
        let engine = found.or_else(|| self.registry.get(self.default.as_str()));
        let empty = Map::new();
        let given = selected.map_or(&empty, |settings| &settings.settings);
        Selection {
            requested,
            known: found.is_some(),
            default: EngineId::clone(&self.default),
            engine: engine.cloned(),
            update: EngineUpdate::new(
                self.project.clone(),
                engine.map(|engine| settings_for(engine, given, found.is_some())).unwrap_or_default(),
            ),
        }
    }
}

/// An engine chosen.
#[derive(Debug)]
pub(super) struct Selection {
    /// The name asked for; `#3` when it was a place in a list that is shorter.
    pub(super) requested: String,
    /// Whether there is an engine of that name.
    pub(super) known: bool,
    /// The engine that stands in otherwise.
    pub(super) default: EngineId,
    /// The engine asked for or the default; nothing when there is neither.
    pub(super) engine: Option<Registered>,
    /// What it is to play, and how.
    pub(super) update: EngineUpdate,
}

/// The project's settings over the engine's own defaults; for an engine that stands in, what it makes of them.
fn settings_for(engine: &Registered, given: &Map<String, Value>, meant_for_it: bool) -> Map<String, Value> {
    if !meant_for_it {
        let stand_in = catch_unwind(AssertUnwindSafe(|| engine.factory().stand_in(given)));
        return stand_in.unwrap_or_else(|_| engine.defaults().clone());
    }
    let mut settings = engine.defaults().clone();
    settings.extend(given.clone());
    settings
}
