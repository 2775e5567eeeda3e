//! A list of callbacks that may be changed while it is being called.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

struct Observer<T> {
    subscribed: AtomicBool,
    call: Box<dyn Fn(&T) + Send + Sync>,
}

// Copied on change, so that whoever goes through it goes through a list that stays as it is.
type List<T> = Arc<Vec<Arc<Observer<T>>>>;

/// Callbacks in order of subscription. A handle: clones are the same list.
pub(crate) struct Observers<T>(Arc<Mutex<List<T>>>);

impl<T: 'static> Observers<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn subscribe(&self, call: impl Fn(&T) + Send + Sync + 'static) -> Subscription {
        let observer = Arc::new(Observer { subscribed: AtomicBool::new(true), call: Box::new(call) });
        let replaced = {
            let mut list = lock(&self.0);
            let mut next = Vec::clone(&list);
            next.push(Arc::clone(&observer));
            std::mem::replace(&mut *list, Arc::new(next))
        };
        drop(replaced);
        let (list, observer) = (Arc::downgrade(&self.0), Arc::downgrade(&observer));
        Subscription(Some(Box::new(move || unsubscribe(&list, &observer))))
    }

    /// Calls everybody who is subscribed when their turn comes and was when this began, with whatever
    /// `value` gives for each. No lock is held. A panic is logged and stays with its owner.
    pub(crate) fn call<V: AsRef<T>>(&self, value: impl Fn() -> V) {
        let list = Arc::clone(&lock(&self.0));
        for observer in list.iter().filter(|observer| observer.subscribed.load(Ordering::Acquire)) {
            let value = value();
            if catch_unwind(AssertUnwindSafe(|| (observer.call)(value.as_ref()))).is_err() {
                tracing::error!(target: "jackfield::engine", "A subscriber panicked; the others are called all the same");
            }
        }
    }
}

fn unsubscribe<T>(list: &Weak<Mutex<List<T>>>, observer: &Weak<Observer<T>>) {
    let (Some(list), Some(observer)) = (list.upgrade(), observer.upgrade()) else { return };
    observer.subscribed.store(false, Ordering::Release);
    let replaced = {
        let mut list = lock(&list);
        let next = list.iter().filter(|other| !Arc::ptr_eq(other, &observer)).cloned().collect();
        std::mem::replace(&mut *list, Arc::new(next))
    };
    // The callback, and what it holds, ends here: outside the lock, because dropping is foreign code.
    drop(replaced);
}

// Nothing foreign runs under this lock, so a poisoned one still guards a whole list.
fn lock<T>(list: &Mutex<List<T>>) -> MutexGuard<'_, List<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Clone for Observers<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Ends a subscription when dropped. A call that is under way on another thread is not waited for.
#[must_use = "dropping a subscription ends it at once"]
pub struct Subscription(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}
