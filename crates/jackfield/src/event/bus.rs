use std::{fmt, panic::Location, sync::Arc};

use futures_util::future::BoxFuture;

use crate::event::{
    core::Core,
    envelope::Envelope,
    error::BusClosed,
    handler::IntoReply,
    observer::{Observed, Tap},
    options::HandlerOptions,
    origin::HandlerOrigin,
    subscription::Subscription,
};

/// Where the events of one scope are emitted and handled, and its requests made and answered.
///
/// A handle: clones share everything, from any thread. Any type that is `Send + 'static` is an event; handlers are
/// picked by exactly that type.
///
/// **Order.** The handlers of one emit run one after the other, each to its end: by descending
/// [`Priority`](crate::Priority); of equal ones those without identifier first, then in the order they were
/// registered. Several emits at once know nothing of each other: they interleave wherever a handler awaits, and run
/// side by side on several threads. Nothing crosses from one bus to another.
///
/// **A dispatch runs over what it found when it set out.** Handlers may subscribe, cancel, emit and close: a handler
/// added meanwhile waits for the next emit, one cancelled meanwhile may still run once. No lock is held while a
/// handler runs, or while what it captured is dropped. An emit within a handler runs there and then, to its end;
/// nothing bounds how deep that goes but the stack, as with any recursion.
///
/// **Lifetime.** A handler that captures a clone of its own bus keeps the bus alive until its subscription ends or
/// the bus is [closed](Self::close).
///
/// ```
/// use jackfield::{Bus, Envelope, Priority};
///
/// struct Order { price: u32 }
///
/// # fn main() -> Result<(), jackfield::BoxError> {
/// let bus = Bus::new();
/// let _discount = bus.on(|order: &mut Envelope<Order>| order.price -= 10)?;
/// let _free = bus.handler().priority(Priority::HIGH).on(|order: &mut Envelope<Order>| {
///     if order.price < 5 {
///         order.stop(Order { price: 0 });
///     }
/// })?;
/// assert_eq!(bus.emit_sync(Order { price: 100 })?.price, 90);
/// assert_eq!(bus.emit_sync(Order { price: 4 })?.price, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Bus {
    core: Arc<Core>,
}

impl Bus {
    /// A bus nobody listens to yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has `handler` called with every `E`, at the usual priority, until the returned guard is dropped.
    ///
    /// It returns nothing, or `Result<(), BoxError>`: if it fails, no further handler runs and the emitter gets its
    /// error. The cost of registering does not depend on how many handlers there are.
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    #[track_caller]
    pub fn on<E, A, F>(&self, handler: F) -> Result<Subscription, BusClosed>
    where
        E: Send + 'static,
        A: IntoReply<()>,
        F: Fn(&mut Envelope<E>) -> A + Send + Sync + 'static,
    {
        self.handler().on(handler)
    }

    /// The same with a handler that awaits; the next handler runs when its future is done.
    ///
    /// The future may borrow the envelope, and has its own share of everything else:
    ///
    /// ```
    /// use std::sync::Arc;
    /// use jackfield::{Bus, Envelope};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let bus = Bus::new();
    /// let name = Arc::new(tokio::sync::Mutex::new("Ada".to_owned()));
    /// let _greeting = bus.on_async(move |text: &mut Envelope<String>| {
    ///     let name = Arc::clone(&name);
    ///     Box::pin(async move { text.push_str(&name.lock().await) })
    /// })?;
    /// assert_eq!(*bus.emit("Hello ".to_owned()).await?, "Hello Ada");
    /// # Ok::<_, jackfield::BoxError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    #[track_caller]
    pub fn on_async<E, A, F>(&self, handler: F) -> Result<Subscription, BusClosed>
    where
        E: Send + 'static,
        A: IntoReply<()>,
        F: for<'a> Fn(&'a mut Envelope<E>) -> BoxFuture<'a, A> + Send + Sync + 'static,
    {
        self.handler().on_async(handler)
    }

    /// A handler with a priority, an identifier or an owner: say which, then `on` what.
    pub fn handler(&self) -> HandlerOptions<'_> {
        HandlerOptions::new(&self.core)
    }

    /// Has `tap` shown every event and request, before its handlers and after, whether or not there are any.
    ///
    /// Taps see a message in the order in which they were added. One that panics is logged and changes nothing.
    /// While there are taps, every message costs two looks at the clock more.
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    #[track_caller]
    pub fn observe(
        &self,
        tap: impl Fn(&Observed<'_>) + Send + Sync + 'static,
    ) -> Result<Subscription, BusClosed> {
        self.core.observe(HandlerOrigin::new(None, Location::caller()), Tap::new(tap))
    }

    /// How many subscriptions are live: handlers of events and requests, and observers.
    pub fn subscriptions(&self) -> usize {
        self.core.subscriptions()
    }

    /// Refuses new subscriptions from now on; everything else goes on as before. A scope that is about to close
    /// seals its bus first, so that whoever says goodbye cannot leave anything behind.
    pub fn seal(&self) {
        self.core.seal();
    }

    /// Ends all subscriptions and refuses everything from now on, with a typed error.
    ///
    /// A dispatch that is under way runs to its end. Handlers are dropped before this returns, except those that such
    /// a dispatch or a [`Topic`](crate::Topic) still holds. Closing twice does nothing more.
    pub fn close(&self) {
        self.core.close();
    }

    /// Whether the bus was closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    #[inline]
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("closed", &self.is_closed())
            .field("subscriptions", &self.subscriptions())
            .finish_non_exhaustive()
    }
}
