//! How a request ends.

use super::contain::Mishap;
use crate::id::EngineId;
use futures_util::FutureExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// What became of a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Answer {
    /// The store was followed; this engine plays.
    Applied {
        /// The engine.
        active: EngineId,
    },
    /// The engine was stopped, as was asked.
    Stopped,
    /// A later request came before this one was looked at; the later one's answer counts.
    Superseded,
    /// It could not be followed. What plays now is in the manager's status.
    Refused(Arc<SwitchError>),
}

impl Answer {
    /// Whether the request was carried out.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied { .. } | Self::Stopped)
    }
}

/// The answer to a request, once there is one.
///
/// # Cancel safety
///
/// Dropping it drops the answer; the request is carried out all the same.
#[derive(Debug)]
#[must_use = "the request is made either way; `drop` the ticket to say that its answer does not matter"]
pub struct Ticket(oneshot::Receiver<Answer>);

impl Ticket {
    pub(super) fn new(answer: oneshot::Receiver<Answer>) -> Self {
        Self(answer)
    }

    /// A ticket for a request that was not needed.
    pub(super) fn answered(answer: Answer) -> Self {
        let (reply, ticket) = oneshot::channel();
        reply.send(answer).ok();
        Self(ticket)
    }
}

impl Future for Ticket {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        self.0
            .poll_unpin(cx)
            .map(|answer| answer.unwrap_or_else(|_| Answer::Refused(Arc::new(SwitchError::Closed))))
    }
}

/// An engine could not be brought to play what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// The manager is closed or about to be. Open another session.
    #[error("the engine manager is closed")]
    Closed,
    /// There is no engine of that name and no default either. Register one of them.
    #[error("there is no engine `{requested}`, and no default engine `{default}` either")]
    NoDefault {
        /// The name asked for.
        requested: String,
        /// The name of the default.
        default: EngineId,
    },
    /// It could not be made ready. What played before plays on.
    #[error("engine `{engine}` could not be prepared")]
    Prepare {
        /// The engine.
        engine: EngineId,
        /// Why.
        source: Mishap,
    },
    /// The one that plays did not stop in time, and two must not play. The request is taken up again when
    /// it does stop.
    #[error("engine `{engine}` has not stopped within {deadline:?}")]
    StillStopping {
        /// The engine that does not stop.
        engine: EngineId,
        /// How long it had.
        deadline: Duration,
    },
    /// It was ready and did not start. What played before was started again, if that was possible.
    #[error("engine `{engine}` did not start")]
    Start {
        /// The engine.
        engine: EngineId,
        /// Why.
        source: Mishap,
    },
    /// The running engine did not take over the project or its settings. It plays on as before.
    #[error("engine `{engine}` did not take over the change")]
    Sync {
        /// The engine.
        engine: EngineId,
        /// Why.
        source: Mishap,
    },
}
