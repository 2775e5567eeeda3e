use std::{
    any::Any,
    cell::Cell,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::FutureExt;

use crate::{
    error::BoxError,
    event::{envelope::Envelope, handler::Handler, list::View, origin::HandlerOrigin},
    foreign::message_of,
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
    let position = AtomicUsize::new(first); // never contended; a `Cell` would tie the future to a thread
    let walk = async {
        match view.in_one_piece() {
            Some(handlers) => walk_awaiting(handlers.iter(), first, envelope, &position, verdict).await,
            None => walk_awaiting(view.walk(), first, envelope, &position, verdict).await,
        }
    };
    match AssertUnwindSafe(walk).catch_unwind().await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(failed(view, position.load(Ordering::Relaxed), error)),
        Err(panic) => Err(panicked(view, position.load(Ordering::Relaxed), panic)),
    }
}

async fn walk_awaiting<'a, M: 'a, R: 'a, T>(
    handlers: impl Iterator<Item = &'a Handler<M, R>>,
    first: usize,
    envelope: &mut Envelope<M>,
    position: &AtomicUsize,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Result<Option<T>, BoxError> {
    for (at, handler) in handlers.enumerate().skip(first) {
        position.store(at, Ordering::Relaxed);
        let reply = match handler {
            Handler::Sync(call) => call(envelope)?,
            Handler::Async(call) => call(envelope).await?,
        };
        if let ControlFlow::Break(value) = verdict(reply, envelope) {
            return Ok(Some(value));
        }
    }
    Ok(None)
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
