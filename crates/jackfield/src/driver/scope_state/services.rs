//! What the plugins of a scope offer: registrations, their configurations, and the view that readers see.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use super::{Attached, Listed, ScopeState};
use crate::{
    context::Context,
    driver::hook::contained,
    error::HookError,
    foreign::Foreign,
    id::{PluginId, SlotId},
    plan::{ConfigOwner, Declaration, Desired},
    registry::{Candidate, Offer, Registrar, Registration, Resolver, SlotView, View},
    report::{Failure, Hook},
};

impl<C: Deref<Target = Context> + Send + Sync> ScopeState<C> {
    /// Has a plugin declare what it offers in this scope.
    pub(super) fn register(&self, listed: &Listed<C>, next: &Desired) -> Result<Attached<C>, HookError> {
        let runtime = self.surroundings.runtime;
        contained(runtime, || self.register_uncontained(listed, next))?
    }

    fn register_uncontained(&self, listed: &Listed<C>, next: &Desired) -> Result<Attached<C>, HookError> {
        let mut offers: Vec<Offer> = Vec::new();
        listed.hooks.register(&mut Registrar::new(&mut offers));
        let declaration = &listed.declaration;
        as_declared(&offers, declaration)?;
        let plugin = declaration.manifest.id();
        let registrations = offers.into_iter().map(|offer| {
            let owner = ConfigOwner::Service(plugin.clone(), offer.slot.clone());
            let config = next.config(&owner).cloned();
            Arc::new(Registration::new(plugin.clone(), offer, config))
        });
        let registrations = registrations.collect();
        let spec = declaration.manifest.config_spec();
        let config = spec.zip(next.config(&ConfigOwner::Plugin(plugin.clone())).cloned());
        let cell = config.map(|(spec, config)| spec.cell(config));
        let context = Context::new(self.scope.clone(), plugin.clone(), cell, self.surroundings.edits.clone());
        Ok(Attached {
            declaration: Arc::clone(declaration),
            hooks: Arc::clone(&listed.hooks),
            context: (self.make_context)(context),
            registrations,
        })
    }

    /// Hands the new configurations to the handles of those who stay.
    pub(super) fn store_configs(&mut self, next: &Desired) {
        for (owner, config) in &next.configs {
            // Most have not changed, and are the same object.
            if self.current.config(owner).is_some_and(|current| Arc::ptr_eq(current, &config.typed)) {
                continue;
            }
            let Some(attached) = self.attached.iter().find(|attached| attached.plugin() == owner.plugin())
            else {
                continue;
            };
            let cell = match owner {
                ConfigOwner::Plugin(_) => attached.context.config_cell(),
                ConfigOwner::Service(_, slot) => {
                    let registration =
                        attached.registrations.iter().find(|registration| registration.slot == *slot);
                    registration.and_then(|registration| registration.config.as_ref())
                }
            };
            let Some(cell) = cell else { continue };
            if !Arc::ptr_eq(&cell.load(), &config.typed) {
                let before = cell.replace(Arc::clone(&config.typed));
                self.undo.configs.push((Arc::clone(cell), Foreign::new(before)));
            }
        }
    }

    /// Builds what must stand before anybody attaches.
    pub(super) fn build(&self, view: &View) -> Vec<Failure> {
        let resolver = Resolver { view };
        let candidates = view.slots().filter_map(|slot| view.slot(slot)).flat_map(|slot| &slot.candidates);
        let failures = candidates.filter(|candidate| candidate.enabled).filter_map(|candidate| {
            let registration = &candidate.registration;
            let prepared = contained(self.surroundings.runtime, || registration.prepare(&resolver));
            let reason = match prepared {
                Ok(prepared) => prepared.err()?.to_string(),
                Err(error) => error.to_string(),
            };
            let what = format!("`{}`: {reason}", registration.slot);
            Some(self.failure(&registration.plugin, Hook::Build, HookError::failed(what.into())))
        });
        failures.collect()
    }

    /// The view of those who are attached or `rising`, as far as they `stay`, in the order that `desired` gives.
    pub(super) fn view_of(
        &self,
        desired: &Desired,
        rising: &[Attached<C>],
        stay: &dyn Fn(&PluginId) -> bool,
    ) -> View {
        let mut registrations: HashMap<(&SlotId, &PluginId), &Arc<Registration>> = HashMap::new();
        for attached in self.attached.iter().chain(rising).filter(|attached| stay(attached.plugin())) {
            for registration in &attached.registrations {
                registrations.insert((&registration.slot, &registration.plugin), registration);
            }
        }
        let slots = desired.slots.iter().filter_map(|(slot, candidates)| {
            let candidates: Vec<Candidate> = candidates
                .iter()
                .filter_map(|candidate| {
                    let registration = registrations.get(&(slot, &candidate.plugin))?;
                    let (priority, enabled) = (candidate.priority, candidate.enabled);
                    Some(Candidate { registration: Arc::clone(registration), priority, enabled })
                })
                .collect();
            (!candidates.is_empty()).then(|| (slot.clone(), SlotView { candidates }))
        });
        View::new(slots.collect())
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

/// Plans are made for what a plugin declared when it was added, so it must declare the same again.
fn as_declared(offers: &[Offer], declaration: &Declaration) -> Result<(), HookError> {
    let declared = &declaration.offers;
    let (mut new, mut old) = (offers.iter(), declared.iter());
    let unlike = new.find(|offer| !declared.iter().any(|known| known.is_same_as(offer)));
    let missing = old.find(|known| !offers.iter().any(|offer| offer.slot == known.slot));
    match (unlike, missing) {
        (Some(Offer { slot, .. }), _) => {
            Err(HookError::failed(format!("it offers `{slot}`, which it did not when added").into()))
        }
        (None, Some(Offer { slot, .. })) => {
            Err(HookError::failed(format!("it does not offer `{slot}`, which it did when added").into()))
        }
        (None, None) => Ok(()),
    }
}
