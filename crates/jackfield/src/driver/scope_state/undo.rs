//! Taking back what was done in a scope. What fails on the way is logged: the change fails anyway.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::Deref,
    sync::Arc,
};

use super::{Attached, ScopeState, log};
use crate::{
    config::{AnyConfig, ConfigCell},
    context::{Context, SettingsChange},
    error::HookError,
    foreign::Foreign,
    id::PluginId,
    plan::Cause,
    registry::View,
    report::{Failure, Hook},
};

/// What it takes to take the change back that is being made.
pub(super) struct Undo<C> {
    pub(super) view: Option<Arc<View>>,
    pub(super) parked: Vec<(usize, Attached<C>)>,
    pub(super) risen: Vec<PluginId>,
    pub(super) configs: Vec<(Arc<dyn ConfigCell>, Foreign<AnyConfig>)>,
    pub(super) told: Vec<(PluginId, SettingsChange)>,
}

impl<C> Default for Undo<C> {
    fn default() -> Self {
        Self { view: None, parked: Vec::new(), risen: Vec::new(), configs: Vec::new(), told: Vec::new() }
    }
}

impl<C: Deref<Target = Context> + Send + Sync> ScopeState<C> {
    /// Takes back what `ups` did.
    pub(super) async fn undo_ups(&mut self) -> Vec<Failure> {
        for plugin in mem::take(&mut self.undo.risen).into_iter().rev() {
            if let Some(attached) = self.take(&plugin) {
                self.detach(&attached).await.iter().for_each(log);
                self.surroundings.forget(attached);
            }
        }
        for (cell, config) in mem::take(&mut self.undo.configs).into_iter().rev() {
            self.surroundings.forget(cell.replace(AnyConfig::clone(&config)));
        }
        if let Some(view) = self.undo.view.take() {
            let replaced = self.scope.registry().publish(view);
            self.surroundings.forget(replaced);
        }
        Vec::new()
    }

    /// Brings back what `downs` parked, as the same instances, unless it needs a plugin in `gone`. Returns those who
    /// would not come.
    pub(super) async fn undo_downs(&mut self, gone: &BTreeSet<PluginId>) -> Vec<Failure> {
        let mut lost = Lost { gone: gone.clone(), ..Lost::default() };
        while let Some((place, attached)) = self.undo.parked.pop() {
            if let Some(dependency) = lost.missed_by(&attached) {
                lost.add(self.left_behind(&attached, &dependency), Cause::Needs { dependency });
                self.surroundings.forget(attached);
                continue;
            }
            match self.attach(&attached).await {
                Ok(()) => self.attached.insert(place.min(self.attached.len()), attached),
                Err(error) => {
                    let cause = Cause::Failed { reason: error.to_string() };
                    lost.add(self.failure(attached.plugin(), Hook::Attach, error), cause);
                    self.clean_up(attached).await;
                }
            }
        }
        // In a cycle, somebody may be back already who needs one that is not.
        while let Some((place, dependency)) = (self.attached.iter().enumerate())
            .find_map(|(place, attached)| lost.missed_by(attached).map(|dependency| (place, dependency)))
        {
            let attached = self.attached.remove(place);
            lost.add(self.left_behind(&attached, &dependency), Cause::Needs { dependency });
            self.clean_up(attached).await;
        }
        if !lost.failures.is_empty() {
            self.do_without(&lost);
        }
        lost.failures
    }

    /// Tells those who were told of the change that it has been taken back, now that everything is as it was.
    pub(super) async fn undo_notify(&mut self) -> Vec<Failure> {
        for (plugin, change) in mem::take(&mut self.undo.told).into_iter().rev() {
            let Some(attached) = self.attached.iter().find(|attached| *attached.plugin() == plugin) else {
                continue;
            };
            if let Err(error) = self.tell(attached, &change.reversed()).await {
                log(&self.failure(&plugin, Hook::SettingsChanged, error));
            }
        }
        Vec::new()
    }

    fn do_without(&mut self, lost: &Lost) {
        let current = Arc::make_mut(&mut self.current);
        for (plugin, cause) in &lost.causes {
            current.lose(plugin, cause.clone());
        }
        // Places were those of a list in which nobody was missing.
        let ranks: BTreeMap<&PluginId, usize> =
            self.current.order.iter().enumerate().map(|(rank, plugin)| (plugin, rank)).collect();
        self.attached.sort_by_key(|attached| ranks.get(attached.plugin()).copied());
        let view = self.view_of(&self.current, &[], &|_| true);
        let replaced = self.scope.registry().publish(Arc::new(view));
        self.surroundings.forget(replaced);
    }

    fn left_behind(&self, attached: &Attached<C>, dependency: &PluginId) -> Failure {
        let reason = format!("it needs `{dependency}`, which did not come back");
        self.failure(attached.plugin(), Hook::Attach, HookError::failed(reason.into()))
    }
}

/// Who did not come back in an undo, and why.
#[derive(Default)]
struct Lost {
    /// All of them, also those of the scope this one depends on.
    gone: BTreeSet<PluginId>,
    causes: Vec<(PluginId, Cause)>,
    failures: Vec<Failure>,
}

impl Lost {
    fn add(&mut self, failure: Failure, cause: Cause) {
        self.gone.insert(failure.plugin.clone());
        self.causes.push((failure.plugin.clone(), cause));
        self.failures.push(failure);
    }

    /// What `attached` cannot do without and is gone. A locked plugin can do without anything.
    fn missed_by<C>(&self, attached: &Attached<C>) -> Option<PluginId> {
        let manifest = &attached.declaration.manifest;
        let missed = manifest.dependencies().iter().find(|id| self.gone.contains(*id));
        missed.filter(|_| !manifest.is_locked()).cloned()
    }
}
