//! Where other people's code is called: contained, and for a bounded time.

use std::{
    future::poll_fn,
    mem,
    panic::AssertUnwindSafe,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, lazy},
};
use tokio::{task::unconstrained, time::sleep};
use tracing::{Instrument, Span};

use super::surroundings::Surroundings;
use crate::{
    error::{HookError, PluginResult},
    foreign::{contain, message_of},
};

tokio::task_local! {
    /// Set while a hook runs, to the runtime whose hook it is: that runtime's changes cannot be awaited here.
    static HOOK_OF: usize;
}

/// Whether the code that asks runs within a hook of the runtime called `runtime`.
pub(super) fn is_within_hook_of(runtime: usize) -> bool {
    HOOK_OF.try_with(|current| *current == runtime).unwrap_or(false)
}

/// Calls a hook within `span`. One that panics or overruns its deadline has failed; one that overruns is dropped.
pub(super) async fn call<'a>(
    surroundings: &Surroundings,
    span: Span,
    hook: impl FnOnce() -> BoxFuture<'a, PluginResult>,
) -> Result<(), HookError> {
    let Surroundings { runtime, deadline, .. } = *surroundings;
    // Most hooks never wait: they are done here, and cost no timer.
    match lazy(|cx| span.in_scope(|| begin(runtime, hook, cx))).await? {
        None => Ok(()),
        Some(work) => finish(runtime, deadline, work).instrument(span).await,
    }
}

/// Calls a hook, and gives back what is left to do if it waits for something.
fn begin<'a>(
    runtime: usize,
    hook: impl FnOnce() -> BoxFuture<'a, PluginResult>,
    cx: &mut Context<'_>,
) -> Result<Option<BoxFuture<'a, PluginResult>>, HookError> {
    // Both are kept outside of the net: what panics must not be dropped on the way, and what comes of a hook counts
    // even if its future panics when it is dropped.
    let (mut work, mut outcome) = (None, None);
    let ran = contained(runtime, || {
        let future = work.insert(hook()); // it need not be an `async fn`: it may panic before there is a future
        if let Poll::Ready(done) = future.as_mut().poll(cx) {
            outcome = Some(done);
            work = None;
        }
    });
    match (ran, outcome) {
        (Ok(()), None) => Ok(work),
        (ran, Some(Ok(()))) => ran.map(|()| None),
        (_, Some(Err(error))) => Err(HookError::failed(error)),
        (Err(panicked), None) => {
            contained(runtime, || drop(work)).ok(); // that it panicked is said already
            Err(panicked)
        }
    }
}

/// Waits for a hook that has begun.
async fn finish(
    runtime: usize,
    deadline: Duration,
    work: BoxFuture<'_, PluginResult>,
) -> Result<(), HookError> {
    let mut work = AssertUnwindSafe(work).catch_unwind();
    let outcome = in_time(deadline, within(runtime, &mut work)).await;
    let dropped = contained(runtime, || drop(work));
    match outcome {
        Some(Ok(Ok(()))) => dropped,
        Some(Ok(Err(error))) => Err(HookError::failed(error)),
        Some(Err(payload)) => Err(HookError::Panicked { message: message_of(payload) }),
        None => Err(HookError::TimedOut { deadline }),
    }
}

/// What comes of `work`, which has just been found waiting, unless it still is after `deadline`.
async fn in_time<F: Future>(deadline: Duration, work: F) -> Option<F::Output> {
    // Time passes also for work that never leaves others a turn.
    let (mut work, mut late) = (pin!(work), pin!(unconstrained(sleep(deadline))));
    let mut just_found_waiting = true;
    poll_fn(|cx| {
        if !mem::take(&mut just_found_waiting)
            && let Poll::Ready(outcome) = work.as_mut().poll(cx)
        {
            return Poll::Ready(Some(outcome));
        }
        late.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Calls plain foreign code of the runtime called `runtime`, or drops what is foreign.
pub(super) fn contained<R>(runtime: usize, code: impl FnOnce() -> R) -> Result<R, HookError> {
    marked(runtime, || contain(code)).map_err(|message| HookError::Panicked { message })
}

/// Marks what `code` does as done by a hook of the runtime called `runtime`.
pub(super) fn marked<R>(runtime: usize, code: impl FnOnce() -> R) -> R {
    HOOK_OF.sync_scope(runtime, code)
}

/// The same for work that may wait.
pub(super) async fn within<F: Future>(runtime: usize, work: F) -> F::Output {
    HOOK_OF.scope(runtime, work).await
}
