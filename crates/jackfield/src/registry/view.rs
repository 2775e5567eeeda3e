use std::{any::type_name, sync::Arc};

use smallvec::SmallVec;

use super::{Registration, ResolveError, Resolver, erased::Erased, slots::Slots};
use crate::{
    id::{PluginId, SlotId},
    priority::Priority,
    slot::Wanted,
};

/// All candidates of a scope at one moment. Never changed; a change publishes another.
#[derive(Default)]
pub(crate) struct View {
    slots: Slots<SlotView>,
}

/// The candidates for one slot, highest authority first. Mostly there is one.
#[derive(Clone)]
pub(crate) struct SlotView(SmallVec<[Candidate; 1]>);

/// A registration, and what settings make of it.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) registration: Arc<Registration>,
    pub(crate) priority: Priority,
    pub(crate) enabled: bool,
}

impl SlotView {
    #[inline]
    pub(crate) fn candidates(&self) -> &[Candidate] {
        &self.0
    }

    #[inline]
    pub(crate) fn winner(&self) -> Option<&Candidate> {
        self.candidates().iter().find(|candidate| candidate.enabled)
    }
}

impl FromIterator<Candidate> for SlotView {
    fn from_iter<I: IntoIterator<Item = Candidate>>(candidates: I) -> Self {
        Self(candidates.into_iter().collect())
    }
}

impl View {
    /// A view of slots that are all different.
    pub(crate) fn new(slots: impl IntoIterator<Item = (SlotId, SlotView)>) -> Self {
        Self { slots: slots.into_iter().collect() }
    }

    #[inline]
    pub(crate) fn slot(&self, slot: impl Wanted) -> Option<&SlotView> {
        self.slots.get(slot.key())
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &SlotId> {
        self.slots.iter()
    }

    #[inline]
    pub(super) fn resolve<T: ?Sized + Send + Sync + 'static>(
        &self,
        slot: impl Wanted,
    ) -> Result<Arc<T>, ResolveError> {
        self.provide(&self.winner(slot)?.registration)
    }

    #[inline]
    pub(super) fn winner(&self, slot: impl Wanted) -> Result<&Candidate, ResolveError> {
        let found = self.slot(slot).ok_or_else(|| ResolveError::NotRegistered { slot: slot.to_id() })?;
        found.winner().ok_or_else(|| disabled(slot.to_id(), found.candidates()))
    }

    pub(super) fn resolve_after<T: ?Sized + Send + Sync + 'static>(
        &self,
        plugin: &PluginId,
        slot: impl Wanted,
    ) -> Result<Arc<T>, ResolveError> {
        let found = self.slot(slot).ok_or_else(|| ResolveError::NotRegistered { slot: slot.to_id() })?;
        let nobody = || ResolveError::NobodyAfter { slot: slot.to_id(), plugin: plugin.clone() };
        let place = found.candidates().iter().position(|candidate| candidate.registration.plugin == *plugin);
        let later = &found.candidates()[place.ok_or_else(nobody)? + 1..];
        match later.iter().find(|candidate| candidate.enabled) {
            Some(next) => self.provide(&next.registration),
            None if later.is_empty() => Err(nobody()),
            None => Err(disabled(slot.to_id(), later)),
        }
    }

    #[inline]
    fn provide<T: ?Sized + Send + Sync + 'static>(
        &self,
        winner: &Registration,
    ) -> Result<Arc<T>, ResolveError> {
        match winner.built().and_then(Erased::get) {
            Some(service) => Ok(service),
            None => self.build(winner),
        }
    }

    /// For what does not stand yet, is made anew each time, or is of another type.
    #[cold]
    fn build<T: ?Sized + Send + Sync + 'static>(
        &self,
        winner: &Registration,
    ) -> Result<Arc<T>, ResolveError> {
        let not_built = |reason| ResolveError::NotBuilt {
            slot: winner.slot().clone(),
            plugin: winner.plugin.clone(),
            reason,
        };
        let service = winner.provide(&Resolver { view: self }).map_err(not_built)?;
        service.ok_or_else(|| ResolveError::WrongType {
            slot: winner.slot().clone(),
            expected: type_name::<T>(),
            found: winner.terms.type_name,
        })
    }
}

/// That settings have disabled all of these.
#[cold]
fn disabled(slot: SlotId, candidates: &[Candidate]) -> ResolveError {
    let plugins = candidates.iter().map(|candidate| candidate.registration.plugin.clone()).collect();
    ResolveError::Disabled { slot, plugins }
}
