//! What runs in one scope, and how it is changed. One implementation for both kinds: `C` is the kind's context.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    mem,
    ops::Deref,
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc;

use super::hook::{call, contained, within};
use crate::{
    context::{Context, Edit, SettingsChange},
    error::HookError,
    foreign::Foreign,
    id::PluginId,
    plan::{ConfigOwner, Declaration, Desired, Plan, ScopePlan},
    plugin::Hooks,
    registry::Registration,
    report::{Failure, Hook},
    scope::Scope,
    settings::RuntimeSettings,
};

mod services;
mod undo;

use undo::Undo;

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
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Downs,
    Ups,
    Notify,
    UndoUps,
    /// Without those who need a plugin in `gone`, which another scope could not bring back.
    UndoDowns {
        gone: BTreeSet<PluginId>,
    },
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
            Phase::UndoDowns { gone } => self.undo_downs(&gone).await,
            Phase::UndoNotify => self.undo_notify().await,
        }
    }

    /// Makes what was done final: what was parked is gone for good.
    pub(super) fn commit(&mut self, plan: &Plan) {
        if let Some(mine) = plan.scope(self.scope.name()) {
            self.current = Arc::clone(&mine.next);
        }
        let undo = mem::take(&mut self.undo);
        self.surroundings.forget(undo);
    }

    /// Leaves an empty registry and a closed bus to those who still hold a handle.
    pub(super) fn close(&mut self) {
        let Surroundings { runtime, .. } = self.surroundings;
        if let Err(error) = contained(runtime, || self.scope.bus().close()) {
            tracing::error!(scope = %self.scope.name(), %error, "A bus panicked when it was closed.");
        }
        let view = self.scope.registry().publish(Arc::default());
        let attached = mem::take(&mut self.attached);
        self.surroundings.forget((view, attached));
    }

    async fn downs(&mut self, plan: &ScopePlan) -> Vec<Failure> {
        if plan.downs.is_empty() {
            return Vec::new();
        }
        let going: HashSet<&PluginId> = plan.downs.iter().map(|step| &step.plugin).collect();
        let view = self.view_of(&Arc::clone(&self.current), &[], &|plugin| !going.contains(plugin));
        self.publish(Arc::new(view));
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
            self.surroundings.forget(rising);
            return failures;
        }

        self.store_configs(&plan.next);
        // Where nobody comes and no candidate changes there is nothing to build and nothing new to see.
        if !rising.is_empty() || plan.next.slots != self.current.slots {
            let view = Arc::new(self.view_of(&plan.next, &rising, &|_| true));
            failures.extend(self.build(&view));
            if !failures.is_empty() {
                self.surroundings.forget((rising, view));
                return failures;
            }
            self.publish(view);
        }

        let mut failed: BTreeSet<PluginId> = BTreeSet::new();
        for attached in rising {
            let plugin = attached.plugin().clone();
            if attached.declaration.manifest.dependencies().iter().any(|id| failed.contains(id)) {
                failed.insert(plugin); // what it needs has failed, which is reported already
                self.surroundings.forget(attached);
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
                    self.clean_up(attached).await;
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
            let config = |desired: &Desired| desired.config(&owner).cloned().map(Foreign::new);
            let config = config(&self.current).zip(config(&plan.next));
            let change = SettingsChange { old: Arc::clone(old), new: Arc::clone(new), config };
            if let Err(error) = self.tell(attached, &change).await {
                return vec![self.failure(attached.plugin(), Hook::SettingsChanged, error)];
            }
            self.undo.told.push((attached.plugin().clone(), change));
        }
        Vec::new()
    }

    fn take(&mut self, plugin: &PluginId) -> Option<Attached<C>> {
        let place = self.attached.iter().position(|attached| attached.plugin() == plugin)?;
        Some(self.attached.remove(place))
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
        let released = within(runtime, attached.context.ledger().clear(deadline)).await;
        let failure = |hook, error| self.failure(attached.plugin(), hook, error);
        let failures = goodbye.err().into_iter().map(|error| failure(Hook::Detach, error));
        failures.chain(released.into_iter().map(|error| failure(Hook::Release, error))).collect()
    }

    /// After an attach that failed, which may have got half-way: lets the plugin clean up, and cleans up after it.
    async fn clean_up(&self, attached: Attached<C>) {
        self.detach(&attached).await.iter().for_each(log);
        self.surroundings.forget(attached);
    }

    fn failure(&self, plugin: &PluginId, hook: Hook, error: HookError) -> Failure {
        Failure { scope: self.scope.name().clone(), plugin: plugin.clone(), hook, error }
    }
}

impl Surroundings {
    /// Drops what holds other people's values, which may panic on their way out, or ask for anything.
    pub(super) fn forget<T>(&self, what: T) {
        if let Err(error) = contained(self.runtime, || drop(what)) {
            tracing::error!(%error, "A value panicked when it was dropped.");
        }
    }
}

pub(super) fn log(failure: &Failure) {
    let Failure { scope, plugin, hook, error } = failure;
    tracing::error!(target: "jackfield::plugin", %plugin, %scope, %hook, %error, "A plugin failed.");
}
