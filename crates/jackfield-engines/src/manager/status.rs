//! What the manager is doing, as a plain value.

use super::answer::SwitchError;
use crate::causes::chain;
use crate::id::EngineId;

/// Where the manager is in changing engines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ManagerState {
    /// Nothing was asked for yet, or the manager is closed.
    #[default]
    Idle,
    /// The next engine is made ready; the old one, if any, plays.
    Preparing,
    /// The old engine is being stopped.
    Destroying,
    /// The next engine takes its device.
    Starting,
    /// The active engine plays.
    Running,
    /// No engine plays, because of the failure.
    Failed,
}

/// What the manager does, what it was asked for, and what went wrong last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManagerStatus {
    /// The engine asked for, by the name that was used; need not exist.
    pub requested: Option<String>,
    /// Whether there is no engine of that name, so that the default stands in for it.
    pub stands_in: bool,
    /// The engine that plays.
    pub active: Option<EngineId>,
    /// The engine that played before it.
    pub previous: Option<EngineId>,
    /// Where the manager is.
    pub state: ManagerState,
    /// Why the last request was not carried out; stays until one is.
    pub failed: Option<Failure>,
    /// Why the active engine does not play on the device that it should, when it plays elsewhere until it can.
    pub degraded: Option<String>,
}

/// A request that failed, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The name asked for.
    pub requested: String,
    /// What went wrong, causes included.
    pub reason: String,
}

impl Failure {
    pub(super) fn new(requested: &str, error: &SwitchError) -> Self {
        Self { requested: requested.to_owned(), reason: chain(error) }
    }
}
