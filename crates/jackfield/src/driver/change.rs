//! A change, from plan to report, across all scopes.

use std::{collections::BTreeSet, iter, sync::Arc};

use tracing::Instrument;

use super::{Driver, FailurePolicy, Phase, ScopeState, journal, log, turns};
use crate::{
    context::SessionContext,
    plan::{Desired, Plan, ScopeName, ScopePlan, SessionKey, Wishes},
    report::{ChangeError, Failure, Report},
};

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Driver<G, S> {
    /// Makes everything follow `wishes`.
    pub(super) async fn follow(&mut self, wishes: &Arc<Wishes>) -> Result<Report, ChangeError> {
        let plan = self.world.plan(wishes).map_err(ChangeError::Refused)?;
        self.make(plan).await
    }

    /// All of `plan`, or nothing.
    pub(super) async fn make(&mut self, plan: Plan) -> Result<Report, ChangeError> {
        let span = journal::change(self.world.generation);
        self.carry_out(plan).instrument(span).await
    }

    async fn carry_out(&mut self, plan: Plan) -> Result<Report, ChangeError> {
        journal::passed_over(&plan);
        journal::beginning(&plan, &self.world);
        journal::remarks(&plan);
        let plan = Arc::new(plan);
        let mut failures = Vec::new();
        if !self.is_of_no_concern(&plan) {
            failures = self.forward(&plan).await;
            failures.iter().for_each(log);
            if !failures.is_empty() && self.surroundings.policy == FailurePolicy::AllOrNothing {
                let error = self.take_back(&plan, failures).await;
                journal::taken_back(&error);
                return Err(error);
            }
            self.global.commit();
            self.last_opening = None;
            let mut moved = Vec::with_capacity(self.sessions.len());
            for (key, session) in self.sessions.iter_mut() {
                if session.commit() {
                    moved.push((key, &*session));
                }
            }
            self.world
                .note(moved.into_iter().map(|(key, session)| (key, session.scope.name(), &session.current)));
        }
        self.world.wishes = Arc::clone(&plan.wishes);
        self.world.followed = Arc::clone(&plan.wishes.settings);
        self.publish();
        let plan = Arc::unwrap_or_clone(plan);
        let report = Report { generation: self.world.generation, plan, failures };
        journal::made(&report);
        Ok(report)
    }

    /// Whether everybody stays as they are, and nobody wants to be told of it.
    fn is_of_no_concern(&self, plan: &Plan) -> bool {
        let sessions = || self.sessions.iter().map(|(_, session)| session);
        let running = iter::once(&self.global.current).chain(sessions().map(|session| &session.current));
        // Scopes are in this order in every plan that leads all of them somewhere.
        plan.scopes.len() == 1 + self.sessions.len()
            && plan.scopes.iter().zip(running).all(|(scope, current)| Arc::ptr_eq(&scope.next, current))
            && self.global.attached.wants_nothing()
            && sessions().all(|session| session.attached.wants_nothing())
    }

    /// Dependents go down before what they depend on, across scopes too, and come up after it.
    async fn forward(&mut self, plan: &Arc<Plan>) -> Vec<Failure> {
        let goes_on = self.surroundings.policy == FailurePolicy::Quarantine;
        let mut failures = self.on_sessions(Phase::Downs, plan).await;
        for phase in [Phase::Downs, Phase::Ups] {
            if goes_on || failures.is_empty() {
                failures.extend(self.global.run(phase, plan, &self.catalogues.global).await);
            }
        }
        if !goes_on && !failures.is_empty() {
            return failures;
        }
        let plan = &self.without_fallen_globals(plan, |session| &session.current, &mut failures).await;
        failures.extend(self.on_sessions(Phase::Ups, plan).await);
        if goes_on || failures.is_empty() {
            failures.extend(self.global.run(Phase::Notify, plan, &self.catalogues.global).await);
        }
        if goes_on || failures.is_empty() {
            // By now sessions have what they will have, and some of theirs may have fallen as well.
            let plan = &self.without_fallen_globals(plan, |session| &session.next, &mut failures).await;
            failures.extend(self.on_sessions(Phase::Notify, plan).await);
        }
        failures
    }

    /// The plan as it is when global plugins that sessions need have fallen: whoever needs them goes down too. `now`
    /// is what sessions come from.
    async fn without_fallen_globals(
        &mut self,
        plan: &Arc<Plan>,
        now: impl Fn(&ScopeState<SessionContext<G, S>>) -> &Arc<Desired>,
        failures: &mut Vec<Failure>,
    ) -> Arc<Plan> {
        let next = Arc::clone(&self.global.next);
        let planned = plan.scope(&ScopeName::Global);
        let Some(global) = planned.filter(|planned| planned.next.order != next.order) else {
            return Arc::clone(plan);
        };
        let visible = Arc::clone(&next.order);
        let mut world = self.world.clone();
        world.note(self.sessions.iter().map(|(key, session)| (key, session.scope.name(), now(session))));
        let mut scopes = vec![ScopePlan { next, ..global.clone() }];
        // Fewer plugins want fewer configurations, and these have been read.
        scopes.extend(world.plan_sessions(&plan.wishes, &visible, &mut Vec::new()));
        let plan = Arc::new(Plan { scopes, ..Plan::clone(plan) });
        failures.extend(self.on_sessions(Phase::Dismiss, &plan).await);
        plan
    }

    async fn take_back(&mut self, plan: &Arc<Plan>, failures: Vec<Failure>) -> ChangeError {
        self.on_sessions(Phase::UndoUps, plan).await;
        self.global.run(Phase::UndoUps, plan, &self.catalogues.global).await;
        let mut lost = self.global.run(Phase::UndoDowns, plan, &self.catalogues.global).await;
        // A service may be lost whose plugin is there.
        let attached = Arc::clone(&self.global.current.order);
        let missing = lost.iter().map(|failure| &failure.plugin).filter(|plugin| !attached.contains(plugin));
        let missing: BTreeSet<_> = missing.cloned().collect();
        self.sessions.iter_mut().for_each(|(_, session)| session.missing.clone_from(&missing));
        lost.extend(self.on_sessions(Phase::UndoDowns, plan).await);
        self.global.run(Phase::UndoNotify, plan, &self.catalogues.global).await;
        self.on_sessions(Phase::UndoNotify, plan).await;
        if lost.is_empty() {
            return ChangeError::Reverted { failures };
        }
        lost.iter().for_each(log);
        let running = self.sessions.iter();
        self.world.note(running.map(|(key, session)| (key, session.scope.name(), &session.current)));
        self.publish();
        ChangeError::Degraded { failures, lost }
    }

    /// Runs one phase in all sessions that the plan concerns, side by side.
    pub(super) async fn on_sessions(&mut self, phase: Phase, plan: &Arc<Plan>) -> Vec<Failure> {
        let mut concerned: Vec<(usize, SessionKey)> = (plan.scopes.iter().enumerate())
            .filter_map(|(place, scope)| Some((place, scope.scope.session()?)))
            .collect();
        concerned.sort_unstable_by_key(|(_, key)| *key); // as they are, unless somebody has rearranged the plan
        if let [(place, key)] = concerned[..] {
            let Some(session) = self.sessions.get_mut(key) else { return Vec::new() };
            return session.run_mine(phase, &plan.scopes[place], &self.catalogues.session).await;
        }
        let busy = self.sessions.lend(concerned, |place, session| session.enter(phase, &plan.scopes[place]));
        if busy.is_empty() {
            return Vec::new();
        }
        let (plan, catalogue) = (Arc::clone(plan), Arc::clone(&self.catalogues.session));
        let run = move |(place, key, mut session): (usize, SessionKey, Box<ScopeState<_>>)| {
            let (plan, catalogue) = (Arc::clone(&plan), Arc::clone(&catalogue));
            async move {
                let failures = session.go_through(phase, &plan.scopes[place], &catalogue).await;
                (key, session, failures)
            }
        };
        let mut done = turns::each(busy, run).await;
        done.sort_unstable_by_key(|(key, ..)| *key);
        let mut failures = Vec::new();
        self.sessions.take_back(done.into_iter().map(|(key, session, failed)| {
            failures.extend(failed);
            (key, session)
        }));
        failures
    }
}
