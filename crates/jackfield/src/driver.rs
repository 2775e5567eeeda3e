//! The one task that changes anything.
//!
//! Callers send a [`Command`] and wait for the reply. A caller that stops waiting, say because a browser tab was
//! closed, leaves no half-made change: the task carries on. Readers never wait for it: what they read was published.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::{
    context::{Context, Edit, GlobalContext, SessionContext},
    declare::Declared,
    plan::{Plan, ScopeName, SessionKey, SessionWorld, UnknownReferences, Warning, World},
    report::{ChangeError, Report},
    scope::Scope,
    settings::{Problems, RuntimeSettings},
};

mod catalogue;
mod change;
mod handle;
mod hook;
mod scope_state;

pub(crate) use catalogue::Catalogues;
pub(crate) use handle::Opened;
pub(crate) use hook::is_within_hook_of;
use scope_state::{Phase, ScopeState, Surroundings, log};

type Reply<T> = oneshot::Sender<Result<T, ChangeError>>;

/// What can be asked of the driver.
pub(crate) enum Command<S> {
    Update {
        settings: RuntimeSettings,
        reply: Reply<Report>,
    },
    Snapshot {
        settings: RuntimeSettings,
        reply: Reply<()>,
    },
    Open {
        name: Arc<str>,
        data: Arc<S>,
        commands: mpsc::UnboundedSender<Command<S>>,
        reply: Reply<Opened<S>>,
    },
    Close {
        key: SessionKey,
        reply: Option<Reply<Report>>,
    },
    Shutdown {
        reply: Reply<Report>,
    },
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
    /// What was warned of already.
    warned: BTreeSet<Warning>,
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
        let (sessions, next_key, warned) = (BTreeMap::new(), 0, BTreeSet::new());
        Self {
            published,
            stream,
            edits,
            surroundings,
            catalogues,
            data,
            world,
            global,
            sessions,
            next_key,
            warned,
        }
    }

    pub(crate) fn global_scope(&self) -> &Scope {
        &self.global.scope
    }

    /// Runs until it is shut down, or nobody is left who could ask for anything.
    pub(crate) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command<S>>) {
        let mut edited = false;
        loop {
            // Changes that hooks ask for go before what callers ask for, but one at a time: a hook that always asks
            // for another must not keep everybody waiting.
            let next = if edited { commands.try_recv().ok() } else { None };
            edited = false;
            let next = match next {
                Some(command) => Some(command),
                None => tokio::select! {
                    biased;
                    Some(edit) = self.edits.recv() => {
                        self.edit(edit).await;
                        edited = true;
                        continue;
                    }
                    command = commands.recv() => command,
                },
            };
            match next {
                Some(Command::Update { settings, reply }) => answer(reply, self.update(&settings).await),
                Some(Command::Snapshot { settings, reply }) => {
                    if *self.world.settings != settings {
                        self.store(Arc::new(settings));
                    }
                    answer(reply, Ok(()));
                }
                Some(Command::Open { name, data, commands, reply }) => {
                    let (runtime, opened) = (self.surroundings.runtime, self.open(name, data).await);
                    let handle = |(key, scope)| Opened { key, scope, runtime, commands: Some(commands) };
                    answer(reply, opened.map(handle)); // if the caller hung up, the handle is dropped and closes
                }
                Some(Command::Close { key, reply }) => {
                    let known = self.sessions.contains_key(&key);
                    let outcome = match known {
                        true => Ok(self.close(|name| is_session(name, key)).await),
                        false => Err(ChangeError::NoSuchSession),
                    };
                    if let Some(reply) = reply {
                        answer(reply, outcome);
                    }
                }
                Some(Command::Shutdown { reply }) => {
                    let report = self.close(|_| true).await;
                    answer(reply, Ok(report));
                    return;
                }
                None => return self.end().await,
            }
        }
    }

    /// Takes everything down that runs, with nobody to tell of it but the log.
    pub(crate) async fn end(mut self) {
        drop(self.close(|_| true).await);
    }

    /// Makes everything follow `settings`.
    pub(crate) async fn update(&mut self, settings: &RuntimeSettings) -> Result<Report, ChangeError> {
        let plan = self.world.plan(settings).map_err(ChangeError::Refused)?;
        say_skipped(&plan);
        let warnings = self.warn(&plan);
        self.carry_out(&plan).await?;
        self.warned = warnings;
        self.global.commit(&plan);
        self.sessions.values_mut().for_each(|session| session.commit(&plan));
        self.store(Arc::clone(&plan.settings));
        Ok(Report { generation: self.world.generation, plan, failures: Vec::new() })
    }

    /// A change that a hook asked for.
    async fn edit(&mut self, edit: Edit) {
        let edited = match hook::contained(self.surroundings.runtime, || edit(&self.world.settings)) {
            Ok(settings) => self.update(&settings).await.map(drop).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = edited {
            tracing::error!(%error, "A change that a plugin asked for was not made.");
        }
    }

    async fn open(&mut self, name: Arc<str>, data: Arc<S>) -> Result<(SessionKey, Scope), ChangeError> {
        let key = SessionKey(self.next_key);
        self.next_key += 1; // also if it fails: plugins have seen it
        let scope_name = ScopeName::Session { key, name };
        let scope = Scope::new(scope_name.clone());
        let (global, global_scope) = (Arc::clone(&self.data), self.global.scope.clone());
        let make_context = move |context: Context| {
            SessionContext::new(context, Arc::clone(&data), Arc::clone(&global), global_scope.clone())
        };
        let mut session = ScopeState::new(scope.clone(), self.surroundings.clone(), Arc::new(make_context));

        let plan = match self.world.plan_opening(scope_name.clone()) {
            Ok(plan) => plan,
            Err(problems) => {
                self.surroundings.forget(session); // and the application's data with it
                return Err(ChangeError::Refused(problems));
            }
        };
        say_skipped(&plan);
        let warnings = self.warn(&plan);
        let (old, catalogue) = (Arc::clone(&self.world.settings), &self.catalogues.session);
        let failures = session.run(Phase::Ups, &plan, &old, catalogue).await;
        if !failures.is_empty() {
            failures.iter().for_each(log);
            session.scope.bus().seal();
            session.run(Phase::UndoUps, &plan, &old, catalogue).await;
            session.close();
            self.surroundings.forget(session);
            return Err(ChangeError::Reverted { failures });
        }
        session.commit(&plan);
        self.warned.extend(warnings);
        tracing::info!(scope = %scope_name, "Session opened.");
        self.sessions.insert(key, session);
        self.publish();
        Ok((key, scope))
    }

    /// Takes everything down in the scopes that `closes` names. Nothing stands in the way of it; what fails is
    /// reported.
    async fn close(&mut self, closes: impl Fn(&ScopeName) -> bool) -> Report {
        let plan = self.world.plan_closing(closes);
        for name in plan.scopes.iter().map(|scope| &scope.scope) {
            let session =
                if let ScopeName::Session { key, .. } = name { self.sessions.get(key) } else { None };
            // Whoever says goodbye must not leave anything behind.
            session.map_or(&self.global.scope, |session| &session.scope).bus().seal();
        }
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
                    self.surroundings.forget(session);
                }
            }
            tracing::info!(scope = %scope.scope, "Scope closed.");
        }
        self.publish();
        Report { generation: self.world.generation, plan, failures }
    }

    /// Says once what is to be warned of in `plan`, in whatever number of scopes, unless it was said when it came to be.
    fn warn(&self, plan: &Plan) -> BTreeSet<Warning> {
        let warnings = plan.scopes.iter().flat_map(|scope| scope.next.warnings.iter().cloned()).collect();
        for warning in BTreeSet::difference(&warnings, &self.warned) {
            tracing::error!(%warning, "Plugins take part all the same.");
        }
        warnings
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

/// One record of all references that were passed over.
fn say_skipped(plan: &Plan) {
    if !plan.skipped.is_empty() {
        let references = Problems(plan.skipped.clone());
        tracing::error!(%references, "References in the settings were passed over.");
    }
}

fn answer<T>(reply: Reply<T>, outcome: Result<T, ChangeError>) {
    drop(reply.send(outcome)); // an error means that the caller hung up, which it may
}
