use std::time::Duration;

use tokio::sync::mpsc;

use super::hook::contained;
use crate::context::Edit;

/// What a runtime does with a plugin that fails while a change is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// The change is taken back.
    #[default]
    AllOrNothing,
    /// The plugin is left out, with those that need it; the change goes on, and its report names them and the reason.
    /// The plugin is tried again when its settings change.
    Quarantine,
}

/// What all scopes of a runtime share.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) runtime: usize,
    pub(super) deadline: Duration,
    pub(super) policy: FailurePolicy,
    pub(super) edits: mpsc::UnboundedSender<Edit>,
}

impl Surroundings {
    /// Drops what holds other people's values, which may panic on their way out, or ask for anything.
    pub(super) fn forget<T>(&self, what: T) {
        if let Err(error) = contained(self.runtime, || drop(what)) {
            tracing::error!(%error, "A value panicked when it was dropped.");
        }
    }
}
