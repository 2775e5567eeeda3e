//! What one scope shows to readers: views, built and published.

use std::{collections::BTreeSet, ops::Deref, sync::Arc};

use super::{attached::Attached, hook::contained, journal, scope_state::ScopeState};
use crate::{
    context::Context,
    error::HookError,
    id::SlotId,
    plan::{CandidatePlan, Desired, Place, ScopePlan},
    registry::{Candidate, Resolver, SlotView, View},
    report::{Failure, Hook},
};

impl<C: Deref<Target = Context> + Send + Sync> ScopeState<C> {
    /// Shows readers the scope without those who go.
    pub(super) fn hide(&mut self, plan: &ScopePlan) {
        if plan.downs.is_empty() || plan.slots.is_empty() {
            return; // those who go have offered nothing
        }
        let view = if plan.downs.len() == self.attached.len() {
            View::default()
        } else {
            let going: BTreeSet<Place> = plan.downs.iter().map(|step| step.place).collect();
            self.view_of(&self.current, &[], |place| !going.contains(&place))
        };
        self.publish(Arc::new(view));
    }

    /// Builds what must stand before anybody attaches, and shows it to readers.
    pub(super) fn show(&mut self, plan: &ScopePlan, rising: &[Box<Attached<C>>]) -> Vec<Failure> {
        if self.shows_all_of(plan) {
            return Vec::new();
        }
        let view = Arc::new(self.view_of(&self.next, rising, |_| true));
        let failures = self.build(&view, &plan.slots);
        if failures.is_empty() {
            self.publish(view);
        } else {
            self.surroundings.forget(view);
        }
        failures
    }

    /// Whether readers see already what they shall see after `plan`, those who go being gone.
    pub(super) fn shows_all_of(&self, plan: &ScopePlan) -> bool {
        let stays = |candidate: &&CandidatePlan| self.attached.get(candidate.place).is_some();
        plan.slots.iter().all(|slot| {
            let (was, will) = (self.current.candidates(slot), self.next.candidates(slot));
            was.iter().filter(stays).eq(will)
        })
    }

    fn build(&self, view: &View, slots: &[SlotId]) -> Vec<Failure> {
        let resolver = Resolver { view };
        let candidates = slots.iter().filter_map(|slot| view.slot(slot)).flat_map(SlotView::candidates);
        let waiting =
            candidates.filter(|candidate| candidate.enabled && candidate.registration.must_be_built());
        let failures = waiting.filter_map(|candidate| {
            let registration = &candidate.registration;
            let (plugin, slot) = (&registration.plugin, Some(registration.slot()));
            let _span = journal::hook(Hook::Build, plugin, slot, self.scope.name()).entered();
            let error = match contained(self.surroundings.runtime, || registration.prepare(&resolver)) {
                Ok(prepared) => HookError::failed(String::from(&*prepared.err()?).into()),
                Err(error) => error,
            };
            Some(self.failure(plugin, slot, Hook::Build, error))
        });
        failures.collect()
    }

    /// The view of those who are attached or `rising`, as far as they `stay`, in the order that `desired` gives.
    pub(super) fn view_of(
        &self,
        desired: &Desired,
        rising: &[Box<Attached<C>>],
        stay: impl Fn(Place) -> bool,
    ) -> View {
        let registration = |slot: &SlotId, place: Place| {
            let attached = self.attached.get(place).or_else(|| among(rising, place));
            attached.filter(|_| stay(place))?.registration(slot)
        };
        let mut slots = Vec::with_capacity(desired.slots.size());
        for (slot, planned) in &desired.slots {
            let candidates = planned.iter().filter_map(|candidate| {
                let registration = Arc::clone(registration(slot, candidate.place)?);
                Some(Candidate { registration, priority: candidate.priority, enabled: candidate.enabled })
            });
            let found: SlotView = candidates.collect();
            if !found.candidates().is_empty() {
                slots.push((slot.clone(), found));
            }
        }
        View::new(slots)
    }

    /// Shows `view` to readers; the first one that is replaced in a change is kept, to be shown again if need be.
    pub(super) fn publish(&mut self, view: Arc<View>) {
        let replaced = self.scope.registry().publish(view);
        match &self.undo.view {
            None => self.undo.view = Some(replaced),
            Some(_) => self.surroundings.forget(replaced),
        }
    }
}

/// Who of these, who are in order, has this place.
fn among<C>(rising: &[Box<Attached<C>>], place: Place) -> Option<&Attached<C>> {
    let at = rising.binary_search_by_key(&place, |attached| attached.place).ok()?;
    Some(&rising[at])
}
