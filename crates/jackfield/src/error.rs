use std::{error::Error, iter::successors, sync::Arc, time::Duration};

use crate::foreign::{contain, discard};

/// Any error a plugin may fail with. Plugins are free to use whatever error type they like.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a lifecycle hook returns. A plugin may fail with any error.
pub type PluginResult = Result<(), BoxError>;

/// An error and its causes in one line. All that they say is foreign code.
fn chain(error: &(dyn Error + 'static)) -> Result<String, String> {
    contain(|| {
        let causes = successors(error.source(), |&cause| cause.source());
        causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
    })
}

fn shown(error: &(dyn Error + 'static)) -> String {
    chain(error).unwrap_or_else(|message| format!("an error that panicked when it was shown: {message}"))
}

/// How a hook failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// It returned an error. The plugin knows what to do about it. Displays with all its causes: whoever reads it has
    /// no other way to them.
    #[error("{}", shown(&**.0))]
    Failed(Arc<dyn std::error::Error + Send + Sync>),
    /// It panicked: a bug in the plugin.
    #[error("it panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
    /// It did not return in time, and was dropped.
    #[error("it did not return within {deadline:?}")]
    TimedOut {
        /// The time it had.
        deadline: Duration,
    },
}

impl HookError {
    pub(crate) fn failed(error: BoxError) -> Self {
        // Whoever logs it must be able to: an error that cannot say what it is, is a panic.
        match chain(&*error) {
            Ok(_) => Self::Failed(error.into()),
            Err(message) => {
                discard(error);
                Self::Panicked { message }
            }
        }
    }
}
