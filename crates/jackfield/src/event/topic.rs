use std::{any::type_name, fmt, sync::Arc};

use crate::event::{
    bus::Bus,
    delivery::deliver,
    emission::{EventHandler, Events, closed as closed_error, emit_in_place, error_of},
    envelope::Envelope,
    error::EmitError,
    list::Lists,
    table::Table,
};

impl Bus {
    /// This bus narrowed to event `E`, for code that emits it often.
    pub fn topic<E: Send + 'static>(&self) -> Topic<E> {
        Topic::new(self.clone(), self.core().table_to_watch(), None)
    }
}

/// A bus narrowed to one event, which remembers the handlers of its last emit.
///
/// As long as no handler comes or goes, an emit costs little more than a loop over closures: it looks whether the
/// handlers are still the same with a plain load, and touches no lock and no shared counter. That is why emitting
/// takes `&mut self`: have one for each place that emits, they are cheap to clone.
///
/// What it remembers keeps cancelled handlers alive until its next emit, or [`forget`](Self::forget).
///
/// ```
/// use jackfield::{Bus, Envelope};
///
/// # fn main() -> Result<(), jackfield::BoxError> {
/// let bus = Bus::new();
/// let mut ticks = bus.topic::<u64>();
/// let _double = bus.on(|tick: &mut Envelope<u64>| **tick *= 2)?;
/// for tick in 0..100 {
///     assert_eq!(*ticks.emit_sync(tick)?, tick * 2);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Topic<E: Send + 'static> {
    bus: Bus,
    table: Arc<Table<EventHandler<E>>>,
    identifier: Option<Arc<str>>,
    /// What the last emit ran over.
    seen: Lists<EventHandler<E>>,
    /// The version of the table that was.
    version: u64,
}

/// No table has changed that often.
const NONE_SEEN: u64 = u64::MAX;

impl<E: Send + 'static> Topic<E> {
    fn new(bus: Bus, table: Arc<Table<EventHandler<E>>>, identifier: Option<Arc<str>>) -> Self {
        Self { bus, table, identifier, seen: Lists::EMPTY, version: NONE_SEEN }
    }

    /// The same for events addressed to `identifier`.
    #[must_use]
    pub fn to(self, identifier: impl Into<Arc<str>>) -> Self {
        Self::new(self.bus, self.table, Some(identifier.into()))
    }

    /// As [`Bus::emit_sync`].
    ///
    /// # Errors
    ///
    /// A handler failed or panicked, or it was the turn of an asynchronous handler, or the bus is closed.
    #[inline]
    pub fn emit_sync(&mut self, event: E) -> Result<Envelope<E>, EmitError> {
        self.look()?;
        emit_in_place(self.bus.core(), self.seen.view(), Envelope::new(event, self.identifier.clone()), true)
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
    pub async fn emit(&mut self, event: E) -> Result<Envelope<E>, EmitError> {
        self.look()?;
        let mut envelope = Envelope::new(event, self.identifier.clone());
        match deliver::<Events, _, _>(self.bus.core(), self.seen.view(), &mut envelope, true).await {
            Ok(_) => Ok(envelope),
            Err(fault) => Err(error_of::<E>(fault)),
        }
    }

    /// Lets go of the handlers of the last emit.
    pub fn forget(&mut self) {
        self.version = NONE_SEEN;
        self.seen = Lists::EMPTY;
    }

    /// Makes sure that `seen` is how things are now.
    #[inline]
    fn look(&mut self) -> Result<(), EmitError> {
        let closed = self.bus.is_closed();
        if closed || self.version != self.table.version() { self.look_again(closed) } else { Ok(()) }
    }

    #[cold]
    fn look_again(&mut self, closed: bool) -> Result<(), EmitError> {
        let lists = if closed { None } else { self.table.lists_and_version(self.identifier.as_deref()).ok() };
        let Some((seen, version)) = lists else {
            self.forget();
            return Err(closed_error::<E>());
        };
        self.seen = seen;
        self.version = version;
        Ok(())
    }
}

impl<E: Send + 'static> Clone for Topic<E> {
    fn clone(&self) -> Self {
        Self::new(self.bus.clone(), Arc::clone(&self.table), self.identifier.clone())
    }
}

impl<E: Send + 'static> fmt::Debug for Topic<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic")
            .field("event", &type_name::<E>())
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}
