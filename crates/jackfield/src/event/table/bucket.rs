use std::{mem, sync::Arc};

use crate::event::list::{List, Tag};

/// The handlers of one address, in no order: adding and removing one costs the same however many there are.
///
/// The order is made when an emit asks for it, and kept until the next change. So registering many handlers sorts
/// them once, not once each.
pub(super) struct Bucket<H> {
    slots: Vec<Slot<H>>,
    /// The first of the free slots, which are chained.
    free: Option<usize>,
    live: usize,
    list: Option<Arc<List<H>>>,
}

enum Slot<H> {
    Taken(Tag, H),
    Free { next: Option<usize> },
}

impl<H> Default for Bucket<H> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: None, live: 0, list: None }
    }
}

impl<H: Clone> Bucket<H> {
    pub(super) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Adds a handler and says in which slot; the list it makes stale is the caller's to drop.
    pub(super) fn insert(&mut self, tag: Tag, handler: H) -> (usize, Option<Arc<List<H>>>) {
        let taken = Slot::Taken(tag, handler);
        let slot = match self.free {
            Some(slot) => {
                if let Slot::Free { next } = mem::replace(&mut self.slots[slot], taken) {
                    self.free = next;
                }
                slot
            }
            None => {
                if self.slots.is_empty() {
                    self.slots.reserve_exact(1); // most addresses never have a second handler
                }
                self.slots.push(taken);
                self.slots.len() - 1
            }
        };
        self.live += 1;
        (slot, self.list.take())
    }

    /// Takes a handler out; it and the list it makes stale are the caller's to drop.
    pub(super) fn remove(&mut self, slot: usize, sequence: u64) -> Option<(H, Option<Arc<List<H>>>)> {
        match self.slots.get(slot) {
            Some(Slot::Taken(tag, _)) if tag.sequence == sequence => {}
            _ => return None,
        }
        let emptied = mem::replace(&mut self.slots[slot], Slot::Free { next: self.free });
        self.free = Some(slot);
        self.live -= 1;
        if self.live == 0 {
            self.slots = Vec::new();
            self.free = None;
        }
        let list = self.list.take();
        match emptied {
            Slot::Taken(_, handler) => Some((handler, list)),
            Slot::Free { .. } => unreachable!("it was looked at just above"),
        }
    }

    /// The handlers in order; `None` if there are none. The flag says whether it had to be made.
    pub(super) fn list(&mut self) -> (Option<Arc<List<H>>>, bool) {
        if self.live == 0 {
            return (None, false);
        }
        if let Some(list) = &self.list {
            return (Some(Arc::clone(list)), false);
        }
        let entries = self.slots.iter().filter_map(|slot| match slot {
            Slot::Taken(tag, handler) => Some((tag, handler)),
            Slot::Free { .. } => None,
        });
        let list = Arc::new(List::sorted(entries));
        self.list = Some(Arc::clone(&list));
        (Some(list), true)
    }

    /// All it held, for the caller to drop.
    pub(super) fn into_parts(self) -> (impl Iterator<Item = H>, Option<Arc<List<H>>>) {
        let handlers = self.slots.into_iter().filter_map(|slot| match slot {
            Slot::Taken(_, handler) => Some(handler),
            Slot::Free { .. } => None,
        });
        (handlers, self.list)
    }
}
