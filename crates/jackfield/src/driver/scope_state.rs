//! What runs in one scope, and how it is changed. One implementation for both kinds: `C` is the kind's context.

use std::{borrow::Cow, collections::BTreeSet, mem, ops::Deref, sync::Arc};

use tracing::Instrument;

use super::{
    attached::Attached,
    catalogue::Catalogue,
    crew::{Crew, Few},
    hook::contained,
    journal,
    surroundings::{FailurePolicy, Surroundings},
    undo::Undo,
};
use crate::{
    context::{Context, Home, SettingsChange},
    error::HookError,
    foreign::Foreign,
    id::{PluginId, SlotId},
    plan::{ConfigOwner, Desired, Place, Plan, ScopePlan, Step},
    report::{self, Failure, Hook},
    scope::Scope,
};

/// One part of a change, as far as it concerns one scope.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Downs,
    Ups,
    /// Takes those down whom the plan, which is another by now, does not want any more.
    Dismiss,
    Notify,
    UndoUps,
    UndoDowns,
    UndoNotify,
}

pub(super) struct ScopeState<C> {
    pub(super) scope: Scope,
    home: Arc<Home>,
    /// What runs.
    pub(super) current: Arc<Desired>,
    /// What will, when the change that is being made is done.
    pub(super) next: Arc<Desired>,
    pub(super) surroundings: Surroundings,
    pub(super) attached: Crew<C>,
    pub(super) undo: Undo<C>,
    /// Plugins of other scopes that an undo could not bring back.
    pub(super) missing: BTreeSet<PluginId>,
    make_context: Arc<dyn Fn(Context) -> C + Send + Sync>,
}

impl<C: Deref<Target = Context> + Send + Sync> ScopeState<C> {
    pub(super) fn new(
        scope: Scope,
        surroundings: Surroundings,
        make_context: Arc<dyn Fn(Context) -> C + Send + Sync>,
    ) -> Self {
        let (current, next): (Arc<Desired>, _) = Default::default();
        let (attached, undo, missing) = (Crew::default(), Undo::default(), BTreeSet::new());
        let home = Arc::new(Home { scope: scope.clone(), edits: surroundings.edits.clone() });
        Self { scope, home, current, next, surroundings, attached, undo, missing, make_context }
    }

    /// Carries out one phase of what `plan` says of this scope. Goes on after a failure as far as that makes sense, and
    /// returns them all.
    pub(super) async fn run(&mut self, phase: Phase, plan: &Plan, catalogue: &Catalogue<C>) -> Vec<Failure> {
        let Some(mine) = plan.scope(self.scope.name()) else { return Vec::new() };
        self.run_mine(phase, mine, catalogue).await
    }

    /// The same, with what the plan says of this scope.
    pub(super) async fn run_mine(
        &mut self,
        phase: Phase,
        mine: &ScopePlan,
        catalogue: &Catalogue<C>,
    ) -> Vec<Failure> {
        if self.enter(phase, mine) { self.go_through(phase, mine, catalogue).await } else { Vec::new() }
    }

    /// Takes note of where `phase` leads, and says whether there is anything to do on the way.
    pub(super) fn enter(&mut self, phase: Phase, mine: &ScopePlan) -> bool {
        match phase {
            Phase::Downs => {
                self.next = Arc::clone(&mine.next);
                !mine.downs.is_empty() || self.attached.has_living_services()
            }
            Phase::Ups => {
                self.next = Arc::clone(&mine.next);
                let plugins_stay = mine.ups.is_empty() && mine.owners.is_empty();
                !plugins_stay || self.attached.has_living_services() || !self.shows_all_of(mine)
            }
            Phase::Notify => self.to_be_told().next().is_some(),
            Phase::Dismiss | Phase::UndoUps | Phase::UndoDowns | Phase::UndoNotify => true,
        }
    }

    /// Carries out a phase that was entered.
    pub(super) async fn go_through(
        &mut self,
        phase: Phase,
        mine: &ScopePlan,
        catalogue: &Catalogue<C>,
    ) -> Vec<Failure> {
        let span = journal::phase(phase, self.scope.name());
        self.carry_out(phase, mine, catalogue).instrument(span).await
    }

    async fn carry_out(&mut self, phase: Phase, mine: &ScopePlan, catalogue: &Catalogue<C>) -> Vec<Failure> {
        let quarantine = self.surroundings.policy == FailurePolicy::Quarantine;
        match phase {
            Phase::Downs => self.downs(mine).await,
            Phase::Ups if quarantine => self.ups_without_the_fallen(mine, catalogue).await,
            Phase::Ups => self.ups(mine, catalogue).await,
            Phase::Dismiss => {
                self.next = Arc::clone(&mine.next);
                self.dismiss_unwanted().await
            }
            Phase::Notify if quarantine => self.notify_without_the_fallen().await,
            Phase::Notify => self.notify().await,
            Phase::UndoUps => self.undo_ups().await,
            Phase::UndoDowns => self.undo_downs().await,
            Phase::UndoNotify => self.undo_notify().await,
        }
    }

