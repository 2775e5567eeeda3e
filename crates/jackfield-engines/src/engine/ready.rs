//! What all engines do before they play: compile, instantiate, compare.

use crate::console::Console;
use crate::engine::watchdog::Watchdog;
use crate::factory::{BoxError, EngineError};
use crate::id::EngineId;
use crate::instance::{Instance, Start};
use crate::memory::Carry;
use crate::program::{Compiler, Program};
use crate::project::{Addresses, AudioSettings, EngineSettings, Problem, Project};
use crate::realtime::{Controls, KnobError};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// How long a program may take to store its initial values.
const INIT_LIMIT: Duration = Duration::from_secs(2);

/// Compiles a project and makes an instance of it that is ready to be called, on a thread for such things.
///
/// An `init` that does not return is ended, whether or not somebody still waits for this.
pub(super) async fn instance(project: Arc<Project>, compiler: Compiler) -> Result<Instance, EngineError> {
    for problem in &project.left_out {
        tracing::warn!(target: "jackfield::engine", "Project `{}`: {problem}", project.name);
    }
    blocking(move || {
        let program = compiler.compile(&project).map_err(|error| unplayable(error.into()))?;
        let mut instance = program.blank().map_err(|error| unplayable(error.into()))?;
        let watchdog = Watchdog::start(instance.interrupt_handle(), INIT_LIMIT, || {})
            .map_err(|error| EngineError::from(BoxError::from(error)))?;
        let started = instance.start(Start::Snapshot);
        watchdog.finish();
        started.map_err(|error| unplayable(error.into()))?;
        Ok(instance)
    })
    .await
}

/// What a program is turned and shown by. Knobs that it has no place for are told.
pub(super) fn controls(console: &Console, program: &Program) -> Controls {
    let (controls, unset) = console.connect(program);
    unset.iter().for_each(left_as_it_is);
    controls
}

/// Tells of a knob that a program has no place for.
pub(super) fn left_as_it_is(problem: &KnobError) {
    tracing::warn!(target: "jackfield::engine", "A knob is left as it is: {problem}");
}

/// What a program takes over from the one before it. What comes from files is taken from them.
pub(super) fn carry(from: &Project, to: &Project) -> Carry {
    let is_asset = |id: &str| to.assets.iter().any(|asset| asset.memory_id == id);
    Carry::between(&from.map, &to.map, is_asset)
}

/// Where the program's audio lies. Routes that lead nowhere are left out, and told.
pub(super) fn addresses(settings: &AudioSettings, project: &Project) -> Addresses {
    let (addresses, left_out) = settings.routes(&project.map);
    for problem in left_out.into_iter().chain(settings.out_of_reach()) {
        tracing::warn!(target: "jackfield::engine", "Project `{}`: {problem}", project.name);
    }
    addresses
}

/// Runs something that blocks, off the host's loop.
pub(super) async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    match tokio::task::spawn_blocking(run).await {
        Ok(result) => result,
        Err(error) => Err(EngineError::from(BoxError::from(error))),
    }
}

/// Reads an engine's settings into their type.
pub(super) fn read<T>(
    engine: &EngineId,
    settings: &Map<String, Value>,
    read: impl FnOnce(&EngineSettings) -> Result<T, Vec<Problem>>,
) -> Result<T, EngineError> {
    let settings = EngineSettings { runtime: engine.to_string(), settings: settings.clone() };
    read(&settings).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
        EngineError::Settings { engine: engine.clone(), problem: problems.join("; ") }
    })
}

/// What an engine that stands in makes of another's settings: its own, with the other's rate where it can
/// play at that.
pub(super) fn with_rate_of<T>(
    mut own: Map<String, Value>,
    meant: &Map<String, Value>,
    read: impl FnOnce(&EngineSettings) -> Result<T, Vec<Problem>>,
) -> Map<String, Value> {
    const RATE: &str = "sampleRate";
    let Some(rate) = meant.get(RATE) else { return own };
    let settings = Map::from_iter([(RATE.to_owned(), rate.clone())]);
    if read(&EngineSettings { runtime: String::new(), settings }).is_ok() {
        own.insert(RATE.to_owned(), rate.clone());
    }
    own
}

/// Whether two projects are played alike. Their settings are compared by whoever reads them.
pub(super) fn same_program(one: &Arc<Project>, other: &Arc<Project>) -> bool {
    Arc::ptr_eq(one, other)
        || (one.wasm == other.wasm
            && one.map == other.map
            && one.snapshot == other.snapshot
            && one.assets == other.assets)
}

fn unplayable(source: BoxError) -> EngineError {
    EngineError::Program { source }
}
