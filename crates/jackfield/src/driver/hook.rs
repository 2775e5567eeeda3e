//! Where other people's code is called: contained, and for a bounded time.

use std::{future::poll_fn, panic::AssertUnwindSafe, pin::pin, task::Poll, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
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
    called(surroundings, hook).instrument(span).await
}

async fn called<'a>(
    surroundings: &Surroundings,
    hook: impl FnOnce() -> BoxFuture<'a, PluginResult>,
) -> Result<(), HookError> {
    let Surroundings { runtime, deadline, .. } = *surroundings;
    let panicked = |payload| HookError::Panicked { message: message_of(payload) };
    // A hook need not be an `async fn`: it may panic before there is a future.
    let future = contained(runtime, hook)?;
    let mut future = AssertUnwindSafe(future).catch_unwind();
    let outcome = in_time(deadline, within(runtime, &mut future)).await;
    let dropped = contained(runtime, || drop(future));
    match outcome {
        Some(Ok(Ok(()))) => dropped,
        Some(Ok(Err(error))) => Err(HookError::failed(error)),
        Some(Err(payload)) => Err(panicked(payload)),
        None => Err(HookError::TimedOut { deadline }),
    }
}

/// What comes of `work`, unless it is still waiting `deadline` after it began to wait. Most work never waits, and costs
/// no timer.
async fn in_time<F: Future>(deadline: Duration, work: F) -> Option<F::Output> {
    let (mut work, mut late) = (pin!(work), pin!(None));
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(outcome));
        }
        if late.is_none() {
            // Time passes also for work that never leaves others a turn.
            late.set(Some(unconstrained(sleep(deadline))));
        }
        late.as_mut().as_pin_mut().map_or(Poll::Pending, |late| late.poll(cx).map(|()| None))
    })
    .await
}

/// Calls plain foreign code of the runtime called `runtime`, or drops what is foreign.
pub(super) fn contained<R>(runtime: usize, code: impl FnOnce() -> R) -> Result<R, HookError> {
    HOOK_OF.sync_scope(runtime, || contain(code)).map_err(|message| HookError::Panicked { message })
}

/// Marks what `work` does as done by a hook of the runtime called `runtime`.
pub(super) async fn within<F: Future>(runtime: usize, work: F) -> F::Output {
    HOOK_OF.scope(runtime, work).await
}
