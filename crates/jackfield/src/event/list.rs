use std::{cmp::Reverse, mem, slice, sync::Arc};

use arc_swap::Guard;

use crate::{event::origin::HandlerOrigin, foreign::discard, priority::Priority};

/// What is known of a handler besides what it does.
#[derive(Clone)]
pub(super) struct Tag {
    pub(super) priority: Priority,
    pub(super) sequence: u64,
    pub(super) origin: HandlerOrigin,
}

/// Handlers in the order they run, as they were at one moment. Never changed once made.
///
/// Handlers and tags lie apart because a dispatch walks the handlers alone.
pub(crate) struct List<H> {
    handlers: Vec<H>,
    tags: Vec<Tag>,
}

impl<H: Clone> List<H> {
    /// The handlers by descending priority; equal ones by the order in which they came.
    pub(super) fn sorted<'a>(entries: impl Iterator<Item = (&'a Tag, &'a H)>) -> Self
    where
        H: 'a,
    {
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by(|(a, _), (b, _)| b.priority.cmp(&a.priority).then(a.sequence.cmp(&b.sequence)));
        Self::of(&entries)
    }

    /// The handlers of both by descending priority; of equal ones the general first.
    fn merged(general: &Self, scoped: &Self) -> Self {
        let mut entries: Vec<_> = general.entries().chain(scoped.entries()).collect();
        entries.sort_by_key(|(tag, _)| Reverse(tag.priority)); // a stable sort: all else is in order
        Self::of(&entries)
    }

    fn of(entries: &[(&Tag, &H)]) -> Self {
        Self {
            handlers: entries.iter().map(|(_, handler)| (*handler).clone()).collect(),
            tags: entries.iter().map(|(tag, _)| (*tag).clone()).collect(),
        }
    }

    fn entries(&self) -> impl Iterator<Item = (&Tag, &H)> {
        self.tags.iter().zip(&self.handlers)
    }
}

impl<H> List<H> {
    #[inline]
    pub(super) fn handlers(&self) -> &[H] {
        &self.handlers
    }
}

impl<H> Drop for List<H> {
    fn drop(&mut self) {
        // Whoever ends a dispatch may hold the last reference to a cancelled handler. One by one, because two
        // destructors that panic in one vector abort the process.
        for handler in mem::take(&mut self.handlers) {
            discard(handler);
        }
    }
}

/// What one emit runs over: the general handlers and those of its identifier, kept alive.
pub(crate) struct Lists<H> {
    pub(super) general: Option<Arc<List<H>>>,
    pub(super) scoped: Option<Arc<List<H>>>,
}

impl<H> Lists<H> {
    pub(crate) const EMPTY: Self = Self { general: None, scoped: None };

    #[inline]
    pub(crate) fn view(&self) -> View<'_, H> {
        View { general: self.general.as_deref(), scoped: self.scoped.as_deref() }
    }
}

impl<H: Clone> Lists<H> {
    /// Both as one, for those who run over them again and again.
    pub(super) fn merged(self) -> Option<Arc<List<H>>> {
        match (self.general, self.scoped) {
            (Some(general), Some(scoped)) => Some(Arc::new(List::merged(&general, &scoped))),
            (general, scoped) => general.or(scoped),
        }
    }
}

/// What a dispatch that does not wait runs over, held in the cheapest way there is.
pub(crate) enum Reach<H> {
    Nobody,
    Published(Guard<Option<Arc<List<H>>>>),
    Lists(Lists<H>),
}

impl<H> Reach<H> {
    #[inline]
    pub(crate) fn view(&self) -> View<'_, H> {
        match self {
            Self::Nobody => View { general: None, scoped: None },
            Self::Published(list) => View { general: list.as_deref(), scoped: None },
            Self::Lists(lists) => lists.view(),
        }
    }
}

/// What one emit runs over, borrowed.
pub(crate) struct View<'a, H> {
    general: Option<&'a List<H>>,
    scoped: Option<&'a List<H>>,
}

impl<H> Clone for View<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for View<'_, H> {}

impl<'a, H> View<'a, H> {
    #[inline]
    pub(super) fn of(list: Option<&'a List<H>>) -> Self {
        Self { general: list, scoped: None }
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.general.is_none() && self.scoped.is_none()
    }

    /// The handlers, if they are in one piece: the usual case, and the fast one.
    #[inline]
    pub(super) fn in_one_piece(self) -> Option<&'a [H]> {
        match (self.general, self.scoped) {
            (Some(list), None) | (None, Some(list)) => Some(&list.handlers),
            (None, None) => Some(&[]),
            (Some(_), Some(_)) => None,
        }
    }

    /// The handlers by descending priority; of equal ones the general first, then as they were registered.
    pub(super) fn walk(self) -> Walk<'a, H> {
        let handlers = |list: Option<&'a List<H>>| list.map_or(&[][..], |list| &list.handlers).iter();
        Walk { general: handlers(self.general), scoped: handlers(self.scoped), view: self }
    }

    /// Where the handler at `position` of the walk came from.
    pub(super) fn origin(self, position: usize) -> HandlerOrigin {
        let mut walk = self.walk();
        for _ in 0..position {
            walk.next();
        }
        let general = upcoming(self.general, &walk.general);
        let tag = if walk.general_is_next() { general } else { upcoming(self.scoped, &walk.scoped) };
        match tag {
            Some(tag) => tag.origin.clone(),
            None => unreachable!("a dispatch counts the handlers of its own view"),
        }
    }
}

/// A walk over a view, and what is left of it.
pub(super) struct Walk<'a, H> {
    general: slice::Iter<'a, H>,
    scoped: slice::Iter<'a, H>,
    view: View<'a, H>,
}

impl<H> Walk<'_, H> {
    /// Whether the next one is a general handler; asked when there are some of both.
    fn general_is_next(&self) -> bool {
        let general = upcoming(self.view.general, &self.general);
        let scoped = upcoming(self.view.scoped, &self.scoped);
        match (general, scoped) {
            (Some(general), Some(scoped)) => general.priority >= scoped.priority,
            (_, scoped) => scoped.is_none(),
        }
    }
}

/// The tag of the handler that comes next.
fn upcoming<'a, H>(list: Option<&'a List<H>>, rest: &slice::Iter<'_, H>) -> Option<&'a Tag> {
    list.and_then(|list| list.tags.get(list.tags.len() - rest.len()))
}

impl<'a, H> Iterator for Walk<'a, H> {
    type Item = &'a H;

    #[inline]
    fn next(&mut self) -> Option<&'a H> {
        if self.scoped.len() == 0 || self.general_is_next() {
            self.general.next()
        } else {
            self.scoped.next()
        }
    }
}