    /// Makes what was done final: what was parked is gone for good. Says whether something else runs than before.
    pub(super) fn commit(&mut self) -> bool {
        if !self.undo.is_empty() {
            let undo = mem::take(&mut self.undo);
            self.surroundings.forget(undo);
        }
        let moves = !Arc::ptr_eq(&self.current, &self.next);
        if moves {
            self.current = Arc::clone(&self.next);
        }
        moves
    }

    /// Leaves an empty registry and a closed bus to those who still hold a handle.
    pub(super) fn close(&mut self) {
        if let Err(error) = contained(self.surroundings.runtime, || self.scope.bus().close()) {
            tracing::error!(scope = %self.scope.name(), %error, "A bus panicked when it was closed.");
        }
        let view = self.scope.registry().publish(Arc::default());
        self.scope.registry().close();
        let attached = mem::take(&mut self.attached);
        self.surroundings.forget((view, attached));
    }

    async fn downs(&mut self, plan: &ScopePlan) -> Vec<Failure> {
        self.hide(plan);
        let mut failures = Vec::new();
        self.undo.parked.reserve_exact(plan.downs.len());
        for step in &plan.downs {
            let Some(attached) = self.attached.remove(step.place) else { continue };
            failures.extend(attached.detach(&self.surroundings).await);
            tracing::info!(target: "jackfield::plugin", plugin = %step.plugin, scope = %self.scope.name(), cause = %step.cause, "Plugin detached.");
            self.undo.parked.push(attached);
        }
        failures.extend(self.disable_services().await);
        failures
    }

    /// Detaches the services that settings disable, of plugins that stay.
    async fn disable_services(&mut self) -> Vec<Failure> {
        let mut failures = Vec::new();
        for attached in self.attached.with_living_services().rev() {
            attached.admit(&self.next);
            let stays = |slot: &SlotId| self.next.takes_part(attached.plugin(), slot);
            let ends: Vec<SlotId> =
                attached.attached_services().into_iter().filter(|slot| !stays(slot)).collect();
            if ends.is_empty() {
                continue;
            }
            failures.extend(attached.detach_services(&self.surroundings, |slot| ends.contains(slot)).await);
            self.undo.disabled_services.push(attached.place);
        }
        failures
    }

    async fn ups(&mut self, plan: &ScopePlan, catalogue: &Catalogue<C>) -> Vec<Failure> {
        let (rising, mut failures) = self.register(plan, catalogue);
        if failures.is_empty() {
            self.store_configs(plan);
            failures = self.show(plan, &rising);
            if failures.is_empty() {
                failures = self.enable_services();
                failures.extend(self.attach(rising).await);
                return failures;
            }
        }
        for attached in rising.into_iter().rev() {
            self.withdraw(attached).await;
        }
        failures
    }

    /// Registers those who come. Who fails at that is not among them.
    pub(super) fn register(&self, plan: &ScopePlan, catalogue: &Catalogue<C>) -> (Few<C>, Vec<Failure>) {
        let (mut rising, mut failures) = (Few::with_capacity(plan.ups.len()), Vec::new());
        let (runtime, mut offers) = (self.surroundings.runtime, Vec::new());
        for Step { plugin, place, .. } in &plan.ups {
            let Some(listed) = catalogue.get(plugin) else { continue };
            let (home, make_context) = (&self.home, &*self.make_context);
            let registered =
                Attached::register(*place, listed, home, &self.next, runtime, make_context, &mut offers);
            match registered {
                Ok(attached) => rising.push(attached),
                Err(error) => failures.push(self.failure(plugin, None, Hook::Register, error)),
            }
        }
        (rising, failures)
    }

    /// Hands the new configurations to the handles of those who stay.
    pub(super) fn store_configs(&mut self, plan: &ScopePlan) {
        for owner in &plan.owners {
            let place = self.next.order.place_of(owner.plugin());
            let Some(attached) = place.and_then(|place| self.attached.get(place)) else { continue };
            let cell = match owner {
                ConfigOwner::Plugin(_) => attached.context.config_cell(),
                ConfigOwner::Service(_, slot) => {
                    attached.registration(slot).and_then(|registration| registration.config.as_ref())
                }
            };
            let Some((cell, config)) = cell.zip(self.next.config(owner)) else { continue };
            if !Arc::ptr_eq(&cell.load(), config) {
                let before = cell.replace(Arc::clone(config));
                self.undo.configs.push((Arc::clone(cell), Foreign::new(before)));
            }
        }
    }

