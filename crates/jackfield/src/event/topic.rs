use std::{any::type_name, fmt, sync::Arc};

use crate::event::{
    bus::Bus,
    emission::{EventHandler, closed, emit_awaiting, emit_in_place},
    envelope::Envelope,
    error::EmitError,
    handler::Handler,
    list::{List, View},
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
    /// The handlers of the last emit.
    seen: Option<Arc<List<EventHandler<E>>>>,
    /// The version of the table that was.
    version: u64,
    way: Way,
}

/// How an event gets to its handlers, as far as that can be known before it sets out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// None of the handlers is asynchronous, and nobody observes.
    Straight,
    /// Some are.
    Awaiting,
    /// There were observers.
    Watched,
}

/// No table has changed that often.
const NONE_SEEN: u64 = u64::MAX;

impl<E: Send + 'static> Topic<E> {
    fn new(bus: Bus, table: Arc<Table<EventHandler<E>>>, identifier: Option<Arc<str>>) -> Self {
        Self { bus, table, identifier, seen: None, version: NONE_SEEN, way: Way::Straight }
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
    #[inline(always)] // as `emit_in_place`
    pub fn emit_sync(&mut self, event: E) -> Result<Envelope<E>, EmitError> {
        let watched = self.look().map_err(|error| *error)? == Way::Watched;
        let envelope = Envelope::new(event, self.identifier.clone());
        emit_in_place(self.bus.core(), self.view(), envelope, watched)
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
        let way = self.look().map_err(|error| *error)?;
        let (core, identifier) = (self.bus.core(), self.identifier.clone());
        match way {
            Way::Straight => emit_in_place(core, self.view(), Envelope::new(event, identifier), false),
            _ => emit_awaiting(core, self.view(), event, identifier, way == Way::Watched).await,
        }
    }

    /// Lets go of the handlers of the last emit.
    pub fn forget(&mut self) {
        self.version = NONE_SEEN;
        self.seen = None;
    }

    #[inline]
    fn view(&self) -> View<'_, EventHandler<E>> {
        View::of(self.seen.as_deref())
    }

    /// Makes sure that what was seen is how things are now.
    #[inline]
    fn look(&mut self) -> Result<Way, Box<EmitError>> {
        let is_same = self.version == self.table.version() && self.way != Way::Watched;
        if is_same { Ok(self.way) } else { self.look_again() }
    }

    #[cold]
    #[inline(never)]
    fn look_again(&mut self) -> Result<Way, Box<EmitError>> {
        let core = self.bus.core();
        if self.version == self.table.version() && core.is_observed() {
            return Ok(Way::Watched); // still
        }
        let found = self.table.lists_and_version(self.identifier.as_deref());
        // Asked after the version was, which moves when either becomes so.
        let (is_closed, observed) = (core.is_closed(), core.is_observed());
        match found {
            Ok((lists, version)) if !is_closed => {
                self.seen = lists.merged();
                self.version = version;
                self.way = match &self.seen {
                    _ if observed => Way::Watched,
                    Some(list) if !list.handlers().iter().all(Handler::is_sync) => Way::Awaiting,
                    _ => Way::Straight,
                };
                Ok(self.way)
            }
            _ => {
                self.forget();
                Err(closed::<E>())
            }
        }
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
