//! The one place where a service loses its type, and the one place where it gets it back.

use std::{any::Any, sync::Arc};

/// An `Arc<T>` whose `T` only its slot remembers.
#[derive(Clone)]
pub(super) struct Erased(Arc<dyn Any + Send + Sync>);

impl Erased {
    pub(super) fn new<T: ?Sized + Send + Sync + 'static>(service: Arc<T>) -> Self {
        Self(Arc::new(service)) // `Arc<dyn Voice>` is itself sized, so it fits an `Any`
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
