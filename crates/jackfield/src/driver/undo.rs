//! Taking a change back: the mirror of `scope_state`.

use std::{mem, ops::Deref, sync::Arc};

use super::{
    attached::Attached,
    scope_state::{ScopeState, log},
};
use crate::{
    config::{AnyConfig, ConfigCell},
    context::{Context, SettingsChange},
    error::HookError,
    id::{PluginId, SlotId},
    plan::Cause,
    registry::View,
    report::{Failure, Hook},
};

/// What it takes to take the change back that is being made.
pub(super) struct Undo<C> {
    /// What readers saw before.
    pub(super) view: Option<Arc<View>>,
    /// Who went, and the place each had.
    pub(super) parked: Vec<(usize, Attached<C>)>,
    /// Who stayed and had services disabled.
    pub(super) disabled_services: Vec<PluginId>,
    /// Who came.
    pub(super) risen: Vec<PluginId>,
    /// Services that were enabled, of those who stayed.
    pub(super) enabled_services: Vec<(PluginId, SlotId)>,
    /// What the handles of those who stayed showed.
    pub(super) configs: Vec<(Arc<dyn ConfigCell>, AnyConfig)>,
    /// Who was told, and of what.
    pub(super) told: Vec<(PluginId, SettingsChange)>,
}

impl<C> Default for Undo<C> {
    fn default() -> Self {
        Self {
            view: None,
            parked: Vec::new(),
            disabled_services: Vec::new(),
            risen: Vec::new(),
            enabled_services: Vec::new(),
            configs: Vec::new(),
            told: Vec::new(),
        }
    }
}

impl<C: Deref<Target = Context> + Send + Sync> ScopeState<C> {
    /// Takes back what came. What fails here is logged: the change fails anyway.
    pub(super) async fn undo_ups(&mut self) -> Vec<Failure> {
        for plugin in mem::take(&mut self.undo.risen).into_iter().rev() {
            let Some(place) = self.place_of(&plugin) else { continue };
            let attached = self.attached.remove(place);
            attached.detach(&self.surroundings).await.iter().for_each(log);
            self.forget(attached);
        }
        for (plugin, slot) in mem::take(&mut self.undo.enabled_services).into_iter().rev() {
            let Some(place) = self.place_of(&plugin) else { continue };
            let detached =
                self.attached[place].detach_services(&self.surroundings, |other| *other == slot).await;
            detached.iter().for_each(log);
        }
        for (cell, config) in mem::take(&mut self.undo.configs).into_iter().rev() {
            cell.store(config);
        }
        if let Some(view) = self.undo.view.take() {
            let replaced = self.scope.registry().publish(view);
            self.forget(replaced);
        }
        self.next = Arc::clone(&self.current);
        Vec::new()
    }

    /// Brings back what went, as the same instances. Returns those who would not come.
    pub(super) async fn undo_downs(&mut self) -> Vec<Failure> {
        for plugin in mem::take(&mut self.undo.disabled_services).into_iter().rev() {
            let Some(place) = self.place_of(&plugin) else { continue };
            self.attached[place].attach_services(&self.current).iter().for_each(log);
        }
        let mut lost: Vec<Failure> = Vec::new();
        while let Some((place, attached)) = self.undo.parked.pop() {
            let plugin = attached.plugin().clone();
            let needs = attached.declaration.manifest.dependencies().iter();
            let gone = |id: &&PluginId| {
                self.missing.contains(*id) || lost.iter().any(|failure| failure.plugin == **id)
            };
            let missing = needs.clone().find(gone);
            let failed = match missing {
                Some(dependency) => {
                    let error = HookError::failed(format!("it needs `{dependency}`").into());
                    vec![attached.failure(None, Hook::Attach, error)]
                }
                None => attached.attach(&self.current, &self.surroundings).await,
            };
            if failed.is_empty() {
                self.attached.insert(place.min(self.attached.len()), attached);
                continue;
            }
            if missing.is_none() {
                attached.detach(&self.surroundings).await.iter().for_each(log);
            }
            lost.extend(failed.into_iter().take(1));
            tracing::warn!(target: "jackfield::plugin", %plugin, scope = %self.scope.name(), "A plugin did not come back.");
            self.forget(attached);
        }
        if !lost.is_empty() {
            self.do_without(&lost);
        }
        self.missing.clear();
        lost
    }

    /// Tells those who were told of the change that it has been taken back, now that everything is as it was.
    pub(super) async fn undo_notify(&mut self) -> Vec<Failure> {
        for (plugin, change) in mem::take(&mut self.undo.told).into_iter().rev() {
            let Some(place) = self.place_of(&plugin) else { continue };
            let told = self.attached[place].tell(&change.reversed(), &self.surroundings).await;
            told.err().iter().for_each(log);
        }
        Vec::new()
    }

    /// What runs from now on, without those who did not come back.
    fn do_without(&mut self, lost: &[Failure]) {
        let current = Arc::make_mut(&mut self.current);
        for failure in lost {
            current.lose(&failure.plugin, Cause::Failed { reason: failure.error.to_string() });
        }
        self.next = Arc::clone(&self.current);
        let view = self.view_of(&self.current, &[], |_| true);
        let replaced = self.scope.registry().publish(Arc::new(view));
        self.forget(replaced);
    }
}
