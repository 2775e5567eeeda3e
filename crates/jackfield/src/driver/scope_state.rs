//! What runs in one scope, and how it is changed. One implementation for both kinds: `C` is the kind's context.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    mem,
    ops::Deref,
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc;

use super::hook::{call, contained};
use crate::{
    config::{AnyConfig, ConfigCell},
    context::{Context, Edit, SettingsChange},
    error::HookError,
    id::{PluginId, SlotId},
    plan::{Cause, ConfigOwner, Declaration, Desired, Plan, ScopePlan},
    plugin::Hooks,
    registry::{Candidate, Offer, Registrar, Registration, Resolver, SlotView, View},
    report::{Failure, Hook},
    scope::Scope,
    settings::RuntimeSettings,
};

/// The plugins of one kind of scope.
pub(super) type Catalogue<C> = Arc<HashMap<PluginId, Listed<C>>>;

/// A plugin, and what is known of it.
pub(super) struct Listed<C> {
    pub(super) declaration: Arc<Declaration>,
    pub(super) hooks: Arc<dyn Hooks<C>>,
}

/// What all scopes of a runtime share.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) runtime: usize,
    pub(super) deadline: Duration,
    pub(super) edits: mpsc::UnboundedSender<Edit>,
}

/// One part of a change, as far as it concerns one scope.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Downs,
    Ups,
    Notify,
    UndoUps,
    UndoDowns,
    UndoNotify,
}

pub(super) struct ScopeState<C> {
    pub(super) scope: Scope,
    pub(super) current: Arc<Desired>,
    surroundings: Surroundings,
    make_context: Arc<dyn Fn(Context) -> C + Send + Sync>,
    attached: Vec<Attached<C>>,
    undo: Undo<C>,
}

/// A plugin at work in a scope: this is the instance that an undo brings back.
struct Attached<C> {
    declaration: Arc<Declaration>,
    hooks: Arc<dyn Hooks<C>>,
    context: C,
    registrations: Vec<Arc<Registration>>,
}

impl<C> Attached<C> {
    fn plugin(&self) -> &PluginId {
        self.declaration.manifest.id()
    }
}

/// What it takes to take the change back that is being made.
struct Undo<C> {
    view: Option<Arc<View>>,
    parked: Vec<(usize, Attached<C>)>,
    risen: Vec<PluginId>,
    configs: Vec<(Arc<dyn ConfigCell>, AnyConfig)>,
    told: Vec<(PluginId, SettingsChange)>,
}

impl<C> Default for Undo<C> {
    fn default() -> Self {
        Self { view: None, parked: Vec::new(), risen: Vec::new(), configs: Vec::new(), told: Vec::new() }
    }
}

impl<C: Deref<Target = Context> + Send + Sync> ScopeState<C> {
    pub(super) fn new(
        scope: Scope,
        surroundings: Surroundings,
        make_context: Arc<dyn Fn(Context) -> C + Send + Sync>,
    ) -> Self {
        let current = Arc::default();
        Self { scope, current, surroundings, make_context, attached: Vec::new(), undo: Undo::default() }
    }

    /// Carries out one phase of `plan`. Goes on after a failure as far as that makes sense, and returns them all.
    pub(super) async fn run(
        &mut self,
        phase: Phase,
        plan: &Plan,
        old: &Arc<RuntimeSettings>,
        catalogue: &Catalogue<C>,
    ) -> Vec<Failure> {
        let Some(mine) = plan.scope(self.scope.name()) else { return Vec::new() };
        match phase {
            Phase::Downs => self.downs(mine).await,
            Phase::Ups => self.ups(mine, catalogue).await,
            Phase::Notify => self.notify(mine, old, &plan.settings).await,
            Phase::UndoUps => self.undo_ups().await,
            Phase::UndoDowns => self.undo_downs().await,
            Phase::UndoNotify => self.undo_notify().await,
        }
    }

    /// Makes what was done final: what was parked is gone for good.
    pub(super) fn commit(&mut self, plan: &Plan) {
        if let Some(mine) = plan.scope(self.scope.name()) {
            self.current = Arc::clone(&mine.next);
        }
        let undo = mem::take(&mut self.undo);
        self.forget(undo);
    }

    /// Leaves an empty registry and a closed bus to those who still hold a handle.
    pub(super) fn close(&mut self) {
        self.scope.bus().close();
        let view = self.scope.registry().publish(Arc::default());
        let attached = mem::take(&mut self.attached);
        self.forget((view, attached));
    }

    async fn downs(&mut self, plan: &ScopePlan) -> Vec<Failure> {
        if plan.downs.is_empty() {
            return Vec::new();
        }
        let going: HashSet<&PluginId> = plan.downs.iter().map(|step| &step.plugin).collect();
        let view = self.view_of(&Arc::clone(&self.current), &[], &|plugin| !going.contains(plugin));
        self.publish(view);
        let mut failures = Vec::new();
        for step in &plan.downs {
            let Some(place) = self.attached.iter().position(|attached| *attached.plugin() == step.plugin)
            else {
                continue;
            };
            let attached = self.attached.remove(place);
            failures.extend(self.detach(&attached).await);
            tracing::info!(plugin = %step.plugin, scope = %self.scope.name(), cause = %step.cause, "Plugin detached.");
            self.undo.parked.push((place, attached));
        }
        failures
    }

