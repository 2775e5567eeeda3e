//! The sessions that a driver has in its hands, and those at work.

use std::collections::BTreeMap;

use super::scope_state::ScopeState;
use crate::plan::SessionKey;

/// The sessions that are open, in the order in which they were opened.
///
/// One that is at work in a task of its own is lent out. Its place is kept meanwhile, because giving it up and taking it
/// again costs as much as what a small change does to a session.
pub(super) struct OpenSessions<C>(BTreeMap<SessionKey, Option<Box<ScopeState<C>>>>);

impl<C> OpenSessions<C> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, key: SessionKey) -> bool {
        self.0.contains_key(&key)
    }

    pub(super) fn get(&self, key: SessionKey) -> Option<&ScopeState<C>> {
        self.0.get(&key)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, key: SessionKey) -> Option<&mut ScopeState<C>> {
        self.0.get_mut(&key)?.as_deref_mut()
    }

    /// Those that are not lent, in the order in which they were opened.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionKey, &ScopeState<C>)> {
        self.0.iter().filter_map(|(key, place)| Some((*key, place.as_deref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (SessionKey, &mut ScopeState<C>)> {
        self.0.iter_mut().filter_map(|(key, place)| Some((*key, place.as_deref_mut()?)))
    }

    /// Takes in a session that was opened, or one that comes back.
    pub(super) fn put(&mut self, key: SessionKey, session: Box<ScopeState<C>>) {
        self.0.insert(key, Some(session));
    }

    /// Gives a session away until it is [put](Self::put) back.
    pub(super) fn lend(&mut self, key: SessionKey) -> Option<Box<ScopeState<C>>> {
        self.0.get_mut(&key)?.take()
    }

    /// Gives a session away for good.
    pub(super) fn remove(&mut self, key: SessionKey) -> Option<Box<ScopeState<C>>> {
        self.0.remove(&key)?
    }
}
