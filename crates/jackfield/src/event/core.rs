use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    event::{
        directory::Directory,
        error::BusClosed,
        list::{Lists, Reach},
        observer::Tap,
        origin::HandlerOrigin,
        subscription::Subscription,
        table::{Shelf, Table},
    },
    priority::Priority,
};

/// What the clones of a bus share.
#[derive(Default)]
pub(crate) struct Core {
    closed: AtomicBool,
    /// Whether the bus is sealed. Held while a table is added, so that whoever tells them all something misses none.
    sealed: Mutex<bool>,
    directory: Directory,
    taps: Arc<Table<Tap>>,
}

impl Core {
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn is_observed(&self) -> bool {
        self.taps.has_general()
    }

    pub(super) fn taps(&self) -> &Table<Tap> {
        &self.taps
    }

    /// Shows `tap` every message from now on.
    pub(super) fn observe(&self, origin: HandlerOrigin, tap: Tap) -> Result<Subscription, BusClosed> {
        let subscription = self.taps.insert(None, Priority::NORMAL, origin, tap)?;
        self.renew();
        Ok(subscription)
    }

    /// The table for handlers `H`, if one was ever wanted.
    #[inline]
    pub(crate) fn table<H: Clone + Send + Sync + 'static>(&self) -> Option<&Table<H>> {
        self.directory.find()
    }

    /// The table for handlers `H`, made if need be, and if handlers are still taken.
    pub(super) fn table_to_fill<H: Clone + Send + Sync + 'static>(&self) -> Result<Arc<Table<H>>, BusClosed> {
        let sealed = self.lock();
        if *sealed { Err(BusClosed) } else { Ok(self.directory.find_or_add()) }
    }

    /// The table for handlers `H`, for somebody who will look at its version, and again when that has moved.
    pub(super) fn table_to_watch<H: Clone + Send + Sync + 'static>(&self) -> Arc<Table<H>> {
        let _sealed = self.lock();
        self.directory.find_or_add()
    }

    /// What a message for handlers `H` runs over, to keep while it waits.
    pub(crate) fn lists<H: Clone + Send + Sync + 'static>(
        &self,
        identifier: Option<&str>,
    ) -> Result<Lists<H>, BusClosed> {
        match self.table::<H>() {
            _ if self.is_closed() => Err(BusClosed),
            Some(table) if table.has_general() || identifier.is_some() => table.lists(identifier),
            _ => Ok(Lists::EMPTY),
        }
    }

    /// The same for a message that will not wait.
    #[inline]
    pub(crate) fn reach<H: Clone + Send + Sync + 'static>(
        &self,
        identifier: Option<&str>,
    ) -> Result<Reach<H>, BusClosed> {
        match self.table::<H>() {
            _ if self.is_closed() => Err(BusClosed),
            Some(table) => table.reach(identifier),
            None => Ok(Reach::Nobody),
        }
    }

    /// Adds no more tables and takes no more handlers.
    pub(super) fn seal(&self) {
        *self.lock() = true;
        self.shelves().for_each(Shelf::seal);
    }

    /// Delivers nothing from now on.
    pub(super) fn close(&self) {
        self.seal();
        self.closed.store(true, Ordering::Release);
        self.renew(); // before any handler is dropped, which may emit
        self.shelves().for_each(Shelf::close);
    }

    /// Has everybody look again who remembers what there was.
    fn renew(&self) {
        let _sealed = self.lock();
        self.directory.shelves().for_each(Shelf::renew);
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.sealed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscriptions(&self) -> usize {
        self.shelves().map(Shelf::len).sum()
    }

    fn shelves(&self) -> impl Iterator<Item = &dyn Shelf> {
        let taps: &dyn Shelf = &*self.taps;
        self.directory.shelves().chain([taps])
    }
}
