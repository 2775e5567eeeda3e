use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{task::JoinHandle, time::timeout};

use crate::{
    error::{BoxError, HookError},
    event::Subscription,
    foreign::{contain, discard, message_of},
};

type Goodbye = BoxFuture<'static, Result<(), BoxError>>;

/// All that is kept for one plugin in one scope, and ends with it.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Vec<Held>>);

enum Held {
    Guard(Box<dyn Any + Send>),
    Subscription(Subscription),
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
        self.keep(Held::Task(task));
    }

    pub(super) fn at_detach(&self, goodbye: Goodbye) {
        self.keep(Held::Goodbye(goodbye));
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Ends everything, last in first out, and says what failed on its way out. Each has `deadline` to end; what
    /// overruns is let go, and the rest still ends.
    pub(crate) async fn clear(&self, deadline: Duration) -> Vec<HookError> {
        let mut failures = Vec::new();
        loop {
            // Taken out first: dropping is foreign code, and must not run under the lock.
            let Some(last) = self.lock().pop() else { return failures };
            failures.extend(last.end(deadline).await.err());
        }
    }

    /// Drops everything there and then, last in first out: tasks are stopped and not awaited, goodbyes are not said.
    /// For what failed before it had properly begun, and for what nobody ended: where nobody can wait.
    pub(crate) fn abandon(&self) {
        loop {
            let Some(last) = self.lock().pop() else { return };
            if let Held::Task(task) = &last {
                task.abort();
            }
            discard(last);
        }
    }

    fn keep(&self, held: Held) {
        let mut all = self.lock();
        if all.is_empty() {
            all.reserve_exact(1); // many plugins keep one thing, in thousands of sessions
        }
        all.push(held);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Held>> {
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

impl Held {
    async fn end(self, deadline: Duration) -> Result<(), HookError> {
        let late = |_| HookError::TimedOut { deadline };
        let panicked = |payload| HookError::Panicked { message: message_of(payload) };
        match self {
            Self::Guard(guard) => contained(|| drop(guard)),
            Self::Subscription(subscription) => contained(|| drop(subscription)),
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
