//! The one place where a service loses its type, and the one place where it gets it back.

use std::{any::Any, mem, sync::Arc};

use crate::foreign::discard;

/// An `Arc<T>` whose `T` only its slot remembers. To drop it may be to drop the service, which panics for itself alone.
///
/// Kept in a box and not in a second `Arc`: nobody shares it, and its value is found without asking how it is aligned.
pub(super) struct Erased(Box<dyn Any + Send + Sync>);

impl Erased {
    pub(super) fn new<T: ?Sized + Send + Sync + 'static>(service: Arc<T>) -> Self {
        Self(Box::new(service)) // `Arc<dyn Voice>` is itself sized, so it fits an `Any`
    }

    #[inline]
    pub(super) fn borrow<T: ?Sized + Send + Sync + 'static>(&self) -> Option<&Arc<T>> {
        self.0.downcast_ref()
    }

    #[inline]
    pub(super) fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.borrow().cloned()
    }
}

impl Drop for Erased {
    fn drop(&mut self) {
        let nothing = Box::new(()); // which takes no memory
        discard(mem::replace(&mut self.0, nothing));
    }
}
