//! The plugins that are the host's own.

pub(crate) mod knobs;
pub(crate) mod meter;
pub(crate) mod midi;
pub(crate) mod project;
pub(crate) mod recorder;

/// A line for people, emitted on a session's bus by whoever has something to say.
#[derive(Clone, Debug)]
pub(crate) struct Notice(pub(crate) String);

/// A failure that says all there is to say: whoever shows it to a person need not add which plugin it came from.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Said(pub(crate) String);
