use std::{
    fmt,
    sync::{Arc, Weak},
};

use crate::event::table::Shelf;

/// A standing interest in a message: dropping it ends it.
///
/// It ends at once: no later emit calls the handler. A dispatch that was under way when it ended may still do so,
/// once. The handler, and whatever it captured, is dropped there and then, unless such a dispatch or the last emit
/// of a [`Topic`](crate::Topic) still holds it. Costs six words and no allocation; does not keep the bus alive.
///
/// It may be ended anywhere, also from within the very handler it stands for.
#[must_use = "dropping a subscription ends it at once; hold it, or pass it to `cx.hold`"]
pub struct Subscription {
    shelf: Option<Weak<dyn Shelf>>,
    place: Place,
}

/// Where a table keeps a handler. The sequence tells a handler from a later one in the same slot.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) identifier: Option<Arc<str>>,
    pub(super) slot: usize,
    pub(super) sequence: u64,
}

impl Subscription {
    pub(super) fn new(shelf: Weak<dyn Shelf>, place: Place) -> Self {
        Self { shelf: Some(shelf), place }
    }

    /// Ends it. Once it has ended, does nothing.
    pub fn cancel(&self) {
        if let Some(shelf) = self.shelf.as_ref().and_then(Weak::upgrade) {
            shelf.remove(&self.place);
        }
    }

    /// Gives up the guard: the handler stays until its bus is closed or dropped.
    pub fn until_closed(mut self) {
        self.shelf = None;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("identifier", &self.place.identifier).finish_non_exhaustive()
    }
}
