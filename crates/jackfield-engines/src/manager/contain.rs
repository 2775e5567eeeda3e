//! Foreign code, run so that neither a panic nor a hang nor an error gets past.

use crate::factory::EngineError;
use futures_util::FutureExt;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::Duration;

/// What went wrong inside somebody else's code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Mishap {
    /// It said so itself.
    #[error(transparent)]
    Failed(EngineError),
    /// It panicked. A bug in the engine.
    #[error("it panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// It did not come to an end in time. A bug in the engine, or a device that hangs.
    #[error("it took longer than {deadline:?}")]
    TooLong {
        /// How long it had.
        deadline: Duration,
    },
}

/// Runs a future to its end or its deadline; drops it then, and contains what the drop does too.
pub(super) async fn contained<T>(
    deadline: Duration,
    future: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, Mishap> {
    let mut future = Guarded(Some(Box::pin(future)));
    match tokio::time::timeout(deadline, future.run()).await {
        Ok(ended) => ended,
        Err(_) => Err(Mishap::TooLong { deadline }),
    }
}

/// A foreign future that may be dropped at any time.
struct Guarded<F>(Option<Pin<Box<F>>>);

impl<T, F: Future<Output = Result<T, EngineError>>> Guarded<F> {
    async fn run(&mut self) -> Result<T, Mishap> {
        match &mut self.0 {
            Some(future) => run(future.as_mut()).await,
            None => std::future::pending().await,
        }
    }
}

impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        dropped(self.0.take());
    }
}

/// Runs a future that stays where it is, for as long as it takes. Not to be called again after a panic.
pub(super) async fn run<T>(future: impl Future<Output = Result<T, EngineError>>) -> Result<T, Mishap> {
    match AssertUnwindSafe(future).catch_unwind().await {
        Ok(result) => result.map_err(Mishap::Failed),
        Err(panic) => {
            let message = message(&*panic);
            dropped(panic);
            Err(Mishap::Panicked { message })
        }
    }
}

/// Drops foreign things; a panic on the way is logged.
pub(super) fn dropped<T>(thing: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(thing))) {
        tracing::error!(target: "jackfield::engine", "An engine panicked while it was dropped: {}", message(&*panic));
    }
}

/// What a panic said, as far as it was text.
pub(super) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
