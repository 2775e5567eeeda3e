use std::{any::type_name, fmt, ops::ControlFlow, sync::Arc};

use crate::event::{
    bus::Bus,
    core::Core,
    delivery::{Course, deliver, deliver_sync},
    dispatch::{Cause, Fault},
    envelope::Envelope,
    error::{BusClosed, EmitError},
    handler::Handler,
    list::{Reach, View},
    observer::{MessageKind, Outcome},
};

/// The handlers of event `E`.
pub(super) type EventHandler<E> = Handler<E, ()>;

impl Bus {
    /// Has all handlers of `E` see `event`, in order, and gives it back as they left it.
    ///
    /// # Errors
    ///
    /// A handler failed or panicked, or the bus is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the event and the handler that is under way; those after it do not run.
    pub fn emit<E: Send + 'static>(
        &self,
        event: E,
    ) -> impl Future<Output = Result<Envelope<E>, EmitError>> + Send {
        self.emission(event).send()
    }

    /// The same, for the general handlers and those of `identifier`.
    ///
    /// # Errors
    ///
    /// A handler failed or panicked, or the bus is closed.
    ///
    /// # Cancel safety
    ///
    /// As [`emit`](Self::emit).
    pub fn emit_to<E: Send + 'static>(
        &self,
        identifier: impl Into<Arc<str>>,
        event: E,
    ) -> impl Future<Output = Result<Envelope<E>, EmitError>> + Send {
        self.emission(event).to(identifier).send()
    }

    /// The same from code that cannot await. [`topic`](Self::topic) does it faster still.
    ///
    /// # Errors
    ///
    /// A handler failed or panicked, or it was the turn of an asynchronous handler, or the bus is closed.
    #[inline]
    pub fn emit_sync<E: Send + 'static>(&self, event: E) -> Result<Envelope<E>, EmitError> {
        self.emission(event).send_sync()
    }

    /// An event with an address, or one that observers are not shown: say which, then send it.
    #[inline]
    pub fn emission<E: Send + 'static>(&self, event: E) -> Emission<'_, E> {
        Emission { core: self.core(), event, identifier: None, internal: false }
    }
}

/// An event about to be emitted; from [`Bus::emission`].
#[must_use = "nothing is emitted until `send` or `send_sync` is called"]
pub struct Emission<'a, E> {
    core: &'a Core,
    event: E,
    identifier: Option<Arc<str>>,
    internal: bool,
}

impl<E: Send + 'static> Emission<'_, E> {
    /// Addresses it: the general handlers see it, and those of exactly `identifier`.
    pub fn to(mut self, identifier: impl Into<Arc<str>>) -> Self {
        self.identifier = Some(identifier.into());
        self
    }

    /// Observers are not shown it.
    pub fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    /// As [`Bus::emit`].
    ///
    /// # Errors
    ///
    /// A handler failed or panicked, or the bus is closed.
    ///
    /// # Cancel safety
    ///
    /// As [`Bus::emit`].
    pub async fn send(self) -> Result<Envelope<E>, EmitError> {
        let lists = self.core.lists::<EventHandler<E>>(self.identifier.as_deref());
        let lists = lists.map_err(|BusClosed| *closed::<E>())?;
        let watched = !self.internal && self.core.is_observed();
        emit_awaiting(self.core, lists.view(), self.event, self.identifier, watched).await
    }

    /// As [`Bus::emit_sync`].
    ///
    /// # Errors
    ///
    /// A handler failed or panicked, or it was the turn of an asynchronous handler, or the bus is closed.
    #[inline(always)] // as `emit_in_place`
    pub fn send_sync(self) -> Result<Envelope<E>, EmitError> {
        let Self { core, event, identifier, internal } = self;
        let reach = match core.reach::<EventHandler<E>>(identifier.as_deref()) {
            Ok(reach) => reach,
            Err(BusClosed) => return Err(*closed::<E>()),
        };
        let watched = !internal && core.is_observed();
        if matches!(reach, Reach::Nobody) && !watched {
            return Ok(Envelope::new(event, identifier));
        }
        emit_in_place(core, reach.view(), Envelope::new(event, identifier), watched)
    }
}

/// Events go to all handlers until one stops them.
pub(super) struct Events;

impl<E> Course<E, ()> for Events {
    const KIND: MessageKind = MessageKind::Event;
    type End = ();

    #[inline]
    fn verdict((): (), envelope: &Envelope<E>) -> ControlFlow<()> {
        if envelope.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn outcome(stopped: &Option<()>) -> Outcome<'static> {
        if stopped.is_some() { Outcome::Stopped } else { Outcome::Delivered }
    }
}

/// Takes an event through its handlers, and gives it back.
#[inline(always)] // or results are copied from frame to frame, which takes longer than a handler
pub(super) fn emit_in_place<E: Send + 'static>(
    core: &Core,
    view: View<'_, EventHandler<E>>,
    envelope: Envelope<E>,
    watched: bool,
) -> Result<Envelope<E>, EmitError> {
    if view.is_empty() && !watched {
        return Ok(envelope);
    }
    let mut under_way = envelope;
    match deliver_sync::<Events, _, _>(core, view, &mut under_way, watched) {
        Ok(_) => {
            // Part by part: as a whole it is read in pieces larger than those that were written just before, and the
            // processor waits until these have reached its cache, which takes longer than a handler.
            let Envelope { payload, identifier, stopped } = under_way;
            Ok(Envelope { payload, identifier, stopped })
        }
        Err(fault) => Err(*error_of::<E>(fault)),
    }
}

/// The same, awaiting those that are asynchronous.
pub(super) async fn emit_awaiting<E: Send + 'static>(
    core: &Core,
    view: View<'_, EventHandler<E>>,
    event: E,
    identifier: Option<Arc<str>>,
    watched: bool,
) -> Result<Envelope<E>, EmitError> {
    let mut envelope = Envelope::new(event, identifier); // not moved again, which takes longer than a handler
    match deliver::<Events, _, _>(core, view, &mut envelope, watched).await {
        Ok(_) => {
            let Envelope { payload, identifier, stopped } = envelope; // part by part, as above
            Ok(Envelope { payload, identifier, stopped })
        }
        Err(fault) => Err(*error_of::<E>(fault)),
    }
}

/// Boxed, so that there is no room to be made for it where all goes well.
#[cold]
#[inline(never)]
#[expect(clippy::boxed_local, reason = "unboxed here, out of the way of what goes well")]
fn error_of<E>(fault: Box<Fault>) -> Box<EmitError> {
    let (event, Fault { handler, cause }) = (type_name::<E>(), *fault);
    Box::new(match cause {
        Cause::Asynchronous => EmitError::Asynchronous { event, handler },
        Cause::Failed(source) => EmitError::Failed { event, handler, source },
        Cause::Panicked(message) => EmitError::Panicked { event, handler, message },
    })
}

#[cold]
pub(super) fn closed<E>() -> Box<EmitError> {
    Box::new(EmitError::Closed { event: type_name::<E>() })
}

impl<E: fmt::Debug> fmt::Debug for Emission<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emission")
            .field("event", &self.event)
            .field("identifier", &self.identifier)
            .field("internal", &self.internal)
            .finish_non_exhaustive()
    }
}
