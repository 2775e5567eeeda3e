use std::fmt;

use serde::Serialize;

use crate::id::PluginId;

/// Why a plugin is on or off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// It is locked, which settings cannot change.
    Locked,
    /// Settings say so.
    Settings,
    /// Settings do not mention it, and it is on by default.
    Default,
    /// Settings do not mention it, and it is experimental.
    Experimental,
    /// It needs a plugin that does not take part.
    Needs {
        /// The plugin it needs.
        dependency: PluginId,
    },
    /// It failed, and was left out.
    Failed {
        /// What it failed with.
        reason: String,
    },
    /// It was removed from the runtime.
    Removed,
    /// Its scope ends.
    Closing,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked => f.write_str("locked"),
            Self::Settings => f.write_str("settings"),
            Self::Default => f.write_str("on by default"),
            Self::Experimental => f.write_str("experimental, off by default"),
            Self::Needs { dependency } => write!(f, "needs {dependency}, which is off"),
            Self::Failed { reason } => write!(f, "failed: {reason}"),
            Self::Removed => f.write_str("removed"),
            Self::Closing => f.write_str("closing"),
        }
    }
}
