use std::{any::type_name, sync::Arc};

use super::{Registration, ResolveError, Resolver, slots::Slots};
use crate::{
    id::{PluginId, SlotId},
    priority::Priority,
    slot::Hashed,
};

/// All candidates of a scope at one moment. Never changed; a change publishes another.
#[derive(Default)]
pub(crate) struct View {
    slots: Slots<SlotView>,
}

/// The candidates for one slot, highest authority first.
#[derive(Clone, Default)]
pub(crate) struct SlotView {
    pub(crate) candidates: Vec<Candidate>,
}

/// A registration, and what settings make of it.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) registration: Arc<Registration>,
    pub(crate) priority: Priority,
    pub(crate) enabled: bool,
}

impl SlotView {
    pub(crate) fn winner(&self) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.enabled)
    }
}

impl View {
    /// A view of slots that are all different.
    pub(crate) fn new(slots: impl IntoIterator<Item = (SlotId, SlotView)>) -> Self {
        Self { slots: slots.into_iter().collect() }
    }

    pub(crate) fn slot<'a>(&self, slot: impl Into<Hashed<'a>>) -> Option<&SlotView> {
        self.slots.get(slot.into())
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &SlotId> {
        self.slots.iter()
    }

    pub(super) fn resolve<'a, T: ?Sized + Send + Sync + 'static>(
        &self,
        slot: impl Into<Hashed<'a>>,
    ) -> Result<Arc<T>, ResolveError> {
        self.provide(&self.winner(slot)?.registration)
    }

    pub(super) fn winner<'a>(&self, slot: impl Into<Hashed<'a>>) -> Result<&Candidate, ResolveError> {
        let slot = slot.into();
        let entry = self.slot(slot).ok_or_else(|| ResolveError::NotRegistered { slot: slot.id.clone() })?;
        entry.winner().ok_or_else(|| disabled(slot.id, &entry.candidates))
    }

    pub(super) fn resolve_after<T: ?Sized + Send + Sync + 'static>(
        &self,
        plugin: &PluginId,
        slot: &SlotId,
    ) -> Result<Arc<T>, ResolveError> {
        let entry = self.slot(slot).ok_or_else(|| ResolveError::NotRegistered { slot: slot.clone() })?;
        let nobody = || ResolveError::NobodyAfter { slot: slot.clone(), plugin: plugin.clone() };
        let place = entry.candidates.iter().position(|candidate| candidate.registration.plugin == *plugin);
        let later = &entry.candidates[place.ok_or_else(nobody)? + 1..];
        match later.iter().find(|candidate| candidate.enabled) {
            Some(next) => self.provide(&next.registration),
            None if later.is_empty() => Err(nobody()),
            None => Err(disabled(slot, later)),
        }
    }

    fn provide<T: ?Sized + Send + Sync + 'static>(
        &self,
        winner: &Registration,
    ) -> Result<Arc<T>, ResolveError> {
        let not_built = |reason| ResolveError::NotBuilt {
            slot: winner.slot.clone(),
            plugin: winner.plugin.clone(),
            reason,
        };
        let service = match winner.built() {
            Some(built) => built.get(),
            None => winner.provide(&Resolver { view: self }).map_err(not_built)?.get(),
        };
        service.ok_or_else(|| ResolveError::WrongType {
            slot: winner.slot.clone(),
            expected: type_name::<T>(),
            found: winner.type_name,
        })
    }
}

/// That settings have disabled all of these.
fn disabled(slot: &SlotId, candidates: &[Candidate]) -> ResolveError {
    let plugins = candidates.iter().map(|candidate| candidate.registration.plugin.clone()).collect();
    ResolveError::Disabled { slot: slot.clone(), plugins }
}
