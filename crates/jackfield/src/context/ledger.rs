use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::task::JoinHandle;

use crate::error::panic_message;

/// All that is kept for one plugin in one scope, and ends with it.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Vec<Held>>);

enum Held {
    Guard(Box<dyn Any + Send>),
    Task(JoinHandle<()>),
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

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Ends everything, last in first out, and says what panicked on its way out. What is added meanwhile, say by a
    /// guard that subscribes when dropped, ends too.
    pub(crate) async fn clear(&self) -> Vec<String> {
        let mut panics = Vec::new();
        loop {
            // Taken out first: dropping is foreign code, and must not run under the lock.
            let Some(last) = self.lock().pop() else { return panics };
            match last {
                Held::Guard(guard) => {
                    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(guard))) {
                        panics.push(panic_message(&*payload));
                    }
                }
                Held::Task(task) => {
                    task.abort();
                    if let Err(end) = task.await
                        && let Ok(payload) = end.try_into_panic()
                    {
                        panics.push(panic_message(&*payload));
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
