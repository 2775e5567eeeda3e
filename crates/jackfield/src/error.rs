use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

/// Any error a plugin may fail with. Plugins are free to use whatever error type they like.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a lifecycle hook returns. A plugin may fail with any error.
pub type PluginResult = Result<(), BoxError>;

/// An error and its causes in one line.
fn chain(error: &Arc<dyn std::error::Error + Send + Sync>) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The message of whatever a panic was raised with, as far as it is text.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// How a hook failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// It returned an error. The plugin knows what to do about it. Displays with all its causes: whoever reads it has
    /// no other way to them.
    #[error("{}", chain(.0))]
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
        match catch_unwind(AssertUnwindSafe(|| drop(error.to_string()))) {
            Ok(()) => Self::Failed(error.into()),
            Err(payload) => Self::Panicked { message: panic_message(&*payload) },
        }
    }
}
