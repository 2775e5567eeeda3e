use std::{
    any::{Any, type_name},
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    error::BoxError,
    event::{
        dispatch::{Cause, Faulty},
        envelope::Envelope,
        list::Lists,
        origin::HandlerOrigin,
        table::Table,
    },
    foreign::contain,
};

/// What a tap sees of a message: before its handlers run, and after.
///
/// A tap watches and cannot do more: it has no way to change or to stop a message, and if it panics, that is logged
/// and the message goes on.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Observed<'a> {
    /// The name of the message's type, for people to read.
    pub message: &'static str,
    /// An event or a request.
    pub kind: MessageKind,
    /// To whom it is addressed, if to anyone in particular.
    pub identifier: Option<&'a str>,
    /// The message itself, as it is at this stage.
    pub payload: &'a dyn Any,
    /// Before the handlers, or after.
    pub stage: Stage<'a>,
}

/// What sort of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageKind {
    /// Told to all who care.
    Event,
    /// Answered by the first who can.
    Request,
}

/// When a tap is shown a message.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Stage<'a> {
    /// No handler has run.
    Before,
    /// No further handler will run.
    After {
        /// How it went.
        outcome: Outcome<'a>,
        /// From before the first handler to after the last.
        elapsed: Duration,
    },
}

/// How a message fared.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// An event that all handlers saw, if there were any.
    Delivered,
    /// An event that a handler stopped.
    Stopped,
    /// A request that a handler claimed.
    Answered,
    /// A request that nobody claimed.
    Unanswered,
    /// A handler failed.
    Failed {
        /// The handler that failed.
        handler: &'a HandlerOrigin,
        /// Its error.
        error: &'a BoxError,
    },
    /// A handler panicked.
    Panicked {
        /// The handler that panicked.
        handler: &'a HandlerOrigin,
        /// What it panicked with.
        message: &'a str,
    },
    /// A synchronous dispatch came to an asynchronous handler.
    Asynchronous {
        /// The handler that was not called.
        handler: &'a HandlerOrigin,
    },
    /// The caller dropped the dispatch while a handler was under way.
    Abandoned,
}

impl Observed<'_> {
    /// The message, if it is an `M`.
    pub fn payload_as<M: 'static>(&self) -> Option<&M> {
        self.payload.downcast_ref()
    }
}

impl fmt::Debug for Observed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("message", &self.message)
            .field("kind", &self.kind)
            .field("identifier", &self.identifier)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

/// An observer, as the table keeps it.
#[derive(Clone)]
pub(crate) struct Tap(Arc<dyn Fn(&Observed<'_>) + Send + Sync>);

impl Tap {
    pub(super) fn new(tap: impl Fn(&Observed<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tap))
    }
}

/// One message under observation, by those who observed when it set out.
pub(crate) struct Watch {
    taps: Lists<Tap>,
    kind: MessageKind,
    since: Instant,
}

impl Watch {
    /// Shows the message to whoever observes.
    #[cold]
    pub(crate) fn begin<M: 'static>(taps: &Table<Tap>, kind: MessageKind, envelope: &Envelope<M>) -> Self {
        let taps = taps.lists(None).unwrap_or(Lists::EMPTY);
        let watch = Self { taps, kind, since: Instant::now() };
        watch.show(envelope, Stage::Before);
        Self { since: Instant::now(), ..watch }
    }

    fn show<M: 'static>(&self, envelope: &Envelope<M>, stage: Stage<'_>) {
        let observed = Observed {
            message: type_name::<M>(),
            kind: self.kind,
            identifier: envelope.identifier(),
            payload: &**envelope,
            stage,
        };
        let view = self.taps.view();
        for (position, tap) in view.walk().enumerate() {
            if let Err(message) = contain(|| (tap.0)(&observed)) {
                let tap = view.origin(position);
                tracing::error!(%tap, message, "An observer panicked; the message goes on.");
            }
        }
    }

    fn end<M: 'static>(self, envelope: &Envelope<M>, outcome: Outcome<'_>) {
        let elapsed = self.since.elapsed();
        self.show(envelope, Stage::After { outcome, elapsed });
    }
}

/// A watched message on its way through its handlers; if it never arrives, those who watch it are told.
pub(crate) struct Flight<'a, M: 'static> {
    pub(crate) envelope: &'a mut Envelope<M>,
    watch: Option<Watch>,
}

impl<'a, M: 'static> Flight<'a, M> {
    #[cold]
    pub(crate) fn new(taps: &Table<Tap>, kind: MessageKind, envelope: &'a mut Envelope<M>) -> Self {
        let watch = Some(Watch::begin(taps, kind, envelope));
        Self { envelope, watch }
    }

    /// It has arrived, or failed to: `arrived` says how a dispatch without a fault ended.
    #[cold]
    pub(crate) fn land<T>(mut self, ran: &Faulty<T>, arrived: impl FnOnce(&T) -> Outcome<'static>) {
        let Some(watch) = self.watch.take() else { return };
        let outcome = match ran.as_ref().map_err(|fault| (&fault.handler, &fault.cause)) {
            Ok(value) => arrived(value),
            Err((handler, Cause::Failed(error))) => Outcome::Failed { handler, error },
            Err((handler, Cause::Panicked(message))) => Outcome::Panicked { handler, message },
            Err((handler, Cause::Asynchronous)) => Outcome::Asynchronous { handler },
        };
        watch.end(self.envelope, outcome);
    }
}

impl<M: 'static> Drop for Flight<'_, M> {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.end(self.envelope, Outcome::Abandoned);
        }
    }
}
