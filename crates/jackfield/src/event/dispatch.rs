use std::{
    any::Any,
    cell::Cell,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
    thread,
};

use futures_util::{FutureExt, future::BoxFuture};

use crate::{
    error::BoxError,
    event::{envelope::Envelope, handler::Handler, list::View, origin::HandlerOrigin},
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
#[inline(always)] // or results are copied from frame to frame, which takes longer than a handler
pub(crate) fn run_first<M, R, T>(
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Faulty<Paused<T>> {
    match view.in_one_piece() {
        Some(handlers) => walk(handlers.iter(), view, envelope, verdict),
        None => walk_of_two(view, envelope, verdict),
    }
}

/// Kept apart, because it is rare.
#[inline(never)]
fn walk_of_two<M, R, T>(
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Faulty<Paused<T>> {
    walk(view.walk(), view, envelope, verdict)
}

#[inline(always)]
fn walk<'a, M: 'a, R: 'a, T>(
    handlers: impl Iterator<Item = &'a Handler<M, R>>,
    view: View<'a, Handler<M, R>>,
    envelope: &mut Envelope<M>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Faulty<Paused<T>> {
    let position = Cell::new(0);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        for (at, handler) in handlers.enumerate() {
            position.set(at);
            let Handler::Sync(call) = handler else { return Ok(Paused::Before(at)) };
            if let ControlFlow::Break(value) = verdict(call(envelope)?, envelope) {
                return Ok(Paused::No(Some(value)));
            }
        }
        Ok(Paused::No(None))
    }));
    match ran {
        Ok(Ok(paused)) => Ok(paused),
        Ok(Err(error)) => Err(failed(view, position.get(), error)),
        Err(panic) => Err(panicked(view, position.get(), panic)),
    }
}

/// The same, awaiting the asynchronous ones.
///
/// Up to the first of these there is nothing to make a future of. From there on, one net for each poll of the walk.
pub(crate) async fn run<M, R, T>(
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Faulty<Option<T>> {
    let first = match view.walk().next() {
        Some(Handler::Sync(_)) | None => match run_first(view, envelope, &verdict)? {
            Paused::No(end) => return Ok(end),
            Paused::Before(first) => first,
        },
        Some(Handler::Certain(_) | Handler::Fallible(_)) => 0,
    };
    let position = AtomicUsize::new(first); // atomic because whoever sends the future sends this
    let walk = async {
        for (at, handler) in view.walk().enumerate().skip(first) {
            position.store(at, Ordering::Relaxed);
            let reply = match handler {
                Handler::Sync(call) => call(envelope)?,
                // Awaited where they are: moved, they are read as a whole right after they were written in parts.
                Handler::Certain(call) => {
                    let mut under_way = UnderWay(Some(call(envelope)));
                    (&mut under_way).await
                }
                Handler::Fallible(call) => {
                    let mut under_way = UnderWay(Some(call(envelope)));
                    (&mut under_way).await?
                }
            };
            if let ControlFlow::Break(value) = verdict(reply, envelope) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    };
    let ran = AssertUnwindSafe(walk).catch_unwind().await;
    match ran {
        Ok(Ok(end)) => Ok(end),
        Ok(Err(error)) => Err(failed(view, position.into_inner(), error)),
        Err(panic) => Err(panicked(view, position.into_inner(), panic)),
    }
}

/// The future of a handler. If it is dropped because it panicked, a second panic in that would end the process.
struct UnderWay<'a, T>(Option<BoxFuture<'a, T>>);

impl<T> Future for UnderWay<'_, T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut self.0 {
            Some(future) => future.as_mut().poll(context),
            None => unreachable!("it is taken out only when it is dropped"),
        }
    }
}

impl<T> Drop for UnderWay<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if thread::panicking() {
            discard(self.0.take());
        }
    }
}

/// A dispatch that must not wait has come to the asynchronous handler at `position`.
#[cold]
#[inline(never)]
pub(crate) fn asynchronous<H>(view: View<'_, H>, position: usize) -> Box<Fault> {
    Box::new(Fault { handler: view.origin(position), cause: Cause::Asynchronous })
}

#[cold]
#[inline(never)]
fn failed<H>(view: View<'_, H>, position: usize, error: BoxError) -> Box<Fault> {
    Box::new(Fault { handler: view.origin(position), cause: Cause::Failed(error) })
}

#[cold]
#[inline(never)]
fn panicked<H>(view: View<'_, H>, position: usize, panic: Box<dyn Any + Send>) -> Box<Fault> {
    Box::new(Fault { handler: view.origin(position), cause: Cause::Panicked(message_of(panic)) })
}
