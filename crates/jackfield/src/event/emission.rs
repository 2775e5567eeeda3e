use std::{any::type_name, fmt, ops::ControlFlow, sync::Arc};

use crate::event::{
    bus::{Bus, Core},
    dispatch::{Cause, Fault, run, run_sync},
    envelope::Envelope,
    error::EmitError,
    handler::Handler,
    list::View,
    observer::{Flight, MessageKind, Outcome, Watch},
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
    pub async fn emit<E: Send + 'static>(&self, event: E) -> Result<Envelope<E>, EmitError> {
        self.emission(event).send().await
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
    pub async fn emit_to<E: Send + 'static>(
        &self,
        identifier: impl Into<Arc<str>>,
        event: E,
    ) -> Result<Envelope<E>, EmitError> {
        self.emission(event).to(identifier).send().await
    }

    /// The same from code that cannot await. [`topic`](Self::topic) does it faster still.
    ///
    /// # Errors
    ///
    /// A handler failed or panicked, or it was the turn of an asynchronous handler, or the bus is closed.
    pub fn emit_sync<E: Send + 'static>(&self, event: E) -> Result<Envelope<E>, EmitError> {
        self.emission(event).send_sync()
    }

    /// An event with an address, or one that observers are not shown: say which, then send it.
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
        let lists = lists.map_err(|_| closed::<E>())?;
        let envelope = Envelope::new(self.event, self.identifier);
        deliver(self.core, lists.view(), envelope, self.internal).await
    }

    /// As [`Bus::emit_sync`].
    ///
    /// # Errors
    ///
    /// A handler failed or panicked, or it was the turn of an asynchronous handler, or the bus is closed.
    pub fn send_sync(self) -> Result<Envelope<E>, EmitError> {
        let Self { core, event, identifier, internal } = self;
        let envelope = Envelope::new(event, identifier);
        match core.table::<EventHandler<E>>() {
            _ if core.is_closed() => return Err(closed::<E>()),
            Some(table) if table.has_scoped() && envelope.identifier().is_some() => {}
            Some(table) if table.has_general() => {
                let published = table.published(); // cheaper than a reference of our own
                if let Some(list) = &*published {
                    return deliver_sync(core, View::of(list), envelope, internal);
                }
            }
            _ => return deliver_sync(core, View::EMPTY, envelope, internal),
        }
        let lists = core.lists(envelope.identifier()).map_err(|_| closed::<E>())?;
        deliver_sync(core, lists.view(), envelope, internal)
    }
}

pub(super) async fn deliver<E: Send + 'static>(
    core: &Core,
    view: View<'_, EventHandler<E>>,
    mut envelope: Envelope<E>,
    internal: bool,
) -> Result<Envelope<E>, EmitError> {
    let watch = watch(core, &envelope, internal);
    let flight = Flight::new(&mut envelope, watch);
    let ran = run(view, flight.envelope, until_stopped).await;
    flight.land(&ran, outcome);
    finish(ran, envelope)
}

pub(super) fn deliver_sync<E: Send + 'static>(
    core: &Core,
    view: View<'_, EventHandler<E>>,
    mut envelope: Envelope<E>,
    internal: bool,
) -> Result<Envelope<E>, EmitError> {
    let watch = watch(core, &envelope, internal);
    let ran = run_sync(view, &mut envelope, until_stopped);
    if watch.is_some() {
        Flight::new(&mut envelope, watch).land(&ran, outcome);
    }
    finish(ran, envelope)
}

fn watch<E: Send + 'static>(core: &Core, envelope: &Envelope<E>, internal: bool) -> Option<Watch> {
    if internal { None } else { Watch::begin(core.taps(), MessageKind::Event, envelope) }
}

fn until_stopped<E>((): (), envelope: &Envelope<E>) -> ControlFlow<()> {
    if envelope.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

fn outcome(stopped: &Option<()>) -> Outcome<'static> {
    if stopped.is_some() { Outcome::Stopped } else { Outcome::Delivered }
}

fn finish<E>(ran: Result<Option<()>, Fault>, envelope: Envelope<E>) -> Result<Envelope<E>, EmitError> {
    match ran {
        Ok(_) => Ok(envelope),
        Err(fault) => Err(error_of::<E>(fault)),
    }
}

#[cold]
fn error_of<E>(Fault { handler, cause }: Fault) -> EmitError {
    let event = type_name::<E>();
    match cause {
        Cause::Asynchronous => EmitError::Asynchronous { event, handler },
        Cause::Failed(source) => EmitError::Failed { event, handler, source },
        Cause::Panicked(message) => EmitError::Panicked { event, handler, message },
    }
}

#[cold]
pub(super) fn closed<E>() -> EmitError {
    EmitError::Closed { event: type_name::<E>() }
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
