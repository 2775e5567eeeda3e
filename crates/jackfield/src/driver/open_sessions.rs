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

    /// Takes in a session that was opened.
    pub(super) fn put(&mut self, key: SessionKey, session: Box<ScopeState<C>>) {
        self.0.insert(key, Some(session));
    }

    /// Lends those of the `concerned` that are `busy`, which is asked with what comes with each of them. They are in the
    /// order in which they were opened, and so are those that are lent.
    pub(super) fn lend<T: Copy>(
        &mut self,
        concerned: Vec<(T, SessionKey)>,
        mut busy: impl FnMut(T, &mut ScopeState<C>) -> bool,
    ) -> Vec<(T, SessionKey, Box<ScopeState<C>>)> {
        let (mut lent, mut concerned) = (Vec::new(), concerned.into_iter().peekable());
        for (key, place) in &mut self.0 {
            while concerned.next_if(|(_, other)| other < key).is_some() {}
            let Some((with, _)) = concerned.next_if(|(_, other)| other == key) else { continue };
            if let Some(session) = place.take_if(|session| busy(with, session)) {
                lent.push((with, *key, session));
            }
        }
        lent
    }

    /// Takes back those that were lent, in the order in which they were opened.
    pub(super) fn take_back(&mut self, lent: impl Iterator<Item = (SessionKey, Box<ScopeState<C>>)>) {
        let mut places = self.0.iter_mut();
        for (key, session) in lent {
            if let Some((_, place)) = places.find(|(other, _)| **other == key) {
                *place = Some(session);
            }
        }
    }

    /// Gives a session away for good.
    pub(super) fn remove(&mut self, key: SessionKey) -> Option<Box<ScopeState<C>>> {
        self.0.remove(&key)?
    }
}
