use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{error::BoxError, event::envelope::Envelope};

type SyncCall<M, R> = dyn Fn(&mut Envelope<M>) -> Result<R, BoxError> + Send + Sync;
type AsyncCall<M, R> = dyn for<'a> Fn(&'a mut Envelope<M>) -> BoxFuture<'a, R> + Send + Sync;

/// A handler of message `M` that replies with `R`: nothing for events, perhaps a response for requests.
///
/// Both kinds of asynchronous ones box their futures already; mapping one to the other would box them twice.
#[expect(missing_debug_implementations, reason = "nobody outside this crate can name it")]
pub enum Handler<M, R> {
    Sync(Arc<SyncCall<M, R>>),
    Certain(Arc<AsyncCall<M, R>>),
    Fallible(Arc<AsyncCall<M, Result<R, BoxError>>>),
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
        A::asynchronous(Arc::new(handler))
    }

    pub(super) fn is_sync(&self) -> bool {
        matches!(self, Self::Sync(_))
    }
}

impl<M, R> Clone for Handler<M, R> {
    fn clone(&self) -> Self {
        match self {
            Self::Sync(call) => Self::Sync(Arc::clone(call)),
            Self::Certain(call) => Self::Certain(Arc::clone(call)),
            Self::Fallible(call) => Self::Fallible(Arc::clone(call)),
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
    use std::sync::Arc;

    use super::{AsyncCall, BoxError, Handler};

    pub trait IntoReply<R>: Sized + 'static {
        fn into_reply(self) -> Result<R, BoxError>;
        fn asynchronous<M>(call: Arc<AsyncCall<M, Self>>) -> Handler<M, R>;
    }

    impl<R: 'static> IntoReply<R> for R {
        fn into_reply(self) -> Result<R, BoxError> {
            Ok(self)
        }

        fn asynchronous<M>(call: Arc<AsyncCall<M, Self>>) -> Handler<M, R> {
            Handler::Certain(call)
        }
    }

    impl<R: 'static> IntoReply<R> for Result<R, BoxError> {
        fn into_reply(self) -> Self {
            self
        }

        fn asynchronous<M>(call: Arc<AsyncCall<M, Self>>) -> Handler<M, R> {
            Handler::Fallible(call)
        }
    }
}
