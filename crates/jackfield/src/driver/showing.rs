//! What one scope shows to readers: views, built and published.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use super::{attached::Attached, hook::contained, journal, scope_state::ScopeState};
use crate::{
    context::Context,
    error::HookError,
    id::{PluginId, SlotId},
    plan::{Desired, ScopePlan},
    registry::{Candidate, Registration, Resolver, SlotView, View},
    report::{Failure, Hook},
};

impl<C: Deref<Target = Context> + Send + Sync> ScopeState<C> {
    /// Builds what must stand before anybody attaches, and shows it to readers.
    pub(super) fn show(&mut self, plan: &ScopePlan, rising: &[Attached<C>]) -> Vec<Failure> {
        // Where nobody comes or goes and no candidate changes, there is nothing to build and nothing new to see.
        if rising.is_empty() && plan.downs.is_empty() && self.has_the_same_slots() {
            return Vec::new();
        }
        let view = Arc::new(self.view_of(&self.next, rising, |_| true));
        let failures = self.build(&view);
        if failures.is_empty() {
            self.publish(view);
        } else {
            self.surroundings.forget(view);
        }
        failures
    }

    fn has_the_same_slots(&self) -> bool {
        Arc::ptr_eq(&self.next, &self.current) || self.next.slots == self.current.slots
    }

    fn build(&self, view: &View) -> Vec<Failure> {
        let resolver = Resolver { view };
        let failures = view.candidates().filter(|candidate| candidate.enabled).filter_map(|candidate| {
            let registration = &candidate.registration;
            let (plugin, slot) = (&registration.plugin, Some(&registration.slot));
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
        rising: &[Attached<C>],
        stay: impl Fn(&PluginId) -> bool,
    ) -> View {
        let there = self.attached.iter().chain(rising).filter(|attached| !attached.registrations.is_empty());
        let staying: Vec<&Attached<C>> = there.filter(|attached| stay(attached.plugin())).collect();
        let count = staying.iter().map(|attached| attached.registrations.len()).sum();
        if count == 0 {
            return View::default();
        }
        let mut registrations: HashMap<(&SlotId, &PluginId), &Arc<Registration>> =
            HashMap::with_capacity(count);
        for registration in staying.into_iter().flat_map(|attached| &attached.registrations) {
            registrations.insert((&registration.slot, &registration.plugin), registration);
        }
        let mut slots = Vec::with_capacity(desired.slots.size().min(count));
        for (slot, planned) in &desired.slots {
            let candidates = planned.iter().filter_map(|candidate| {
                let registration = registrations.get(&(slot, &candidate.plugin))?;
                let (priority, enabled) = (candidate.priority, candidate.enabled);
                Some(Candidate { registration: Arc::clone(registration), priority, enabled })
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
