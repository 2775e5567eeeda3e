use std::{fmt, panic::Location, sync::Arc};

use futures_util::future::BoxFuture;

use crate::{
    event::{
        bus::Bus,
        envelope::Envelope,
        error::BusClosed,
        handler::{Handler, IntoReply},
        options::HandlerOptions,
        origin::HandlerOrigin,
        subscription::Subscription,
    },
    priority::Priority,
};

/// Something that can be bound to a bus, and to another one later. It owns no subscription itself.
///
/// [`EventBinding`] is one; so is any `Fn(&Bus) -> Result<Subscription, BusClosed>`, for whatever else there is to
/// subscribe to.
pub trait Binding: Send + Sync {
    /// Subscribes to `bus`.
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    fn bind(&self, bus: &Bus) -> Result<Subscription, BusClosed>;
}

impl<F: Fn(&Bus) -> Result<Subscription, BusClosed> + Send + Sync> Binding for F {
    fn bind(&self, bus: &Bus) -> Result<Subscription, BusClosed> {
        self(bus)
    }
}

/// A handler of events as a value: event, handler, priority, identifier and owner, of no bus yet.
///
/// Every bus it is bound to shares the one handler. The priority is the usual one unless said otherwise.
///
/// ```
/// use jackfield::{Binding, Bus, Envelope, EventBinding};
///
/// let greet = EventBinding::on(|name: &mut Envelope<String>| name.insert_str(0, "Hello "));
/// let bus = Bus::new();
/// let _greeting = greet.bind(&bus).unwrap();
/// assert_eq!(*bus.emit_sync("Ada".to_owned()).unwrap(), "Hello Ada");
/// ```
#[derive(Clone)]
pub struct EventBinding {
    priority: Priority,
    identifier: Option<Arc<str>>,
    owner: Option<Arc<str>>,
    location: &'static Location<'static>,
    register: Arc<Register>,
}

type Register = dyn Fn(HandlerOptions<'_>, HandlerOrigin) -> Result<Subscription, BusClosed> + Send + Sync;

impl EventBinding {
    /// A handler as [`Bus::on`] takes it.
    #[track_caller]
    pub fn on<E, A, F>(handler: F) -> Self
    where
        E: Send + 'static,
        A: IntoReply<()>,
        F: Fn(&mut Envelope<E>) -> A + Send + Sync + 'static,
    {
        Self::new(Handler::new(handler))
    }

    /// A handler as [`Bus::on_async`] takes it.
    #[track_caller]
    pub fn on_async<E, A, F>(handler: F) -> Self
    where
        E: Send + 'static,
        A: IntoReply<()>,
        F: for<'a> Fn(&'a mut Envelope<E>) -> BoxFuture<'a, A> + Send + Sync + 'static,
    {
        Self::new(Handler::new_async(handler))
    }

    #[track_caller]
    fn new<E: Send + 'static>(handler: Handler<E, ()>) -> Self {
        Self {
            priority: Priority::NORMAL,
            identifier: None,
            owner: None,
            location: Location::caller(),
            register: Arc::new(move |options, origin| options.register_from(origin, handler.clone())),
        }
    }

    /// When it runs: the higher first.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Only events addressed to exactly `identifier`.
    #[must_use]
    pub fn identifier(mut self, identifier: impl Into<Arc<str>>) -> Self {
        self.identifier = Some(identifier.into());
        self
    }

    /// Whom it belongs to, for errors and logs.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<Arc<str>>) -> Self {
        self.owner = Some(owner.into());
        self
    }
}

impl Binding for EventBinding {
    fn bind(&self, bus: &Bus) -> Result<Subscription, BusClosed> {
        let mut options = bus.handler().priority(self.priority);
        if let Some(identifier) = &self.identifier {
            options = options.identifier(Arc::clone(identifier));
        }
        (self.register)(options, HandlerOrigin::new(self.owner.clone(), self.location))
    }
}

impl fmt::Debug for EventBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBinding")
            .field("priority", &self.priority)
            .field("identifier", &self.identifier)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// Keeps a set of bindings on one bus at a time, for a host that moves from session to session.
///
/// Dropping it detaches it.
pub struct Listener {
    bindings: Box<dyn Fn() -> Vec<Box<dyn Binding>> + Send + Sync>,
    held: Option<Vec<Subscription>>,
}

impl Listener {
    /// A listener that is attached to nothing. `bindings` is asked anew at every [`attach`](Self::attach).
    pub fn new(bindings: impl Fn() -> Vec<Box<dyn Binding>> + Send + Sync + 'static) -> Self {
        Self { bindings: Box::new(bindings), held: None }
    }

    /// Binds what there is to bind to `bus`. If it is attached already, to whichever bus, does nothing.
    ///
    /// # Errors
    ///
    /// The bus is closing or closed; nothing stays bound.
    pub fn attach(&mut self, bus: &Bus) -> Result<(), BusClosed> {
        if self.held.is_none() {
            let held: Result<_, _> = (self.bindings)().iter().map(|binding| binding.bind(bus)).collect();
            self.held = Some(held?);
        }
        Ok(())
    }

    /// Ends all of its subscriptions; afterwards none of its handlers is called by a new emit. If it is not attached,
    /// does nothing.
    pub fn detach(&mut self) {
        self.held = None;
    }

    /// Whether it is attached.
    pub fn is_attached(&self) -> bool {
        self.held.is_some()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("held", &self.held).finish_non_exhaustive()
    }
}
