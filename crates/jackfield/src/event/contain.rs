use std::{
    any::Any,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::error::panic_message;

/// Runs foreign code; a panic comes back as its message.
pub(super) fn contain<T>(foreign: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(foreign)).map_err(message_of)
}

/// The message of a panic that was caught.
pub(super) fn message_of(payload: Box<dyn Any + Send>) -> String {
    let message = panic_message(&*payload);
    if let Err(worse) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(worse); // a payload whose destructor panics may well do it again
    }
    message
}

/// Drops what a handler captured: foreign code as well, so never under a lock, and a panic goes no further.
pub(super) fn discard<T>(value: T) {
    if let Err(message) = contain(|| drop(value)) {
        tracing::error!(message, "Something a handler had captured panicked while it was dropped.");
    }
}
