//! One value that tells whoever asked when somebody sets it.

use crate::observers::{Observers, Subscription};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An observed value. A handle: clones are the same field.
///
/// Setting it calls the subscribers one after the other, in the order in which they subscribed, on the
/// setter's thread, also when the new value equals the old one. No lock is held meanwhile: a subscriber may set
/// the field (which runs nested), subscribe (it is served from the next setting on) and unsubscribe anybody
/// (who is not called any more). Each gets the value that the field has when its turn comes. A subscriber that
/// panics is logged, and the others are called all the same.
pub struct Field<T> {
    value: Arc<Mutex<Arc<T>>>,
    observers: Observers<T>,
}

impl<T: Send + Sync + 'static> Field<T> {
    /// A field with a first value and no subscribers.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { value: Arc::new(Mutex::new(Arc::new(value))), observers: Observers::new() }
    }

    /// The value now. Costs a short lock and a reference count.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.lock())
    }

    /// Puts a value and notifies.
    pub fn set(&self, value: T) {
        let value = Arc::new(value);
        let replaced = std::mem::replace(&mut *self.lock(), value);
        // Dropping a value may be foreign code too, so it comes after the lock.
        drop(replaced);
        self.observers.call(|| self.get());
    }

    /// Calls `callback` at every setting from now on, until the subscription is dropped. Not called for the
    /// value that is there already.
    pub fn subscribe(&self, callback: impl Fn(&T) + Send + Sync + 'static) -> Subscription {
        self.observers.subscribe(callback)
    }

    /// Like [`subscribe`](Self::subscribe), for the settings that `wanted` accepts.
    pub fn subscribe_to_value(
        &self,
        wanted: impl Fn(&T) -> bool + Send + Sync + 'static,
        callback: impl Fn(&T) + Send + Sync + 'static,
    ) -> Subscription {
        self.subscribe(move |value| {
            if wanted(value) {
                callback(value);
            }
        })
    }
}

impl<T> Field<T> {
    // Nothing foreign runs under this lock, so a poisoned one still guards a whole value.
    fn lock(&self) -> MutexGuard<'_, Arc<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Field<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), observers: self.observers.clone() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = Arc::clone(&self.lock());
        f.debug_tuple("Field").field(&value).finish()
    }
}
