//! Going on without those who fail: what differs in one scope where that is the policy.

use std::{collections::BTreeMap, mem, ops::Deref, sync::Arc};

use super::{attached::Attached, catalogue::Catalogue, crew::Few, scope_state::ScopeState};
use crate::{
    context::Context,
    id::PluginId,
    plan::{Place, ScopePlan},
    report::Failure,
};

impl<C: Deref<Target = Context> + Send + Sync> ScopeState<C> {
    /// As [`ups`](Self::ups), leaving out whoever fails, and those who need them.
    pub(super) async fn ups_without_the_fallen(
        &mut self,
        plan: &ScopePlan,
        catalogue: &Catalogue<C>,
    ) -> Vec<Failure> {
        let (mut rising, mut failures) = self.register(plan, catalogue);
        self.leave_out(&failures);
        self.store_configs(plan);
        loop {
            rising = self.keep_wanted(rising).await;
            let unbuilt = self.show(plan, &rising);
            if unbuilt.is_empty() {
                break;
            }
            self.leave_out(&unbuilt);
            failures.extend(unbuilt);
        }
        let mut unattached = self.enable_services();
        unattached.extend(self.attach(rising).await);
        self.leave_out(&unattached);
        failures.extend(unattached);
        if !failures.is_empty() {
            failures.extend(self.dismiss_unwanted().await);
        }
        failures
    }

    /// As [`notify`](Self::notify); whoever cannot follow is taken down, with those who need them.
    pub(super) async fn notify_without_the_fallen(&mut self) -> Vec<Failure> {
        let mut failures = Vec::new();
        loop {
            let failed = self.notify().await;
            // Those who were told have been; those who rose were not to be.
            let told = mem::take(&mut self.undo.told);
            self.undo.risen.extend(told);
            self.undo.risen.sort_unstable();
            if failed.is_empty() {
                return failures;
            }
            self.leave_out(&failed);
            failures.extend(failed);
            failures.extend(self.dismiss_unwanted().await);
        }
    }

    /// Wants no more of those who failed.
    fn leave_out(&mut self, failures: &[Failure]) {
        let fallen: BTreeMap<PluginId, String> = failures
            .iter()
            .rev()
            .map(|failure| (failure.plugin.clone(), failure.error.to_string()))
            .collect();
        if !fallen.is_empty() {
            self.next = self.next.without(&fallen);
        }
    }

    async fn keep_wanted(&self, rising: Few<C>) -> Few<C> {
        let (wanted, unwanted): (_, Few<C>) =
            rising.into_iter().partition(|attached| self.next.order.contains(attached.plugin()));
        for attached in unwanted.into_iter().rev() {
            self.withdraw(attached).await;
        }
        wanted
    }

    /// Takes those down who are attached and not wanted any more, and shows readers what is left.
    pub(super) async fn dismiss_unwanted(&mut self) -> Vec<Failure> {
        let view = self.view_of(&self.next, &[], |_| true);
        self.publish(Arc::new(view));
        let mut failures = Vec::new();
        let unwanted = |attached: &&Attached<C>| !self.next.order.contains(attached.plugin());
        let unwanted: Vec<Place> =
            self.attached.iter().rev().filter(unwanted).map(|attached| attached.place).collect();
        for place in unwanted {
            let Some(attached) = self.attached.remove(place) else { continue };
            failures.extend(attached.detach(&self.surroundings).await);
            self.surroundings.forget(attached);
        }
        failures
    }
}
