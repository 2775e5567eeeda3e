//! The plugins that are the host's own.

pub(crate) mod knobs;
pub(crate) mod meter;
pub(crate) mod project;
pub(crate) mod recorder;

/// Why a plugin failed, in words that stand by themselves: the file, the reason, the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Plain(pub(crate) String);

/// A line for people, emitted on a session's bus by whoever has something to say.
#[derive(Clone, Debug)]
pub(crate) struct Notice(pub(crate) String);
