//! What the runtime feature knows of the world: the fields it reads, and who is told when one is set.

use crate::field::Field;
use crate::id::EngineId;
use crate::project::{Project, ProjectConfig};
use std::sync::Arc;

/// The project store: a handful of observed fields, under the names the 8f4e editor uses.
///
/// A handle: clones are the same store. `R` is what the registry of engines is; it is left open here because
/// engines are given the store and the store holds the engines. Outside this crate's tests it is
/// [`EngineRegistry`](crate::EngineRegistry), and the whole is called [`ProjectStore`](crate::ProjectStore).
#[derive(Clone, Debug)]
pub struct StateStore<R> {
    /// The engines there are.
    pub runtime_registry: Field<R>,
    /// The engine that plays when none, or an unknown one, is asked for.
    pub default_runtime_id: Field<EngineId>,
    /// Which engine the project asks for, and how it wants it.
    pub compiled_project_config: Field<ProjectConfig>,
    /// The compiler's own state.
    pub compiler: CompilerState,
    /// The project to play, once there is one.
    pub project: Field<Option<Arc<Project>>>,
}

/// The part of the store that the compiler sets.
#[derive(Clone, Debug)]
pub struct CompilerState {
    /// Whether a program is being compiled. Setting it to `false`, equal or not, makes the manager look at
    /// everything else in the store and follow it.
    pub is_compiling: Field<bool>,
}

impl<R: Send + Sync + 'static> StateStore<R> {
    /// A store without a project and without settings.
    #[must_use]
    pub fn new(runtime_registry: R, default_runtime_id: EngineId) -> Self {
        Self {
            runtime_registry: Field::new(runtime_registry),
            default_runtime_id: Field::new(default_runtime_id),
            compiled_project_config: Field::new(ProjectConfig::default()),
            compiler: CompilerState { is_compiling: Field::new(false) },
            project: Field::new(None),
        }
    }

    /// Puts a project that is compiled already: itself, its settings, and then the end of compiling, which
    /// makes the manager play it.
    pub fn load(&self, project: Arc<Project>) {
        self.compiler.is_compiling.set(true);
        self.compiled_project_config.set(project.config.clone());
        self.project.set(Some(project));
        self.compiler.is_compiling.set(false);
    }
}
