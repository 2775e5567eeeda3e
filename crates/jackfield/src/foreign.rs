//! Other people's code: called, and dropped, so that a panic in it goes no further.

use std::{
    any::Any,
    mem,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs foreign code; a panic comes back as its message.
pub(crate) fn contain<T>(foreign: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(foreign)).map_err(message_of)
}

/// The message of a panic that was caught.
pub(crate) fn message_of(payload: Box<dyn Any + Send>) -> String {
    let message = panic_message(&*payload);
    if let Err(worse) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(worse); // a payload whose destructor panics may well do it again
    }
    message
}

/// The message of whatever a panic was raised with, as far as it is text.
fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Drops a value that brings its own destructor: never under a lock, and a panic goes no further.
pub(crate) fn discard<T>(value: T) {
    if let Err(message) = contain(|| drop(value)) {
        tracing::error!(message, "A value panicked while it was dropped.");
    }
}

/// A foreign value that panics for itself alone when it is dropped.
///
/// What holds several of them can be dropped as a whole: a second panic on the way out would end the process.
#[derive(Clone)]
pub(crate) struct Foreign<T>(Option<T>);

impl<T> Foreign<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for Foreign<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => unreachable!("it is taken out only when it is dropped"),
        }
    }
}

impl<T> Drop for Foreign<T> {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(discard);
    }
}
