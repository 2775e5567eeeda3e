use std::{
    cell::Cell,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::FutureExt;

use crate::{
    error::BoxError,
    event::{contain::message_of, envelope::Envelope, handler::Handler, list::View, origin::HandlerOrigin},
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

/// Runs the handlers one after the other until one fails, or `verdict` on its reply says that was all.
///
/// One net catches panics for the whole walk; where the walk was is kept outside of it.
pub(crate) fn run_sync<M, R, T>(
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Result<Option<T>, Fault> {
    let position = Cell::new(0);
    let ran = catch_unwind(AssertUnwindSafe(|| match view.in_one_piece() {
        Some(handlers) => walk(handlers.iter(), envelope, &position, verdict),
        None => walk(view, envelope, &position, verdict),
    }));
    settle(ran, || view.origin(position.get()))
}

fn walk<'a, M: 'a, R: 'a, T>(
    handlers: impl Iterator<Item = &'a Handler<M, R>>,
    envelope: &mut Envelope<M>,
    position: &Cell<usize>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Result<Option<T>, Cause> {
    for (at, handler) in handlers.enumerate() {
        position.set(at);
        let Handler::Sync(call) = handler else { return Err(Cause::Asynchronous) };
        let reply = call(envelope).map_err(Cause::Failed)?;
        if let ControlFlow::Break(value) = verdict(reply, envelope) {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The same, awaiting the asynchronous handlers among them.
pub(crate) async fn run<M, R, T>(
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
    verdict: impl Fn(R, &Envelope<M>) -> ControlFlow<T>,
) -> Result<Option<T>, Fault> {
    let position = AtomicUsize::new(0); // never contended; a `Cell` would tie the future to a thread
    let walk = async {
        for (at, handler) in view.enumerate() {
            position.store(at, Ordering::Relaxed);
            let reply = match handler {
                Handler::Sync(call) => call(envelope),
                Handler::Async(call) => call(envelope).await,
            };
            if let ControlFlow::Break(value) = verdict(reply.map_err(Cause::Failed)?, envelope) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    };
    let ran = AssertUnwindSafe(walk).catch_unwind().await;
    settle(ran, || view.origin(position.load(Ordering::Relaxed)))
}

fn settle<T>(
    ran: std::thread::Result<Result<T, Cause>>,
    origin: impl FnOnce() -> HandlerOrigin,
) -> Result<T, Fault> {
    let ran = ran.unwrap_or_else(|panic| Err(Cause::Panicked(message_of(panic))));
    ran.map_err(|cause| Fault { handler: origin(), cause })
}
