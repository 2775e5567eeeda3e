//! From a path to a program that runs outside of any session.

use std::{path::Path, time::Duration};

use jackfield_engines::{Compiler, Instance, Project, Start, Watchdog};

use crate::{
    cache::code_cache,
    failure::{Failure, Outcome, chain},
};

/// How long one call may take, which lasts some milliseconds: more means that the program does not return.
const CALL_LIMIT: Duration = Duration::from_secs(2);

/// A project, and its program made ready to run.
pub(crate) struct Started {
    pub(crate) project: Project,
    pub(crate) instance: Instance,
    /// Ends a call that does not return, for as long as it is held.
    pub(crate) watchdog: Watchdog,
}

/// Loads a project and starts its program.
pub(crate) fn start(path: &Path) -> Outcome<Started> {
    let project = Project::load(path).map_err(Failure::input)?;
    let refused = |error: &(dyn std::error::Error + 'static)| {
        Failure::input(format!("{}: {}", path.display(), chain(error)))
    };
    let program =
        Compiler::default().with_cache(code_cache()).compile(&project).map_err(|error| refused(&error))?;
    let mut instance = program.blank().map_err(|error| refused(&error))?;
    let watchdog = Watchdog::start(instance.interrupt_handle(), CALL_LIMIT, || ()).map_err(Failure::work)?;
    instance.start(Start::Snapshot).map_err(|error| refused(&error))?;
    Ok(Started { project, instance, watchdog })
}
