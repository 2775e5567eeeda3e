use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;

use crate::{error::BoxError, event::envelope::Envelope};

type SyncCall<M, R> = dyn Fn(&mut Envelope<M>) -> Result<R, BoxError> + Send + Sync;
type AsyncCall<M, R> = dyn for<'a> Fn(&'a mut Envelope<M>) -> Reply<'a, R> + Send + Sync;

/// A handler of message `M` that replies with `R`: nothing for events, perhaps a response for requests.
pub(crate) enum Handler<M, R> {
    Sync(Arc<SyncCall<M, R>>),
    Async(Arc<AsyncCall<M, R>>),
}

impl<M: 'static, R: 'static> Handler<M, R> {
    pub(crate) fn new<A, F>(handler: F) -> Self
    where
        A: IntoReply<R>,
        F: Fn(&mut Envelope<M>) -> A + Send + Sync + 'static,
    {
        Self::Sync(Arc::new(move |envelope| handler(envelope).into_reply()))
    }

    pub(crate) fn new_async<A, F>(handler: F) -> Self
    where
        A: IntoReply<R>,
        F: for<'a> Fn(&'a mut Envelope<M>) -> BoxFuture<'a, A> + Send + Sync + 'static,
    {
        Self::Async(Arc::new(move |envelope| A::in_time(handler(envelope))))
    }
}

impl<M, R> Clone for Handler<M, R> {
    fn clone(&self) -> Self {
        match self {
            Self::Sync(call) => Self::Sync(Arc::clone(call)),
            Self::Async(call) => Self::Async(Arc::clone(call)),
        }
    }
}

/// What a handler may return where `R` is wanted: `R` itself, or a result of it.
///
/// Handlers of events may thus return nothing or `Result<(), BoxError>`, handlers of requests an
/// `Option<Response>` or a result of one. Nothing else implements it.
#[diagnostic::on_unimplemented(
    message = "a handler does not return `{Self}` here",
    label = "returns `{Self}`",
    note = "a handler of events returns nothing, or `Result<(), BoxError>`",
    note = "a handler of requests returns `Option<Response>`, or `Result<Option<Response>, BoxError>`"
)]
pub trait IntoReply<R>: private::IntoReply<R> {}

impl<R, A: private::IntoReply<R>> IntoReply<R> for A {}

mod private {
    use super::{BoxError, BoxFuture, Reply};

    pub trait IntoReply<R>: Sized + 'static {
        fn into_reply(self) -> Result<R, BoxError>;
        fn in_time<'a>(future: BoxFuture<'a, Self>) -> Reply<'a, R>;
    }

    impl<R: 'static> IntoReply<R> for R {
        fn into_reply(self) -> Result<R, BoxError> {
            Ok(self)
        }

        fn in_time<'a>(future: BoxFuture<'a, Self>) -> Reply<'a, R> {
            Reply::Certain(future)
        }
    }

    impl<R: 'static> IntoReply<R> for Result<R, BoxError> {
        fn into_reply(self) -> Self {
            self
        }

        fn in_time<'a>(future: BoxFuture<'a, Self>) -> Reply<'a, R> {
            Reply::Fallible(future)
        }
    }
}

/// The future of an asynchronous handler. Both kinds are boxed already; mapping one to the other would box it twice.
#[expect(missing_debug_implementations, reason = "nobody outside this crate can name it")]
pub enum Reply<'a, R> {
    Certain(BoxFuture<'a, R>),
    Fallible(BoxFuture<'a, Result<R, BoxError>>),
}

impl<R> Future for Reply<'_, R> {
    type Output = Result<R, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Certain(future) => future.as_mut().poll(cx).map(Ok),
            Self::Fallible(future) => future.as_mut().poll(cx),
        }
    }
}
