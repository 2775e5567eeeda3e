use std::{
    fmt,
    sync::{Arc, Weak},
};

use tokio::sync::watch;

use super::{Registration, Registry, ResolveError};
use crate::slot::Slot;

/// A handle that follows a slot through every change.
///
/// [`get`](Self::get) gives whoever wins now; while nothing has changed it costs one atomic read and no lookup. It keeps
/// the service that it gave last alive, until it is asked again or dropped.
///
/// Not shared: each holder has its own, made by [`Registry::watch`] or by cloning.
pub struct Watch<T: ?Sized> {
    slot: Slot<T>,
    registry: Registry,
    news: watch::Receiver<()>,
    seen: Option<(u64, Result<Arc<T>, ResolveError>)>,
    /// Weak, or whoever won when this was made would outlive its plugin.
    winner: Option<Weak<Registration>>,
}

impl<T: ?Sized + Send + Sync + 'static> Watch<T> {
    pub(super) fn new(registry: Registry, slot: Slot<T>) -> Self {
        let news = registry.shared.news.follow();
        let winner = registry.winning_registration(slot);
        Self { slot, registry, news, seen: None, winner }
    }

    /// The service that wins the slot now.
    ///
    /// # Errors
    ///
    /// As [`Registry::resolve`].
    #[inline]
    pub fn get(&mut self) -> Result<&Arc<T>, ResolveError> {
        let generation = self.registry.generation();
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != generation) {
            self.look_again(generation);
        }
        match &self.seen {
            Some((_, Ok(service))) => Ok(service),
            Some((_, Err(error))) => Err(again(error)),
            None => unreachable!("it was looked at just above"),
        }
    }

    #[cold]
    fn look_again(&mut self, generation: u64) {
        self.seen = None; // dropped before the next one is made: it may be the last to hold it
        self.seen = Some((generation, self.registry.resolve(self.slot)));
    }

    /// Waits until another candidate wins the slot than when this was last called, or the handle was made; a winner that
    /// went and came back is another. `false` once the scope has closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is missed by giving up and waiting again.
    pub async fn changed(&mut self) -> bool {
        loop {
            let winner = self.registry.winning_registration(self.slot);
            if winner.as_ref().map(Weak::as_ptr) != self.winner.as_ref().map(Weak::as_ptr) {
                self.winner = winner;
                return true;
            }
            if self.registry.is_closed() || self.news.changed().await.is_err() {
                return false;
            }
        }
    }
}

/// Out of the way, so that what is left is small enough to be inlined.
#[cold]
#[inline(never)]
fn again(error: &ResolveError) -> ResolveError {
    error.clone()
}

impl<T: ?Sized> Clone for Watch<T> {
    fn clone(&self) -> Self {
        Self {
            slot: self.slot,
            registry: self.registry.clone(),
            news: self.news.clone(),
            seen: self.seen.clone(),
            winner: self.winner.clone(),
        }
    }
}

impl<T: ?Sized> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.slot).finish()
    }
}
