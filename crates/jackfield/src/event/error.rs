use crate::{error::BoxError, event::origin::HandlerOrigin};

/// The bus takes no more subscriptions: its scope is closing, or has closed. Nothing to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bus is closed, or about to be, and takes no more subscriptions")]
pub struct BusClosed;

/// Why an event did not get past all of its handlers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The scope of this bus has closed. Nothing was called; there is nothing to retry.
    #[error("the bus is closed: `{event}` was not delivered")]
    Closed {
        /// The type of the event.
        event: &'static str,
    },
    /// A synchronous emit came to an asynchronous handler. The handlers before it have run. Use `emit(…).await`,
    /// or make that handler a synchronous one.
    #[error(
        "`{event}` was emitted synchronously, but {handler} is asynchronous: emit it with `emit(…).await`"
    )]
    Asynchronous {
        /// The type of the event.
        event: &'static str,
        /// The handler that was not called.
        handler: HandlerOrigin,
    },
    /// A handler failed; those after it did not run. The source is its error, as it was.
    #[error("{handler} failed on `{event}`")]
    Failed {
        /// The type of the event.
        event: &'static str,
        /// The handler that failed.
        handler: HandlerOrigin,
        /// The handler's own error.
        source: BoxError,
    },
    /// A handler panicked; those after it did not run. The bus is as usable as before.
    #[error("{handler} panicked on `{event}`: {message}")]
    Panicked {
        /// The type of the event.
        event: &'static str,
        /// The handler that panicked.
        handler: HandlerOrigin,
        /// What it panicked with, as far as that was text.
        message: String,
    },
}

impl EmitError {
    /// The handler's own error, unwrapped, if it was a handler that failed.
    ///
    /// # Errors
    ///
    /// Gives itself back if it is something else.
    pub fn into_failure(self) -> Result<BoxError, Self> {
        match self {
            Self::Failed { source, .. } => Ok(source),
            other => Err(other),
        }
    }
}
