use std::{
    any::Any,
    collections::HashMap,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwapOption;

use self::bucket::Bucket;
use crate::{
    event::{
        error::BusClosed,
        list::{List, Lists, Reach, Tag},
        origin::HandlerOrigin,
        subscription::{Place, Subscription},
    },
    foreign::discard,
    priority::Priority,
};

mod bucket;

/// The handlers of one message type: those for everybody, and those for one identifier each.
///
/// Writers take the lock; a dispatch takes a list and no lock. Nothing foreign runs under the lock: what is taken
/// out of the table is dropped after it was released, because what a handler captured may come back to this table.
pub(crate) struct Table<H> {
    /// Goes up with every change, and when the bus is closed or observed. Written under the lock.
    version: AtomicU64,
    general: AtomicUsize,
    scoped: AtomicUsize,
    /// The list of the general handlers; `None` until an emit asks for it after a change.
    published: ArcSwapOption<List<H>>,
    state: Mutex<State<H>>,
}

struct State<H> {
    phase: Phase,
    next_sequence: u64,
    general: Bucket<H>,
    scoped: HashMap<Arc<str>, Bucket<H>>,
}

#[derive(PartialEq, Eq)]
enum Phase {
    Open,
    /// Delivers, and takes no more handlers.
    Sealed,
    Closed,
}

impl<H> Default for Table<H> {
    fn default() -> Self {
        Self {
            version: AtomicU64::new(0),
            general: AtomicUsize::new(0),
            scoped: AtomicUsize::new(0),
            published: ArcSwapOption::empty(),
            state: Mutex::new(State {
                phase: Phase::Open,
                next_sequence: 0,
                general: Bucket::default(),
                scoped: HashMap::new(),
            }),
        }
    }
}

impl<H: Clone + Send + Sync + 'static> Table<H> {
    /// Adds a handler, for everybody or for one identifier.
    pub(super) fn insert(
        self: &Arc<Self>,
        identifier: Option<Arc<str>>,
        priority: Priority,
        origin: HandlerOrigin,
        handler: H,
    ) -> Result<Subscription, BusClosed> {
        let (place, stale) = {
            let mut state = self.lock();
            if state.phase != Phase::Open {
                return Err(BusClosed); // the lock, taken last, goes before `handler`
            }
            let sequence = state.next_sequence;
            state.next_sequence += 1;
            let tag = Tag { priority, sequence, origin };
            let (slot, stale) = match &identifier {
                None => state.general.insert(tag, handler),
                Some(identifier) => {
                    state.scoped.entry(Arc::clone(identifier)).or_default().insert(tag, handler)
                }
            };
            self.count(identifier.as_deref()).fetch_add(1, Ordering::Release);
            self.withdraw(identifier.is_none() && stale.is_some());
            (Place { identifier, slot, sequence }, stale)
        };
        drop(stale);
        let shelf: Arc<dyn Shelf> = self.clone();
        Ok(Subscription::new(Arc::downgrade(&shelf), place))
    }

    /// What an emit to `identifier` runs over, at this moment, held for as long as it does not wait.
    pub(crate) fn reach(&self, identifier: Option<&str>) -> Result<Reach<H>, BusClosed> {
        if identifier.is_none() || !self.has_scoped() {
            if !self.has_general() {
                return Ok(Reach::Nobody);
            }
            let published = self.published.load();
            if published.is_some() {
                return Ok(Reach::Published(published));
            }
        }
        self.lists(identifier).map(Reach::Lists)
    }

    /// What an emit to `identifier` runs over, at this moment.
    pub(crate) fn lists(&self, identifier: Option<&str>) -> Result<Lists<H>, BusClosed> {
        let identifier = identifier.filter(|_| self.has_scoped());
        if identifier.is_none()
            && let Some(general) = self.published.load_full()
        {
            return Ok(Lists { general: Some(general), scoped: None });
        }
        self.lists_and_version(identifier).map(|(lists, _)| lists)
    }

    /// The same, and the version of the table they belong to.
    pub(super) fn lists_and_version(&self, identifier: Option<&str>) -> Result<(Lists<H>, u64), BusClosed> {
        let mut state = self.lock();
        if state.phase == Phase::Closed {
            return Err(BusClosed);
        }
        let (general, made) = state.general.list();
        if made {
            self.published.store(general.clone());
        }
        let bucket = identifier.and_then(|identifier| state.scoped.get_mut(identifier));
        let scoped = bucket.and_then(|bucket| bucket.list().0);
        Ok((Lists { general, scoped }, self.version.load(Ordering::Relaxed)))
    }

    #[inline]
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn has_general(&self) -> bool {
        self.general.load(Ordering::Acquire) > 0
    }

    #[inline]
    pub(super) fn has_scoped(&self) -> bool {
        self.scoped.load(Ordering::Acquire) > 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.has_general() && !self.has_scoped()
    }

    /// Whether an emit to `identifier` would find a handler.
    pub(crate) fn reaches(&self, identifier: Option<&str>) -> bool {
        self.has_general() || identifier.is_some_and(|identifier| self.lock().scoped.contains_key(identifier))
    }

    fn count(&self, identifier: Option<&str>) -> &AtomicUsize {
        if identifier.is_none() { &self.general } else { &self.scoped }
    }

    /// Tells readers of a change, under the lock; `unpublish` if they have a list that is now stale.
    fn withdraw(&self, unpublish: bool) {
        if unpublish {
            self.published.store(None); // the bucket's reference, dropped later, is not the last one
        }
        self.version.store(self.version.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State<H>> {
        // Nothing foreign runs under the lock, so a poisoned table is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A table whose message type is of no interest.
pub(super) trait Shelf: Any + Send + Sync {
    fn len(&self) -> usize;
    fn remove(&self, place: &Place);
    /// Has those look again who remember its version.
    fn renew(&self);
    /// Takes no more handlers from now on.
    fn seal(&self);
    /// Drops all handlers and delivers nothing from now on.
    fn close(&self);
}

impl<H: Clone + Send + Sync + 'static> Shelf for Table<H> {
    fn len(&self) -> usize {
        self.general.load(Ordering::Acquire) + self.scoped.load(Ordering::Acquire)
    }

    fn remove(&self, place: &Place) {
        let identifier = place.identifier.as_deref();
        let removed = {
            let mut state = self.lock();
            let bucket = match identifier {
                None => Some(&mut state.general),
                Some(identifier) => state.scoped.get_mut(identifier),
            };
            let removed = bucket.and_then(|bucket| bucket.remove(place.slot, place.sequence));
            if let Some((_, stale)) = &removed {
                if let Some(identifier) = identifier {
                    state.forget_if_empty(identifier);
                }
                self.count(identifier).fetch_sub(1, Ordering::Release);
                self.withdraw(identifier.is_none() && stale.is_some());
            }
            removed
        };
        if let Some((handler, stale)) = removed {
            drop(stale);
            discard(handler);
        }
    }

    fn renew(&self) {
        let _state = self.lock();
        self.withdraw(false);
    }

    fn seal(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Sealed;
        }
    }

    fn close(&self) {
        let retired: Vec<Bucket<H>> = {
            let mut state = self.lock();
            state.phase = Phase::Closed;
            self.general.store(0, Ordering::Release);
            self.scoped.store(0, Ordering::Release);
            self.withdraw(true);
            let general = mem::take(&mut state.general);
            let scoped = mem::take(&mut state.scoped);
            scoped.into_values().chain([general]).collect()
        };
        for bucket in retired {
            let (handlers, list) = bucket.into_parts();
            drop(list);
            handlers.for_each(discard);
        }
    }
}

impl<H: Clone> State<H> {
    fn forget_if_empty(&mut self, identifier: &str) {
        if !self.scoped.get(identifier).is_some_and(Bucket::is_empty) {
            return;
        }
        self.scoped.remove(identifier);
        if self.scoped.is_empty() {
            self.scoped = HashMap::new();
        } else if self.scoped.len() * 4 < self.scoped.capacity() {
            self.scoped.shrink_to(self.scoped.len() * 2);
        }
    }
}
