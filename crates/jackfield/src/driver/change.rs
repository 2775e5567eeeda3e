//! All of a plan, or nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    Driver,
    scope_state::{Phase, log},
};
use crate::{
    plan::{Plan, ScopeName, SessionKey},
    report::{ChangeError, Failure},
    settings::RuntimeSettings,
};

/// How many sessions are changed at the same time: enough to keep every core busy while hooks wait, and few enough
/// that ten thousand sessions do not all hold their resources twice.
const SESSIONS_AT_ONCE: usize = 64;

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Driver<G, S> {
    /// Dependents go down before what they depend on, across scopes too, and come up after it.
    pub(super) async fn carry_out(&mut self, plan: &Plan) -> Result<(), ChangeError> {
        let old = Arc::clone(&self.world.settings);
        let failures = self.forward(plan, &old).await;
        if failures.is_empty() {
            return Ok(());
        }
        failures.iter().for_each(log);
        self.on_sessions(Phase::UndoUps, plan, &old).await;
        self.global.run(Phase::UndoUps, plan, &old, &self.catalogues.global).await;
        let back = Phase::UndoDowns { gone: BTreeSet::new() };
        let mut lost = self.global.run(back, plan, &old, &self.catalogues.global).await;
        let gone = lost.iter().map(|failure| failure.plugin.clone()).collect();
        lost.extend(self.on_sessions(Phase::UndoDowns { gone }, plan, &old).await);
        self.global.run(Phase::UndoNotify, plan, &old, &self.catalogues.global).await;
        self.on_sessions(Phase::UndoNotify, plan, &old).await;
        if lost.is_empty() {
            return Err(ChangeError::Reverted { failures });
        }
        lost.iter().for_each(log);
        self.publish();
        Err(ChangeError::Degraded { failures, lost })
    }

    async fn forward(&mut self, plan: &Plan, old: &Arc<RuntimeSettings>) -> Vec<Failure> {
        let failures = self.on_sessions(Phase::Downs, plan, old).await;
        if !failures.is_empty() {
            return failures;
        }
        for phase in [Phase::Downs, Phase::Ups] {
            let failures = self.global.run(phase, plan, old, &self.catalogues.global).await;
            if !failures.is_empty() {
                return failures;
            }
        }
        let failures = self.on_sessions(Phase::Ups, plan, old).await;
        if !failures.is_empty() {
            return failures;
        }
        let failures = self.global.run(Phase::Notify, plan, old, &self.catalogues.global).await;
        if !failures.is_empty() {
            return failures;
        }
        self.on_sessions(Phase::Notify, plan, old).await
    }

    /// Runs one phase in all sessions that the plan concerns, side by side.
    pub(super) async fn on_sessions(
        &mut self,
        phase: Phase,
        plan: &Plan,
        old: &Arc<RuntimeSettings>,
    ) -> Vec<Failure> {
        let concerned: Vec<SessionKey> = plan
            .scopes
            .iter()
            .filter_map(|scope| match &scope.scope {
                ScopeName::Session { key, .. } => Some(*key),
                ScopeName::Global => None,
            })
            .collect();
        if let [key] = concerned[..] {
            let Some(session) = self.sessions.get_mut(&key) else { return Vec::new() };
            return session.run(phase, plan, old, &self.catalogues.session).await;
        }

        let catalogue = Arc::clone(&self.catalogues.session);
        let shared = Arc::new((phase, plan.clone(), Arc::clone(old), catalogue));
        let turns = Arc::new(Semaphore::new(SESSIONS_AT_ONCE));
        let mut running = JoinSet::new();
        for key in concerned {
            let Some(mut session) = self.sessions.remove(&key) else { continue };
            let (shared, turns) = (Arc::clone(&shared), Arc::clone(&turns));
            running.spawn(async move {
                let _turn = turns.acquire().await; // an error would mean that it was closed, which nobody does
                let (phase, plan, old, catalogue) = &*shared;
                let failures = session.run(phase.clone(), plan, old, catalogue).await;
                (key, session, failures)
            });
        }
        let mut outcomes = BTreeMap::new();
        while let Some(joined) = running.join_next().await {
            match joined {
                Ok((key, session, failures)) => {
                    self.sessions.insert(key, session);
                    outcomes.insert(key, failures);
                }
                // Hooks are contained, so this is a bug of our own; going on would be to guess.
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        outcomes.into_values().flatten().collect()
    }
}
