//! Taking a change back: the mirror of `scope_state`.

use std::{collections::BTreeSet, mem, ops::Deref, sync::Arc};

use smallvec::SmallVec;

use super::{
    attached::Attached,
    crew::Few,
    scope_state::{Change, ScopeState, log_only},
};
use crate::{
    config::{AnyConfig, ConfigCell},
    context::Context,
    error::HookError,
    foreign::Foreign,
    id::{PluginId, SlotId},
    plan::{Cause, Desired, Place},
    registry::View,
    report::{Failure, Hook},
};

/// What it takes to take the change back that is being made.
pub(super) struct Undo<C> {
    /// What readers saw before.
    pub(super) view: Option<Arc<View>>,
    /// Who went.
    pub(super) parked: Few<C>,
    /// Who stayed and had services disabled.
    pub(super) disabled_services: Vec<Place>,
    /// Who came, in order.
    pub(super) risen: SmallVec<[Place; 2]>,
    /// Services that were enabled, of those who stayed.
    pub(super) enabled_services: Vec<(Place, SlotId)>,
    /// What the handles of those who stayed showed.
    pub(super) configs: Vec<(Arc<dyn ConfigCell>, Foreign<AnyConfig>)>,
    /// Who was told.
    pub(super) told: Vec<Place>,
    /// What they were told of, if the change is taken back.
    pub(super) unreached: Option<Arc<Desired>>,
}

impl<C> Default for Undo<C> {
    fn default() -> Self {
        Self {
            view: None,
            parked: Few::new(),
            disabled_services: Vec::new(),
            risen: SmallVec::new(),
            enabled_services: Vec::new(),
            configs: Vec::new(),
            told: Vec::new(),
            unreached: None,
        }
    }
}

impl<C> Undo<C> {
    /// Whether nothing has been done that could be taken back.
    pub(super) fn is_empty(&self) -> bool {
        let Self { view, parked, disabled_services, risen, enabled_services, configs, told, unreached } =
            self;
        let services = disabled_services.is_empty() && enabled_services.is_empty();
        let plugins = parked.is_empty() && risen.is_empty() && told.is_empty();
        services && plugins && configs.is_empty() && view.is_none() && unreached.is_none()
    }
}

impl<C: Deref<Target = Context> + Send + Sync> ScopeState<C> {
    /// Takes back what came. What fails here is logged: the change fails anyway.
    pub(super) async fn undo_ups(&mut self) -> Vec<Failure> {
        for place in mem::take(&mut self.undo.risen).into_iter().rev() {
            let Some(attached) = self.attached.remove(place) else { continue };
            log_only(attached.detach(&self.surroundings).await);
            self.surroundings.forget(attached);
        }
        for (place, slot) in mem::take(&mut self.undo.enabled_services).into_iter().rev() {
            let Some(attached) = self.attached.get(place) else { continue };
            log_only(attached.detach_services(&self.surroundings, |other| *other == slot).await);
        }
        for (cell, config) in mem::take(&mut self.undo.configs).into_iter().rev() {
            self.surroundings.forget(cell.replace(AnyConfig::clone(&config)));
        }
        if let Some(view) = self.undo.view.take() {
            let replaced = self.scope.registry().publish(view);
            self.surroundings.forget(replaced);
        }
        self.end_what_began_since().await;
        self.undo.unreached = Some(mem::replace(&mut self.next, Arc::clone(&self.current)));
        Vec::new()
    }

    /// Detaches lazy services that the change enabled and somebody looked up, now that nobody sees them any more.
    async fn end_what_began_since(&self) {
        for attached in self.attached.with_living_services().rev() {
            attached.admit(&self.current);
            let stays = |slot: &SlotId| self.current.takes_part(attached.plugin(), slot);
            log_only(attached.detach_services(&self.surroundings, |slot| !stays(slot)).await);
        }
    }

    /// Brings back what went, as the same instances. Returns those who would not come.
    pub(super) async fn undo_downs(&mut self) -> Vec<Failure> {
        let mut lost = Lost { gone: mem::take(&mut self.missing), ..Lost::default() };
        for place in mem::take(&mut self.undo.disabled_services).into_iter().rev() {
            let Some(attached) = self.attached.get(place) else { continue };
            // Its plugin stays; that the service does not is told all the same.
            lost.failures.extend(attached.attach_services(&self.current));
        }
        while let Some(attached) = self.undo.parked.pop() {
            if let Some(dependency) = lost.missed_by(&attached) {
                lost.add(left_behind(&attached, &dependency), Cause::Needs { dependency });
                self.surroundings.forget(attached);
                continue;
            }
            let mut failed = attached.attach(&self.current, &self.surroundings).await;
            if failed.is_empty() {
                self.attached.insert(attached);
            } else {
                let failure = failed.swap_remove(0);
                log_only(failed); // the answer names one for each who is lost
                let cause = Cause::Failed { reason: failure.error.to_string() };
                lost.add(failure, cause);
                self.clean_up(attached).await;
            }
        }
        // In a cycle, somebody may be back already who needs one that is not.
        let misses = |lost: &Lost, attached: &Attached<C>| Some((attached.place, lost.missed_by(attached)?));
        loop {
            let found = self.attached.iter().find_map(|attached| misses(&lost, attached));
            let Some((place, dependency)) = found else { break };
            let Some(attached) = self.attached.remove(place) else { break };
            lost.add(left_behind(&attached, &dependency), Cause::Needs { dependency });
            self.clean_up(attached).await;
        }
        if !lost.causes.is_empty() {
            self.do_without(&lost);
        }
        lost.failures
    }

    /// Tells those who were told of the change that it has been taken back, now that everything is as it was.
    pub(super) async fn undo_notify(&mut self) -> Vec<Failure> {
        let told = mem::take(&mut self.undo.told);
        let Some(unreached) = self.undo.unreached.take() else { return Vec::new() };
        let back = Change::new(&unreached, &self.current);
        for place in told.into_iter().rev() {
            let Some(attached) = self.attached.get(place) else { continue };
            let told = attached.tell(&back.seen_by(attached), &self.surroundings).await;
            log_only(told.err().into_iter().collect());
        }
        Vec::new()
    }

    /// What runs from now on, without those who did not come back.
    fn do_without(&mut self, lost: &Lost) {
        let current = Arc::make_mut(&mut self.current);
        for (plugin, cause) in &lost.causes {
            current.lose(plugin, cause.clone());
        }
        self.next = Arc::clone(&self.current);
        let view = self.view_of(&self.current, &[], |_| true);
        let replaced = self.scope.registry().publish(Arc::new(view));
        self.surroundings.forget(replaced);
    }
}

fn left_behind<C: Deref<Target = Context> + Send + Sync>(
    attached: &Attached<C>,
    dependency: &PluginId,
) -> Failure {
    let reason = format!("it needs `{dependency}`, which did not come back");
    attached.failure(None, Hook::Attach, HookError::failed(reason.into()))
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
        let manifest = attached.manifest();
        let missed = manifest.dependencies().iter().find(|id| self.gone.contains(*id));
        missed.filter(|_| !manifest.is_locked()).cloned()
    }
}
