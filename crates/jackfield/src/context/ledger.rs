use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::task::JoinHandle;

use crate::error::{BoxError, HookError, panic_message};

type Goodbye = BoxFuture<'static, Result<(), BoxError>>;

/// All that is kept for one plugin in one scope, and ends with it.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Vec<Held>>);

enum Held {
    Guard(Box<dyn Any + Send>),
    Task(JoinHandle<()>),
    Goodbye(Goodbye),
}

impl Ledger {
    pub(super) fn hold(&self, guard: Box<dyn Any + Send>) {
        self.lock().push(Held::Guard(guard));
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        #[expect(clippy::disallowed_methods, reason = "this is where handles of tasks are kept")]
        let task = tokio::spawn(task);
        self.lock().push(Held::Task(task));
    }

    pub(super) fn at_detach(&self, goodbye: Goodbye) {
        self.lock().push(Held::Goodbye(goodbye));
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Ends everything, last in first out, and says what failed on its way out. What is added meanwhile, say by a
    /// guard that subscribes when dropped, ends too.
    pub(crate) async fn clear(&self) -> Vec<HookError> {
        let mut failures = Vec::new();
        let panicked =
            |payload: Box<dyn Any + Send>| HookError::Panicked { message: panic_message(&*payload) };
        loop {
            // Taken out first: dropping is foreign code, and must not run under the lock.
            let Some(last) = self.lock().pop() else { return failures };
            match last {
                Held::Guard(guard) => {
                    failures.extend(catch_unwind(AssertUnwindSafe(|| drop(guard))).map_err(panicked).err());
                }
                Held::Task(task) => {
                    task.abort();
                    let ended = task.await;
                    failures.extend(ended.err().and_then(|end| end.try_into_panic().ok()).map(panicked));
                }
                Held::Goodbye(goodbye) => match AssertUnwindSafe(goodbye).catch_unwind().await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => failures.push(HookError::failed(error)),
                    Err(payload) => failures.push(panicked(payload)),
                },
            }
        }
    }

    /// Drops everything there and then, last in first out: tasks are stopped and not awaited, goodbyes are not said.
    /// For what failed before it had properly begun, where nobody can wait.
    pub(crate) fn abandon(&self) {
        loop {
            let Some(last) = self.lock().pop() else { return };
            if let Held::Task(task) = &last {
                task.abort();
            }
            drop(catch_unwind(AssertUnwindSafe(|| drop(last)))); // the failure is told already
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
