use std::{fmt, future::pending, panic::resume_unwind};

use crate::error::PluginResult;

/// How a hook fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It returns an error. `register`, which cannot, panics.
    Error,
    /// It panics.
    Panic,
    /// It never returns. `register`, for which nobody waits, panics.
    Hang,
}

impl Fault {
    /// Fails in the name of `plugin`.
    pub(super) async fn strike(self, plugin: &str) -> PluginResult {
        match self {
            Self::Error => Err(format!("{plugin} was told to fail").into()),
            Self::Panic => panic_as_told(plugin),
            Self::Hang => pending().await,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "fail",
            Self::Panic => "panic",
            Self::Hang => "hang",
        })
    }
}

/// Panics without a message on the terminal, which a panic that was asked for is not worth.
pub(super) fn panic_as_told(plugin: &str) -> ! {
    resume_unwind(Box::new(format!("{plugin} was told to panic")))
}
