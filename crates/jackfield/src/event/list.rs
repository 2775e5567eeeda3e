use std::{mem, sync::Arc};

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
        Self {
            handlers: entries.iter().map(|(_, handler)| (*handler).clone()).collect(),
            tags: entries.iter().map(|(tag, _)| (*tag).clone()).collect(),
        }
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
        Walk { general: Slice::of(self.general), scoped: Slice::of(self.scoped) }
    }

    /// Where the handler at `position` of the walk came from.
    pub(super) fn origin(self, position: usize) -> HandlerOrigin {
        let mut walk = self.walk();
        for _ in 0..position {
            walk.next();
        }
        let tag = if walk.general_is_next() { walk.general.tags.first() } else { walk.scoped.tags.first() };
        match tag {
            Some(tag) => tag.origin.clone(),
            None => unreachable!("a dispatch counts the handlers of its own view"),
        }
    }
}

/// A walk over a view, and what is left of it.
pub(super) struct Walk<'a, H> {
    general: Slice<'a, H>,
    scoped: Slice<'a, H>,
}

struct Slice<'a, H> {
    handlers: &'a [H],
    tags: &'a [Tag],
}

impl<H> Walk<'_, H> {
    fn general_is_next(&self) -> bool {
        match (self.general.tags.first(), self.scoped.tags.first()) {
            (Some(general), Some(scoped)) => general.priority >= scoped.priority,
            (_, scoped) => scoped.is_none(),
        }
    }
}

impl<'a, H> Iterator for Walk<'a, H> {
    type Item = &'a H;

    #[inline]
    fn next(&mut self) -> Option<&'a H> {
        if self.scoped.handlers.is_empty() {
            return self.general.pop();
        }
        if self.general_is_next() { self.general.pop() } else { self.scoped.pop() }
    }
}

impl<'a, H> Slice<'a, H> {
    fn of(list: Option<&'a List<H>>) -> Self {
        list.map_or(Self { handlers: &[], tags: &[] }, |list| Self {
            handlers: &list.handlers,
            tags: &list.tags,
        })
    }

    #[inline]
    fn pop(&mut self) -> Option<&'a H> {
        let (first, rest) = self.handlers.split_first()?;
        self.handlers = rest;
        self.tags = self.tags.get(1..).unwrap_or_default();
        Some(first)
    }
}
