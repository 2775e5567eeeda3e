use std::{fmt, sync::Arc};

use crate::{error::BoxError, event::HandlerOrigin};

/// Why a request has no response.
///
/// Nobody answered if it is [`NotWired`](Self::NotWired) or [`AllConceded`](Self::AllConceded), which
/// [`is_unanswered`](Self::is_unanswered) tells; in all other cases something went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There was nobody to ask. Enable a plugin that handles the request, or ask with `request_optional`.
    #[error("nobody handles `{request}`{} with `{response}`{}", to(identifier.as_ref()), aside(*mismatch))]
    NotWired {
        /// The type of the request.
        request: &'static str,
        /// The type of its response.
        response: &'static str,
        /// To whom it was addressed, if to anyone in particular.
        identifier: Option<Arc<str>>,
        /// Whether there are handlers of this request, but none for this address.
        mismatch: bool,
    },
    /// Everybody asked gave way to the next, up to the last.
    #[error("every handler of `{request}`{} conceded: {remedy}", to(identifier.as_ref()))]
    AllConceded {
        /// The type of the request.
        request: &'static str,
        /// The type of its response.
        response: &'static str,
        /// To whom it was addressed, if to anyone in particular.
        identifier: Option<Arc<str>>,
        /// What the caller can do about it.
        remedy: Remedy,
    },
    /// The scope of this bus has closed. Nobody was asked; there is nothing to retry.
    #[error("the bus is closed: `{request}` was not put to anybody")]
    Closed {
        /// The type of the request.
        request: &'static str,
    },
    /// A synchronous request came to an asynchronous handler. Use `request(…).await`, or make that handler a
    /// synchronous one.
    #[error(
        "`{request}` was made synchronously, but {handler} is asynchronous: make it with `request(…).await`"
    )]
    Asynchronous {
        /// The type of the request.
        request: &'static str,
        /// The handler that was not called.
        handler: HandlerOrigin,
    },
    /// A handler failed; nobody else was asked. The source is its error, as it was.
    #[error("{handler} failed on `{request}`")]
    Failed {
        /// The type of the request.
        request: &'static str,
        /// The handler that failed.
        handler: HandlerOrigin,
        /// The handler's own error.
        source: BoxError,
    },
    /// A handler panicked; nobody else was asked. The bus is as usable as before.
    #[error("{handler} panicked on `{request}`: {message}")]
    Panicked {
        /// The type of the request.
        request: &'static str,
        /// The handler that panicked.
        handler: HandlerOrigin,
        /// What it panicked with, as far as that was text.
        message: String,
    },
}

/// What to do about a request that everybody conceded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// Ask with `request_optional`, which gives `None` instead.
    RequestOptional,
}

impl RequestError {
    /// Whether nobody answered, as against something having gone wrong.
    pub fn is_unanswered(&self) -> bool {
        matches!(self, Self::NotWired { .. } | Self::AllConceded { .. })
    }

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

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestOptional => f.write_str("if that may be, ask with `request_optional`"),
        }
    }
}

fn to(identifier: Option<&Arc<str>>) -> String {
    identifier.map(|identifier| format!(" to `{identifier}`")).unwrap_or_default()
}

fn aside(mismatch: bool) -> &'static str {
    if mismatch { ", though there are handlers for other addresses" } else { "" }
}