    /// Attaches the services that settings enable, of plugins that stay.
    pub(super) fn enable_services(&mut self) -> Vec<Failure> {
        let mut failures = Vec::new();
        for attached in self.attached.with_living_services() {
            let before = attached.attached_services();
            failures.extend(attached.attach_services(&self.next));
            let begun = attached.attached_services().into_iter().filter(|slot| !before.contains(slot));
            self.undo.enabled_services.extend(begun.map(|slot| (attached.place, slot)));
        }
        failures
    }

    pub(super) async fn attach(&mut self, rising: Few<C>) -> Vec<Failure> {
        let mut failures: Vec<Failure> = Vec::new();
        let mut fallen: BTreeSet<PluginId> = BTreeSet::new();
        self.attached.expect(&rising);
        self.undo.risen.reserve_exact(rising.len());
        for attached in rising {
            let manifest = attached.manifest();
            if !manifest.is_locked() && manifest.dependencies().iter().any(|id| fallen.contains(id)) {
                fallen.insert(attached.plugin().clone()); // what it needs has failed, which is reported
                self.withdraw(attached).await;
                continue;
            }
            let failed = attached.attach(&self.next, &self.surroundings).await;
            if failed.is_empty() {
                tracing::info!(target: "jackfield::plugin", plugin = %attached.plugin(), scope = %self.scope.name(), "Plugin attached.");
                self.undo.risen.push(attached.place);
                self.attached.insert(attached);
            } else {
                failures.extend(failed);
                fallen.insert(attached.plugin().clone());
                self.clean_up(attached).await;
            }
        }
        failures
    }

    /// After an attach that failed, which may have got half-way: lets the plugin clean up, and cleans up after it.
    pub(super) async fn clean_up(&self, attached: Box<Attached<C>>) {
        log_only(attached.detach(&self.surroundings).await);
        self.surroundings.forget(attached);
    }

    /// As [`clean_up`](Self::clean_up), for a plugin that was not asked to attach.
    pub(super) async fn withdraw(&self, attached: Box<Attached<C>>) {
        log_only(attached.withdraw(&self.surroundings).await);
        self.surroundings.forget(attached);
    }

    pub(super) async fn notify(&mut self) -> Vec<Failure> {
        let change = Change::new(&self.current, &self.next);
        let mut failures = Vec::new();
        let mut told = Vec::new();
        for place in self.to_be_told() {
            let Some(attached) = self.attached.get(place) else { continue };
            match attached.tell(&change.seen_by(attached), &self.surroundings).await {
                Ok(()) => told.push(place),
                Err(failure) => {
                    failures.push(failure);
                    break;
                }
            }
        }
        self.undo.told.extend(told);
        self.attached.forget_the_deaf();
        failures
    }

    /// Who wants to be told of the change, of those who were there before it.
    fn to_be_told(&self) -> impl Iterator<Item = Place> {
        let has_risen = |place: &Place| self.undo.risen.binary_search(place).is_ok();
        self.attached.listeners().iter().copied().filter(move |place| !has_risen(place))
    }

    pub(super) fn failure(
        &self,
        plugin: &PluginId,
        slot: Option<&SlotId>,
        hook: Hook,
        error: HookError,
    ) -> Failure {
        Failure { scope: self.scope.name().clone(), plugin: plugin.clone(), slot: slot.cloned(), hook, error }
    }
}

/// What those are told who stay while a scope goes from one state to another.
pub(super) struct Change<'a> {
    from: &'a Desired,
    to: &'a Desired,
    /// As whoever has no configuration sees it: most.
    settings: SettingsChange,
}

impl<'a> Change<'a> {
    pub(super) fn new(from: &'a Desired, to: &'a Desired) -> Self {
        let settings = SettingsChange::new(from.settings(), to.settings(), None);
        Self { from, to, settings }
    }

    pub(super) fn seen_by<C: Deref<Target = Context> + Send + Sync>(
        &self,
        attached: &Attached<C>,
    ) -> Cow<'_, SettingsChange> {
        if attached.manifest().config_spec().is_none() {
            return Cow::Borrowed(&self.settings);
        }
        let owner = ConfigOwner::Plugin(attached.plugin().clone());
        let config = |desired: &Desired| desired.config(&owner).cloned().map(Foreign::new);
        let config = config(self.from).zip(config(self.to));
        Cow::Owned(self.settings.with_config(config))
    }
}

/// Logs failures that nobody else is told of.
pub(super) fn log_only(failures: Vec<Failure>) {
    failures.iter().for_each(log);
    report::forget(failures);
}

pub(super) fn log(failure: &Failure) {
    let Failure { scope, plugin, slot, hook, error } = failure;
    let slot = slot.as_ref().map(tracing::field::display);
    tracing::error!(target: "jackfield::plugin", %plugin, slot, %scope, %hook, %error, "A plugin failed.");
}
