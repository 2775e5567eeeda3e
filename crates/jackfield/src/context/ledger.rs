use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use smallvec::SmallVec;
use tokio::{task::JoinHandle, time::timeout};

use crate::{
    error::{BoxError, HookError},
    event::Subscription,
    foreign::{contain, discard, message_of},
};

type Goodbye = BoxFuture<'static, Result<(), BoxError>>;

/// All that is kept for one plugin in one scope, and ends with it. Last on top; most plugins keep one thing.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<SmallVec<[Held; 1]>>);

enum Held {
    Guard(Box<dyn Any + Send>),
    Subscription(Subscription),
    Slow(Slow),
}

/// What takes time to end.
pub(crate) enum Slow {
    Task(JoinHandle<()>),
    Goodbye(Goodbye),
}

impl Ledger {
    pub(super) fn hold(&self, guard: Box<dyn Any + Send>) {
        self.keep(Held::Guard(guard));
    }

    pub(super) fn subscribe(&self, subscription: Subscription) {
        self.keep(Held::Subscription(subscription));
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        #[expect(clippy::disallowed_methods, reason = "this is where handles of tasks are kept")]
        let task = tokio::spawn(task);
        self.keep(Held::Slow(Slow::Task(task)));
    }

    pub(super) fn at_detach(&self, goodbye: Goodbye) {
        self.keep(Held::Slow(Slow::Goodbye(goodbye)));
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Ends what is kept, last in first out, as far as the first that takes time, which is given back: once it has
    /// [ended](Slow::end), the rest is to be ended in the same way. What fails on its way out is among the `failures`.
    pub(crate) fn end_at_once(&self, failures: &mut Vec<HookError>) -> Option<Slow> {
        loop {
            // Taken out first: dropping is foreign code, and must not run under the lock.
            let last = self.lock().pop()?;
            let ended = match last {
                Held::Guard(guard) => contained(|| drop(guard)),
                Held::Subscription(subscription) => contained(|| drop(subscription)),
                Held::Slow(slow) => return Some(slow),
            };
            failures.extend(ended.err());
        }
    }

    /// Drops everything there and then, last in first out: tasks are stopped and not awaited, goodbyes are not said.
    /// For what failed before it had properly begun, and for what nobody ended: where nobody can wait.
    pub(crate) fn abandon(&self) {
        loop {
            let Some(last) = self.lock().pop() else { return };
            if let Held::Slow(Slow::Task(task)) = &last {
                task.abort();
            }
            discard(last);
        }
    }

    fn keep(&self, held: Held) {
        self.lock().push(held);
    }

    fn lock(&self) -> MutexGuard<'_, SmallVec<[Held; 1]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.abandon();
    }
}

fn contained(end: impl FnOnce()) -> Result<(), HookError> {
    contain(end).map_err(|message| HookError::Panicked { message })
}

impl Slow {
    /// Ends it, and says how that failed, if it did. It has `deadline` for that; if it overruns, it is let go.
    pub(crate) async fn end(self, deadline: Duration) -> Result<(), HookError> {
        let late = |_| HookError::TimedOut { deadline };
        let panicked = |payload| HookError::Panicked { message: message_of(payload) };
        match self {
            Self::Task(task) => {
                task.abort();
                match timeout(deadline, task).await.map_err(late)? {
                    Ok(()) => Ok(()),
                    Err(end) => end.try_into_panic().map_or(Ok(()), |payload| Err(panicked(payload))),
                }
            }
            Self::Goodbye(goodbye) => {
                let mut goodbye = Box::pin(AssertUnwindSafe(goodbye).catch_unwind());
                let outcome = timeout(deadline, goodbye.as_mut()).await.map_err(late);
                let dropped = contained(|| drop(goodbye));
                outcome?.map_err(panicked)?.map_err(HookError::failed).and(dropped)
            }
        }
    }
}
