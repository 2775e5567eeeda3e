//! Questions asked over a bus: the first handler that claims one answers it.
//!
//! A type that implements [`Request`] names its response. Handlers are ordered and addressed as those of events are,
//! and share their table; each claims a request with `Some`, concedes it with `None` to the next, or fails.

mod error;
mod inquiry;

pub use self::{
    error::{Remedy, RequestError},
    inquiry::Inquiry,
};

use futures_util::future::BoxFuture;

use crate::event::{Bus, BusClosed, Envelope, Handler, HandlerOptions, IntoReply, Subscription};

/// A message that wants a response.
///
/// ```
/// use jackfield::{Bus, Envelope, Request};
///
/// struct Search(&'static str);
/// impl Request for Search { type Response = Vec<String>; }
///
/// # fn main() -> Result<(), jackfield::BoxError> {
/// let bus = Bus::new();
/// let _nothing = bus.on_request(|search: &mut Envelope<Search>| search.0.is_empty().then(Vec::new))?;
/// let _echo = bus.on_request(|search: &mut Envelope<Search>| Some(vec![search.0.to_owned()]))?;
/// assert!(bus.request_sync(Search(""))?.is_empty());
/// assert_eq!(bus.request_sync(Search("jack"))?, ["jack"]);
/// # Ok(())
/// # }
/// ```
pub trait Request: Sized + Send + 'static {
    /// What it is answered with.
    type Response: Send + 'static;

    /// The response when every handler has conceded: none, so that is an error, unless the request knows better. One
    /// whose response is an `Option` will want `Some(None)`.
    fn when_conceded(self) -> Option<Self::Response> {
        None
    }
}

/// The handlers of request `Q`.
type RequestHandler<Q> = Handler<Q, Option<<Q as Request>::Response>>;

impl Bus {
    /// Has `handler` asked every `Q`, at the usual priority, until the returned guard is dropped.
    ///
    /// It claims with `Some`, concedes with `None`, or returns a result of either. A handler that concedes may have
    /// changed the request for the next one.
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    #[track_caller]
    pub fn on_request<Q, A, F>(&self, handler: F) -> Result<Subscription, BusClosed>
    where
        Q: Request,
        A: IntoReply<Option<Q::Response>>,
        F: Fn(&mut Envelope<Q>) -> A + Send + Sync + 'static,
    {
        self.handler().on_request(handler)
    }

    /// The same with a handler that awaits; see [`on_async`](Self::on_async) for its form.
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    #[track_caller]
    pub fn on_request_async<Q, A, F>(&self, handler: F) -> Result<Subscription, BusClosed>
    where
        Q: Request,
        A: IntoReply<Option<Q::Response>>,
        F: for<'a> Fn(&'a mut Envelope<Q>) -> BoxFuture<'a, A> + Send + Sync + 'static,
    {
        self.handler().on_request_async(handler)
    }

    /// Asks the handlers of `Q` in turn, until one claims the request.
    ///
    /// # Errors
    ///
    /// There is no handler, or all of them conceded; a handler failed or panicked; the bus is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the request and the handler that is under way; those after it are not asked.
    pub async fn request<Q: Request>(&self, request: Q) -> Result<Q::Response, RequestError> {
        self.inquiry(request).send().await
    }

    /// The same; if there is no handler, or all of them conceded, gives `None`.
    ///
    /// # Errors
    ///
    /// A handler failed or panicked; the bus is closed.
    ///
    /// # Cancel safety
    ///
    /// As [`request`](Self::request).
    pub async fn request_optional<Q: Request>(
        &self,
        request: Q,
    ) -> Result<Option<Q::Response>, RequestError> {
        self.inquiry(request).send_optional().await
    }

    /// As [`request`](Self::request), from code that cannot await. Asynchronous handlers behind the one that claims do
    /// no harm.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request), or it was the turn of an asynchronous handler.
    pub fn request_sync<Q: Request>(&self, request: Q) -> Result<Q::Response, RequestError> {
        self.inquiry(request).send_sync()
    }

    /// As [`request_optional`](Self::request_optional), from code that cannot await.
    ///
    /// # Errors
    ///
    /// As [`request_optional`](Self::request_optional), or it was the turn of an asynchronous handler.
    pub fn request_optional_sync<Q: Request>(&self, request: Q) -> Result<Option<Q::Response>, RequestError> {
        self.inquiry(request).send_optional_sync()
    }

    /// A request with an address: say which, then send it.
    pub fn inquiry<Q: Request>(&self, request: Q) -> Inquiry<'_, Q> {
        Inquiry::new(self.core(), request)
    }

    /// Whether a `Q` without address would be put to anybody. That somebody will claim it is not said.
    pub fn has_handler<Q: Request>(&self) -> bool {
        self.reaches::<Q>(None)
    }

    /// Whether a `Q` addressed to `identifier` would be put to anybody: a general handler, or one of that identifier.
    pub fn has_handler_for<Q: Request>(&self, identifier: &str) -> bool {
        self.reaches::<Q>(Some(identifier))
    }

    fn reaches<Q: Request>(&self, identifier: Option<&str>) -> bool {
        let table = self.core().table::<RequestHandler<Q>>();
        table.is_some_and(|table| table.reaches(identifier))
    }
}

impl HandlerOptions<'_> {
    /// As [`Bus::on_request`].
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    #[track_caller]
    pub fn on_request<Q, A, F>(self, handler: F) -> Result<Subscription, BusClosed>
    where
        Q: Request,
        A: IntoReply<Option<Q::Response>>,
        F: Fn(&mut Envelope<Q>) -> A + Send + Sync + 'static,
    {
        self.register(Handler::new(handler))
    }

    /// As [`Bus::on_request_async`].
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    #[track_caller]
    pub fn on_request_async<Q, A, F>(self, handler: F) -> Result<Subscription, BusClosed>
    where
        Q: Request,
        A: IntoReply<Option<Q::Response>>,
        F: for<'a> Fn(&'a mut Envelope<Q>) -> BoxFuture<'a, A> + Send + Sync + 'static,
    {
        self.register(Handler::new_async(handler))
    }
}
