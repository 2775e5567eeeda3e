//! How sessions open, and how they and in the end everything closes.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::Instrument;

use super::{Command, Driver, FailurePolicy, Opened, Phase, ScopeState, journal, log};
use crate::{
    context::{Context, Outlook, SessionContext},
    plan::{Closing, Plan, ScopeName, ScopePlan, SessionKey},
    report::{ChangeError, Report},
    scope::Scope,
    settings::RuntimeSettings,
};

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Driver<G, S> {
    pub(super) async fn open(
        &mut self,
        name: Arc<str>,
        data: Arc<S>,
        overlay: RuntimeSettings,
        commands: mpsc::UnboundedSender<Command<G, S>>,
    ) -> Result<Opened<G, S>, ChangeError> {
        let key = SessionKey(self.next_key);
        self.next_key += 1; // also if it fails: plugins have seen it
        let name = ScopeName::Session { key, name };
        let span = journal::opening(&name);
        self.open_session(key, name, data, overlay, commands).instrument(span).await
    }

    async fn open_session(
        &mut self,
        key: SessionKey,
        name: ScopeName,
        data: Arc<S>,
        overlay: RuntimeSettings,
        commands: mpsc::UnboundedSender<Command<G, S>>,
    ) -> Result<Opened<G, S>, ChangeError> {
        let scope = Scope::new(name.clone());
        let (global, global_scope) = (Arc::clone(&self.data), self.global.scope.clone());
        let outlook = Arc::new(Outlook { data, global, global_scope });
        let make_context = move |context: Context| SessionContext::new(context, Arc::clone(&outlook));
        let mut session = ScopeState::new(scope.clone(), self.surroundings.clone(), Arc::new(make_context));

        let plan = match self.world.plan_opening(name.clone(), overlay, self.last_opening.as_ref()) {
            Ok(plan) => plan,
            Err(problems) => {
                self.surroundings.forget(session); // and the application's data with it
                return Err(ChangeError::Refused(problems));
            }
        };
        journal::passed_over(&plan);
        journal::left_out(&plan, &self.world);
        let failures = session.run(Phase::Ups, &plan, &self.catalogues.session).await;
        failures.iter().for_each(log);
        if !failures.is_empty() && self.surroundings.policy == FailurePolicy::AllOrNothing {
            session.scope.bus().seal();
            session.run(Phase::UndoUps, &plan, &self.catalogues.session).await;
            session.close();
            self.surroundings.forget(session);
            let error = ChangeError::Reverted { failures };
            journal::taken_back(&error);
            return Err(error);
        }
        self.remember_opening(&plan);
        session.commit();
        tracing::info!(target: "jackfield::session", scope = %name, "Session opened.");
        journal::winners_of_wildcards(&name, &session.current);
        self.world.note([(key, &name, &session.current)]);
        self.sessions.put(key, Box::new(session));
        self.published.change_sessions(|open| open.insert_mut(key, scope.clone()));
        let wishes = Arc::make_mut(&mut self.world.wishes);
        wishes.session_overlays = plan.wishes.session_overlays.clone();
        wishes.remarked = Arc::clone(&plan.wishes.remarked);
        journal::remarks(&plan);
        self.publish();
        let report = Report { generation: self.world.generation, plan, failures };
        Ok(Opened { key, scope, report, published: Arc::clone(&self.published), commands: Some(commands) })
    }

    /// Remembers how a session opened, for those that open like it.
    fn remember_opening(&mut self, plan: &Plan) {
        let [opening] = &plan.scopes[..] else { return };
        let is_known = |last: &ScopePlan| Arc::ptr_eq(&last.next, &opening.next);
        if !self.last_opening.as_ref().is_some_and(is_known) {
            self.last_opening = Some(opening.clone());
        }
    }

    /// Takes everything down that `closing` names. Nothing stands in the way of it; what fails is reported.
    pub(super) async fn close(&mut self, closing: Closing) -> Report {
        let plan = self.world.plan_closing(closing);
        self.take_down(plan).instrument(journal::closing()).await
    }

    async fn take_down(&mut self, plan: Plan) -> Report {
        let plan = Arc::new(plan);
        for scope in &plan.scopes {
            let session = scope.scope.session().and_then(|key| self.sessions.get(key));
            // Whoever says goodbye must not leave anything behind.
            session.map_or(&self.global.scope, |session| &session.scope).bus().seal();
        }
        let mut failures = self.on_sessions(Phase::Downs, &plan).await;
        failures.extend(self.global.run(Phase::Downs, &plan, &self.catalogues.global).await);
        failures.iter().for_each(log);
        for scope in &plan.scopes {
            match &scope.scope {
                ScopeName::Global => {
                    self.global.commit();
                    self.global.close();
                }
                ScopeName::Session { key, .. } => {
                    let Some(mut session) = self.sessions.remove(*key) else { continue };
                    session.commit();
                    session.close();
                    self.surroundings.forget(session);
                    Arc::make_mut(&mut self.world.wishes).forget(*key);
                    self.world.sessions.remove_mut(*key);
                    self.published.change_sessions(|open| open.remove_mut(*key));
                }
            }
            let failed = failures.iter().filter(|failure| failure.scope == scope.scope);
            journal::closed(&scope.scope, failed.count());
        }
        self.publish();
        Report { generation: self.world.generation, plan: Arc::unwrap_or_clone(plan), failures }
    }
}