    async fn ups(&mut self, plan: &ScopePlan, catalogue: &Catalogue<C>) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut rising = Vec::new();
        for step in &plan.ups {
            let Some(listed) = catalogue.get(&step.plugin) else { continue };
            match self.register(listed, &plan.next) {
                Ok(attached) => rising.push(attached),
                Err(error) => failures.push(self.failure(&step.plugin, Hook::Register, error)),
            }
        }
        if !failures.is_empty() {
            self.forget(rising);
            return failures;
        }

        self.store_configs(&plan.next);
        let view = Arc::new(self.view_of(&plan.next, &rising, &|_| true));
        failures.extend(self.build(&view));
        if !failures.is_empty() {
            self.forget((rising, view));
            return failures;
        }
        if !rising.is_empty() || !plan.winners.is_empty() || plan.next.slots != self.current.slots {
            self.publish_shared(view);
        }

        let mut failed: BTreeSet<PluginId> = BTreeSet::new();
        for attached in rising {
            let plugin = attached.plugin().clone();
            if attached.declaration.manifest.dependencies().iter().any(|id| failed.contains(id)) {
                failed.insert(plugin); // what it needs has failed, which is reported already
                self.forget(attached);
                continue;
            }
            match self.attach(&attached).await {
                Ok(()) => {
                    tracing::info!(%plugin, scope = %self.scope.name(), "Plugin attached.");
                    self.undo.risen.push(plugin);
                    self.attached.push(attached);
                }
                Err(error) => {
                    failures.push(self.failure(&plugin, Hook::Attach, error));
                    failed.insert(plugin);
                    // It may have got half-way: let it clean up, and then clean up after it.
                    self.detach(&attached).await;
                    self.forget(attached);
                }
            }
        }
        failures
    }

    async fn notify(
        &mut self,
        plan: &ScopePlan,
        old: &Arc<RuntimeSettings>,
        new: &Arc<RuntimeSettings>,
    ) -> Vec<Failure> {
        let risen: HashSet<PluginId> = self.undo.risen.iter().cloned().collect();
        for attached in self.attached.iter().filter(|attached| !risen.contains(attached.plugin())) {
            let owner = ConfigOwner::Plugin(attached.plugin().clone());
            let config = self.current.config(&owner).cloned().zip(plan.next.config(&owner).cloned());
            let change = SettingsChange { old: Arc::clone(old), new: Arc::clone(new), config };
            if let Err(error) = self.tell(attached, &change).await {
                return vec![self.failure(attached.plugin(), Hook::SettingsChanged, error)];
            }
            self.undo.told.push((attached.plugin().clone(), change));
        }
        Vec::new()
    }

    /// Takes back what `ups` did. What fails here is logged: the change fails anyway.
    async fn undo_ups(&mut self) -> Vec<Failure> {
        for plugin in mem::take(&mut self.undo.risen).into_iter().rev() {
            let Some(place) = self.attached.iter().position(|attached| *attached.plugin() == plugin) else {
                continue;
            };
            let attached = self.attached.remove(place);
            self.detach(&attached).await.iter().for_each(log);
            self.forget(attached);
        }
        for (cell, config) in mem::take(&mut self.undo.configs).into_iter().rev() {
            cell.store(config);
        }
        if let Some(view) = self.undo.view.take() {
            let replaced = self.scope.registry().publish(view);
            self.forget(replaced);
        }
        Vec::new()
    }

    /// Brings back what `downs` parked, as the same instances. Returns those who would not come.
    async fn undo_downs(&mut self) -> Vec<Failure> {
        let mut lost: Vec<Failure> = Vec::new();
        while let Some((place, attached)) = self.undo.parked.pop() {
            let plugin = attached.plugin().clone();
            let needs = attached.declaration.manifest.dependencies().iter();
            let missing = needs.clone().find(|id| lost.iter().any(|failure| failure.plugin == **id)).cloned();
            let outcome = match missing {
                Some(dependency) => Err(HookError::failed(format!("it needs `{dependency}`").into())),
                None => self.attach(&attached).await,
            };
            match outcome {
                Ok(()) => self.attached.insert(place.min(self.attached.len()), attached),
                Err(error) => {
                    lost.push(self.failure(&plugin, Hook::Attach, error));
                    attached.context.ledger().clear().await;
                    self.forget(attached);
                }
            }
        }
        if !lost.is_empty() {
            let current = Arc::make_mut(&mut self.current);
            for failure in &lost {
                current.lose(&failure.plugin, Cause::Failed { reason: failure.error.to_string() });
            }
            let view = self.view_of(&Arc::clone(&self.current), &[], &|_| true);
            let replaced = self.scope.registry().publish(Arc::new(view));
            self.forget(replaced);
        }
        lost
    }

    /// Tells those who were told of the change that it has been taken back, now that everything is as it was.
    async fn undo_notify(&mut self) -> Vec<Failure> {
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

    fn register(&self, listed: &Listed<C>, next: &Desired) -> Result<Attached<C>, HookError> {
        let mut offers: Vec<Offer> = Vec::new();
        contained(|| listed.hooks.register(&mut Registrar::new(&mut offers)))?;
        let declaration = &listed.declaration;
        let plugin = declaration.manifest.id();
        let mut registrations = Vec::with_capacity(offers.len());
        for offer in offers {
            let declared = |known: &&Offer| known.slot == offer.slot && known.type_id == offer.type_id;
            if declaration.offers.iter().find(declared).is_none() {
                let slot = &offer.slot;
                return Err(HookError::failed(
                    format!("it offers `{slot}`, which it did not when added").into(),
                ));
            }
            let owner = ConfigOwner::Service(plugin.clone(), offer.slot.clone());
            let config = next.config(&owner).cloned();
            registrations.push(Arc::new(Registration::new(plugin.clone(), offer, config)));
        }
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
    fn store_configs(&mut self, next: &Desired) {
        for (owner, config) in &next.configs {
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
            let before = cell.load();
            if !Arc::ptr_eq(&before, &config.typed) {
                cell.store(Arc::clone(&config.typed));
                self.undo.configs.push((Arc::clone(cell), before));
            }
        }
    }

    fn build(&self, view: &View) -> Vec<Failure> {
        let resolver = Resolver { view };
        let candidates = view.slots().filter_map(|slot| view.slot(slot)).flat_map(|slot| &slot.candidates);
        let failures = candidates.filter(|candidate| candidate.enabled).filter_map(|candidate| {
            let reason = candidate.registration.prepare(&resolver).err()?;
            let what = format!("`{}`: {reason}", candidate.registration.slot);
            Some(self.failure(&candidate.registration.plugin, Hook::Build, HookError::failed(what.into())))
        });
        failures.collect()
    }

    /// The view of those who are attached or `rising`, as far as they `stay`, in the order that `desired` gives.
    fn view_of(&self, desired: &Desired, rising: &[Attached<C>], stay: &dyn Fn(&PluginId) -> bool) -> View {
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

    fn publish(&mut self, view: View) {
        self.publish_shared(Arc::new(view));
    }

    /// Shows `view` to readers; the first one that is replaced in a change is kept, to be shown again if need be.
    fn publish_shared(&mut self, view: Arc<View>) {
        let replaced = self.scope.registry().publish(view);
        match &self.undo.view {
            None => self.undo.view = Some(replaced),
            Some(_) => self.forget(replaced),
        }
    }

    async fn attach(&self, attached: &Attached<C>) -> Result<(), HookError> {
        let Surroundings { runtime, deadline, .. } = self.surroundings;
        call(runtime, deadline, || attached.hooks.attach(&attached.context)).await
    }

    async fn tell(&self, attached: &Attached<C>, change: &SettingsChange) -> Result<(), HookError> {
        let Surroundings { runtime, deadline, .. } = self.surroundings;
        call(runtime, deadline, || attached.hooks.settings_changed(&attached.context, change)).await
    }

    /// Lets a plugin say goodbye, and ends all that was kept for it, whatever it said.
    async fn detach(&self, attached: &Attached<C>) -> Vec<Failure> {
        let Surroundings { runtime, deadline, .. } = self.surroundings;
        let goodbye = call(runtime, deadline, || attached.hooks.detach(&attached.context)).await;
        let mut failures: Vec<Failure> = goodbye
            .err()
            .into_iter()
            .map(|error| self.failure(attached.plugin(), Hook::Detach, error))
            .collect();
        let clear = attached.context.ledger().clear();
        let released = tokio::time::timeout(deadline, clear).await;
        let errors = released.unwrap_or_else(|_| vec![HookError::TimedOut { deadline }]);
        failures
            .extend(errors.into_iter().map(|error| self.failure(attached.plugin(), Hook::Release, error)));
        failures
    }

    fn failure(&self, plugin: &PluginId, hook: Hook, error: HookError) -> Failure {
        Failure { scope: self.scope.name().clone(), plugin: plugin.clone(), hook, error }
    }

    /// Drops what holds other people's values, which may panic on their way out.
    fn forget<T>(&self, what: T) {
        if let Err(error) = contained(|| drop(what)) {
            tracing::error!(scope = %self.scope.name(), %error, "A value panicked when it was dropped.");
        }
    }
}

pub(super) fn log(failure: &Failure) {
    let Failure { scope, plugin, hook, error } = failure;
    tracing::error!(target: "jackfield::plugin", %plugin, %scope, %hook, %error, "A plugin failed.");
}
