//! Where other people's code is called: contained, and for a bounded time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::{FutureExt, future::BoxFuture};

use super::surroundings::Surroundings;
use crate::error::{HookError, PluginResult, panic_message};

tokio::task_local! {
    /// Set while a hook runs, to the runtime whose hook it is: that runtime's changes cannot be awaited here.
    static HOOK_OF: usize;
}

/// Whether the code that asks runs within a hook of the runtime called `runtime`.
pub(crate) fn is_within_hook_of(runtime: usize) -> bool {
    HOOK_OF.try_with(|current| *current == runtime).unwrap_or(false)
}

/// Calls a hook. One that panics or overruns its deadline has failed; one that overruns is dropped.
pub(super) async fn call<'a>(
    surroundings: &Surroundings,
    hook: impl FnOnce() -> BoxFuture<'a, PluginResult>,
) -> Result<(), HookError> {
    let Surroundings { runtime, deadline, .. } = *surroundings;
    let panicked =
        |payload: Box<dyn std::any::Any + Send>| HookError::Panicked { message: panic_message(&*payload) };
    // A hook need not be an `async fn`: it may panic before there is a future.
    let future = catch_unwind(AssertUnwindSafe(hook)).map_err(panicked)?;
    let mut future = Box::pin(HOOK_OF.scope(runtime, AssertUnwindSafe(future).catch_unwind()));
    let outcome = tokio::time::timeout(deadline, future.as_mut()).await;
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
    match outcome {
        Ok(Ok(Ok(()))) => dropped.map_err(panicked),
        Ok(Ok(Err(error))) => Err(HookError::failed(error)),
        Ok(Err(payload)) => Err(panicked(payload)),
        Err(_) => Err(HookError::TimedOut { deadline }),
    }
}

/// Calls plain foreign code, or drops what is foreign.
pub(super) fn contained<R>(code: impl FnOnce() -> R) -> Result<R, HookError> {
    catch_unwind(AssertUnwindSafe(code))
        .map_err(|payload| HookError::Panicked { message: panic_message(&*payload) })
}
