//! The one task that changes anything.
//!
//! Callers send a [`Command`] and wait for the reply. A caller that stops waiting, say because a browser tab was
//! closed, leaves no half-made change: the task carries on. Readers never wait for it: what they read was published.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{
    sync::{Semaphore, broadcast, mpsc, oneshot},
    task::JoinSet,
};

use crate::{
    context::{Context, Edit, GlobalContext, SessionContext},
    declare::Declared,
    plan::{Plan, ScopeName, SessionKey, SessionWorld, UnknownReferences, World},
    report::{ChangeError, Failure, Report},
    scope::Scope,
    settings::RuntimeSettings,
};

mod catalogue;
mod hook;
mod scope_state;

pub(crate) use catalogue::Catalogues;
pub(crate) use hook::is_within_hook_of;
use scope_state::{Phase, ScopeState, Surroundings, log};

/// How many sessions are changed at the same time: enough to keep every core busy while hooks wait, and few enough
/// that ten thousand sessions do not all hold their resources twice.
const SESSIONS_AT_ONCE: usize = 64;

type Reply<T> = oneshot::Sender<Result<T, ChangeError>>;

/// What can be asked of the driver.
pub(crate) enum Command<S> {
    Update { settings: RuntimeSettings, reply: Reply<Report> },
    Snapshot { settings: RuntimeSettings, reply: Reply<()> },
    Open { name: Arc<str>, data: Arc<S>, reply: Reply<Opened> },
    Close { key: SessionKey, reply: Option<Reply<Report>> },
    Shutdown { reply: Reply<Report> },
}

/// What a session handle is made of.
pub(crate) struct Opened {
    pub(crate) key: SessionKey,
    pub(crate) scope: Scope,
}

/// What the driver tells everybody.
pub(crate) struct Published {
    pub(crate) world: ArcSwap<World>,
}

pub(crate) struct Driver<G, S> {
    published: Arc<Published>,
    stream: broadcast::Sender<Arc<RuntimeSettings>>,
    edits: mpsc::UnboundedReceiver<Edit>,
    surroundings: Surroundings,
    catalogues: Catalogues<G, S>,
    data: Arc<G>,
    world: World,
    global: ScopeState<GlobalContext<G>>,
    sessions: BTreeMap<SessionKey, ScopeState<SessionContext<G, S>>>,
    next_key: u64,
}

/// What a runtime is started with.
pub(crate) struct Setup<G, S> {
    pub(crate) plugins: Vec<Declared<G, S>>,
    pub(crate) data: Arc<G>,
    pub(crate) unknown: UnknownReferences,
    pub(crate) deadline: Duration,
    pub(crate) stream: broadcast::Sender<Arc<RuntimeSettings>>,
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Driver<G, S> {
    /// A driver that runs nothing yet. Within a hook it is told apart by the address of `published`.
    pub(crate) fn new(setup: Setup<G, S>, published: Arc<Published>) -> Self {
        let Setup { plugins, data, unknown, deadline, stream } = setup;
        let catalogues = Catalogues::new(plugins);
        let (sender, edits) = mpsc::unbounded_channel();
        let surroundings = Surroundings { runtime: Arc::as_ptr(&published).addr(), deadline, edits: sender };
        let global_data = Arc::clone(&data);
        let make_context = move |context: Context| GlobalContext::new(context, Arc::clone(&global_data));
        let scope = Scope::new(ScopeName::Global);
        let global = ScopeState::new(scope, surroundings.clone(), Arc::new(make_context));
        let world = World { declarations: catalogues.declarations(), unknown, ..World::default() };
        let (sessions, next_key) = (BTreeMap::new(), 0);
        Self { published, stream, edits, surroundings, catalogues, data, world, global, sessions, next_key }
    }

    pub(crate) fn global_scope(&self) -> &Scope {
        &self.global.scope
    }

    /// Runs until it is shut down, or nobody is left who could ask for anything.
    pub(crate) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command<S>>) {
        loop {
            let command = tokio::select! {
                biased;
                Some(edit) = self.edits.recv() => {
                    self.edit(edit).await;
                    continue;
                }
                command = commands.recv() => command,
            };
            match command {
                Some(Command::Update { settings, reply }) => answer(reply, self.update(&settings).await),
                Some(Command::Snapshot { settings, reply }) => {
                    self.store(Arc::new(settings));
                    answer(reply, Ok(()));
                }
                Some(Command::Open { name, data, reply }) => {
                    let opened = self.open(name, data).await;
                    let key = opened.as_ref().ok().map(|opened| opened.key);
                    if let (Err(_), Some(key)) = (reply.send(opened), key) {
                        // The caller hung up, and nobody else ever will close it. What fails is logged.
                        drop(self.close(|name| is_session(name, key)).await);
                    }
                }
                Some(Command::Close { key, reply }) => {
                    let known = self.sessions.contains_key(&key);
                    let report = self.close(|name| is_session(name, key)).await;
                    if let Some(reply) = reply {
                        answer(reply, if known { Ok(report) } else { Err(ChangeError::NoSuchSession) });
                    }
                }
                Some(Command::Shutdown { reply }) => {
                    let report = self.close(|_| true).await;
                    answer(reply, Ok(report));
                    return;
                }
                None => {
                    drop(self.close(|_| true).await); // what fails is logged
                    return;
                }
            }
        }
    }

