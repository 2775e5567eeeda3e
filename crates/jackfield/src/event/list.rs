use std::{mem, sync::Arc};

use crate::{
    event::{contain::discard, origin::HandlerOrigin},
    priority::Priority,
};

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

    pub(crate) fn view(&self) -> View<'_, H> {
        View {
            general: self.general.as_deref().map_or(Slice::EMPTY, Slice::of),
            scoped: self.scoped.as_deref().map_or(Slice::EMPTY, Slice::of),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.general.is_none() && self.scoped.is_none()
    }
}

/// What one emit runs over, borrowed; and the walk over what is left of it.
///
/// Handlers come by descending priority; of equal ones the general first, then in the order they were registered.
pub(crate) struct View<'a, H> {
    general: Slice<'a, H>,
    scoped: Slice<'a, H>,
}

struct Slice<'a, H> {
    handlers: &'a [H],
    tags: &'a [Tag],
}

impl<H> Clone for View<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for View<'_, H> {}

impl<H> Clone for Slice<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for Slice<'_, H> {}

impl<'a, H> View<'a, H> {
    pub(super) const EMPTY: Self = Self { general: Slice::EMPTY, scoped: Slice::EMPTY };

    pub(super) fn of(general: &'a List<H>) -> Self {
        Self { general: Slice::of(general), scoped: Slice::EMPTY }
    }

    /// The handlers, if they are in one piece: the usual case, and the fast one.
    pub(super) fn in_one_piece(&self) -> Option<&'a [H]> {
        self.scoped.handlers.is_empty().then_some(self.general.handlers)
    }

    /// Where the handler at `position` of the walk came from.
    pub(super) fn origin(mut self, position: usize) -> HandlerOrigin {
        for _ in 0..position {
            self.next();
        }
        let tag = if self.general_is_next() { self.general.tags.first() } else { self.scoped.tags.first() };
        match tag {
            Some(tag) => tag.origin.clone(),
            None => unreachable!("a dispatch counts the handlers of its own view"),
        }
    }

    fn general_is_next(&self) -> bool {
        match (self.general.tags.first(), self.scoped.tags.first()) {
            (Some(general), Some(scoped)) => general.priority >= scoped.priority,
            (_, scoped) => scoped.is_none(),
        }
    }
}

impl<'a, H> Iterator for View<'a, H> {
    type Item = &'a H;

    fn next(&mut self) -> Option<&'a H> {
        if self.general_is_next() { self.general.pop() } else { self.scoped.pop() }
    }
}

impl<'a, H> Slice<'a, H> {
    const EMPTY: Self = Self { handlers: &[], tags: &[] };

    fn of(list: &'a List<H>) -> Self {
        Self { handlers: &list.handlers, tags: &list.tags }
    }

    fn pop(&mut self) -> Option<&'a H> {
        let (first, rest) = self.handlers.split_first()?;
        self.handlers = rest;
        self.tags = &self.tags[1..];
        Some(first)
    }
}
