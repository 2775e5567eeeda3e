use std::{
    any::Any,
    cell::Cell,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;

use crate::{
    error::BoxError,
    event::{
        envelope::Envelope,
        handler::{AsyncHandler, Handler},
        list::View,
        origin::HandlerOrigin,
    },
    foreign::{discard, message_of},
};

/// What ended a dispatch before its time, and at which handler.
pub(crate) struct Fault {
    pub(crate) handler: HandlerOrigin,
    pub(crate) cause: Cause,
}

pub(crate) enum Cause {
    Asynchronous,
    Failed(BoxError),
    Panicked(String),
}

/// Boxed, because a dispatch that goes well should not have to make room for it.
pub(crate) type Faulty<T> = Result<T, Box<Fault>>;

/// How far a dispatch came without awaiting anything.
pub(crate) enum Paused<T> {
    /// To its end, or to where `verdict` ended it.
    No(Option<T>),
    /// To the asynchronous handler at this position, whose turn it is.
    Before(usize),
}

/// Runs the handlers one after the other until one fails, or `verdict` on its reply says that was all, or one is
/// asynchronous.
///
/// One net catches panics for the whole walk; where the walk was is kept outside of it.
pub(crate) fn run_first<M, R, T>(
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Faulty<Paused<T>> {
    let position = Cell::new(0);
    let ran = catch_unwind(AssertUnwindSafe(|| match view.in_one_piece() {
        Some(handlers) => walk(handlers.iter(), envelope, &position, verdict),
        None => walk(view.walk(), envelope, &position, verdict),
    }));
    match ran {
        Ok(Ok(paused)) => Ok(paused),
        Ok(Err(error)) => Err(failed(view, position.get(), error)),
        Err(panic) => Err(panicked(view, position.get(), panic)),
    }
}

#[inline]
fn walk<'a, M: 'a, R: 'a, T>(
    handlers: impl Iterator<Item = &'a Handler<M, R>>,
    envelope: &mut Envelope<M>,
    position: &Cell<usize>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Result<Paused<T>, BoxError> {
    for (at, handler) in handlers.enumerate() {
        position.set(at);
        let Handler::Sync(call) = handler else { return Ok(Paused::Before(at)) };
        if let ControlFlow::Break(value) = verdict(call(envelope)?, envelope) {
            return Ok(Paused::No(Some(value)));
        }
    }
    Ok(Paused::No(None))
}

/// Runs the handlers from `first` on, awaiting the asynchronous ones.
pub(crate) async fn run_rest<M, R, T>(
    view: View<'_, Handler<M, R>>,
    first: usize,
    envelope: &mut Envelope<M>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Faulty<Option<T>> {
    match view.in_one_piece() {
        Some(handlers) => walk_awaiting(handlers.iter(), view, first, envelope, verdict).await,
        None => walk_awaiting(view.walk(), view, first, envelope, verdict).await,
    }
}

/// Each handler has a net of its own: one around the whole walk would have to be entered anew after each wait.
async fn walk_awaiting<'a, M: 'a, R: 'a, T>(
    handlers: impl Iterator<Item = &'a Handler<M, R>>,
    view: View<'a, Handler<M, R>>,
    first: usize,
    envelope: &mut Envelope<M>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Faulty<Option<T>> {
    for (at, handler) in handlers.enumerate().skip(first) {
        let replied = match handler {
            Handler::Sync(call) => catch_unwind(AssertUnwindSafe(|| call(envelope))),
            Handler::Async(AsyncHandler::Certain(call)) => contained(|| call(envelope)).await.map(Ok),
            Handler::Async(AsyncHandler::Fallible(call)) => contained(|| call(envelope)).await,
        };
        let reply = match replied {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return Err(failed(view, at, error)),
            Err(panic) => return Err(panicked(view, at, panic)),
        };
        if let ControlFlow::Break(value) = verdict(reply, envelope) {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Makes a future and awaits it; a panic in that, also while it is dropped, comes out as its payload.
async fn contained<'a, T>(make: impl FnOnce() -> BoxFuture<'a, T>) -> Result<T, Box<dyn Any + Send>> {
    Contained(Some(catch_unwind(AssertUnwindSafe(make))?)).await
}

/// Polls a future to its end, and drops it there, within a net.
struct Contained<'a, T>(Option<BoxFuture<'a, T>>);

impl<T> Future for Contained<'_, T> {
    type Output = Result<T, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let Some(future) = &mut self.0 else { return Poll::Pending }; // it has come out already
            let polled = future.as_mut().poll(context);
            if polled.is_ready() {
                self.0 = None;
            }
            polled
        }));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => {
                discard(self.0.take());
                Poll::Ready(Err(panic))
            }
        }
    }
}

/// A dispatch that must not wait has come to the asynchronous handler at `position`.
#[cold]
pub(crate) fn asynchronous<H>(view: View<'_, H>, position: usize) -> Box<Fault> {
    Box::new(Fault { handler: view.origin(position), cause: Cause::Asynchronous })
}

#[cold]
fn failed<H>(view: View<'_, H>, position: usize, error: BoxError) -> Box<Fault> {
    Box::new(Fault { handler: view.origin(position), cause: Cause::Failed(error) })
}

#[cold]
fn panicked<H>(view: View<'_, H>, position: usize, panic: Box<dyn Any + Send>) -> Box<Fault> {
    Box::new(Fault { handler: view.origin(position), cause: Cause::Panicked(message_of(panic)) })
}