    /// Makes everything follow `settings`.
    pub(crate) async fn update(&mut self, settings: &RuntimeSettings) -> Result<Report, ChangeError> {
        let plan = self.world.plan(settings).map_err(ChangeError::Refused)?;
        for problem in &plan.skipped {
            tracing::error!(%problem, "A reference in the settings was passed over.");
        }
        self.carry_out(&plan).await?;
        self.global.commit(&plan);
        self.sessions.values_mut().for_each(|session| session.commit(&plan));
        self.store(Arc::clone(&plan.settings));
        Ok(Report { generation: self.world.generation, plan, failures: Vec::new() })
    }

    /// A change that a hook asked for.
    async fn edit(&mut self, edit: Edit) {
        let edited = match hook::contained(|| edit(&self.world.settings)) {
            Ok(settings) => self.update(&settings).await.map(drop).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = edited {
            tracing::error!(%error, "A change that a plugin asked for was not made.");
        }
    }

    async fn open(&mut self, name: Arc<str>, data: Arc<S>) -> Result<Opened, ChangeError> {
        let key = SessionKey(self.next_key);
        let scope_name = ScopeName::Session { key, name };
        let plan = self.world.plan_opening(scope_name.clone()).map_err(ChangeError::Refused)?;
        let scope = Scope::new(scope_name.clone());
        let (global, global_scope) = (Arc::clone(&self.data), self.global.scope.clone());
        let make_context = move |context: Context| {
            SessionContext::new(context, Arc::clone(&data), Arc::clone(&global), global_scope.clone())
        };
        let mut session = ScopeState::new(scope.clone(), self.surroundings.clone(), Arc::new(make_context));

        let (old, catalogue) = (Arc::clone(&self.world.settings), &self.catalogues.session);
        let failures = session.run(Phase::Ups, &plan, &old, catalogue).await;
        if !failures.is_empty() {
            session.run(Phase::UndoUps, &plan, &old, catalogue).await;
            session.close();
            return Err(ChangeError::Reverted { failures });
        }
        session.commit(&plan);
        tracing::info!(scope = %scope_name, "Session opened.");
        self.next_key += 1;
        self.sessions.insert(key, session);
        self.publish();
        Ok(Opened { key, scope })
    }

    /// Takes everything down in the scopes that `closes` names. Nothing stands in the way of it; what fails is
    /// reported.
    async fn close(&mut self, closes: impl Fn(&ScopeName) -> bool) -> Report {
        let plan = self.world.plan_closing(closes);
        let old = Arc::clone(&self.world.settings);
        let mut failures = self.on_sessions(Phase::Downs, &plan, &old).await;
        failures.extend(self.global.run(Phase::Downs, &plan, &old, &self.catalogues.global).await);
        failures.iter().for_each(log);
        for scope in &plan.scopes {
            match &scope.scope {
                ScopeName::Global => {
                    self.global.commit(&plan);
                    self.global.close();
                }
                ScopeName::Session { key, .. } => {
                    let Some(mut session) = self.sessions.remove(key) else { continue };
                    session.commit(&plan);
                    session.close();
                }
            }
            tracing::info!(scope = %scope.scope, "Scope closed.");
        }
        self.publish();
        Report { generation: self.world.generation, plan, failures }
    }

    /// All of `plan`, or nothing: dependents go down before what they depend on, across scopes too, and come up
    /// after it.
    async fn carry_out(&mut self, plan: &Plan) -> Result<(), ChangeError> {
        let old = Arc::clone(&self.world.settings);
        let failures = self.forward(plan, &old).await;
        if failures.is_empty() {
            return Ok(());
        }
        failures.iter().for_each(log);
        self.on_sessions(Phase::UndoUps, plan, &old).await;
        self.global.run(Phase::UndoUps, plan, &old, &self.catalogues.global).await;
        let mut lost = self.global.run(Phase::UndoDowns, plan, &old, &self.catalogues.global).await;
        lost.extend(self.on_sessions(Phase::UndoDowns, plan, &old).await);
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
    async fn on_sessions(&mut self, phase: Phase, plan: &Plan, old: &Arc<RuntimeSettings>) -> Vec<Failure> {
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

        let shared = Arc::new((plan.clone(), Arc::clone(old), Arc::clone(&self.catalogues.session)));
        let turns = Arc::new(Semaphore::new(SESSIONS_AT_ONCE));
        let mut running = JoinSet::new();
        for key in concerned {
            let Some(mut session) = self.sessions.remove(&key) else { continue };
            let (shared, turns) = (Arc::clone(&shared), Arc::clone(&turns));
            running.spawn(async move {
                let _turn = turns.acquire().await; // an error would mean that it was closed, which nobody does
                let (plan, old, catalogue) = &*shared;
                let failures = session.run(phase, plan, old, catalogue).await;
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

    /// Puts `settings` in force, and says so once.
    fn store(&mut self, settings: Arc<RuntimeSettings>) {
        self.world.settings = Arc::clone(&settings);
        self.publish();
        drop(self.stream.send(settings)); // an error means that nobody listens
    }

    /// Shows readers what runs now.
    fn publish(&mut self) {
        self.world.generation += 1;
        self.world.global = Arc::clone(&self.global.current);
        self.world.sessions = self
            .sessions
            .values()
            .map(|session| SessionWorld {
                name: session.scope.name().clone(),
                current: Arc::clone(&session.current),
            })
            .collect();
        self.published.world.store(Arc::new(self.world.clone()));
    }
}

fn is_session(name: &ScopeName, wanted: SessionKey) -> bool {
    matches!(name, ScopeName::Session { key, .. } if *key == wanted)
}

fn answer<T>(reply: Reply<T>, outcome: Result<T, ChangeError>) {
    drop(reply.send(outcome)); // an error means that the caller hung up, which it may
}
