//! The one task that changes anything.
//!
//! Callers send a [`Command`] and wait for the reply. A caller that stops waiting, say because a browser tab was
//! closed, leaves no half-made change: the task carries on. Readers never wait for it: what they read was published.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc};

use crate::{
    context::{Context, Edit, GlobalContext, SessionContext, Sessions},
    declare::{AddError, Declared, Known},
    error::HookError,
    id::PluginId,
    plan::{BySession, Closing, Plan, ScopeName, ScopePlan, UnknownReferences, Wishes, World},
    plugin::AnyPlugin,
    report::{self, ChangeError, Report},
    scope::Scope,
    settings::RuntimeSettings,
};

mod surroundings;
mod hook;
mod journal;
mod handle;
mod command;
mod catalogue;
mod attached;
mod crew;
mod undo;
mod scope_state;
mod open_sessions;
mod turns;
mod showing;
mod quarantine;
mod change;
mod doors;

use catalogue::Catalogues;
pub(crate) use command::{Command, Latest, Reply, Wake};
pub(crate) use handle::Opened;
use open_sessions::OpenSessions;
use scope_state::{Phase, ScopeState, log};
pub use surroundings::FailurePolicy;
use surroundings::Surroundings;

/// What the driver tells everybody.
#[derive(Default)]
pub(crate) struct Published {
    pub(crate) world: ArcSwap<World>,
    pub(crate) sessions: ArcSwap<BySession<Scope>>,
    /// The newest settings that somebody wants and that have not been looked at yet.
    pub(crate) latest: Latest,
}

impl Sessions for Published {
    fn open(&self) -> Vec<Scope> {
        self.sessions.load().values().cloned().collect()
    }

    fn running(&self, plugin: &PluginId) -> Option<Scope> {
        // Both are read at one moment each: a session that one of them knows, the other may not know any more.
        let (world, open) = (self.world.load(), self.sessions.load());
        let mut running = world.sessions.iter().filter(|(_, session)| session.current.order.contains(plugin));
        running.find_map(|(key, _)| open.get(key).cloned())
    }
}

impl Published {
    /// What tells the runtime apart from others, within hooks.
    pub(crate) fn runtime(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Shows others which sessions are open. For the driver alone: two who did this at once would undo each other's work.
    fn change_sessions(&self, change: impl FnOnce(&mut BySession<Scope>)) {
        let mut sessions = BySession::clone(&self.sessions.load());
        change(&mut sessions);
        self.sessions.store(Arc::new(sessions));
    }

    /// That a change of this runtime can be awaited here, which it cannot within one of its hooks.
    pub(crate) fn refuse_within_hook(&self) -> Result<(), ChangeError> {
        if hook::is_within_hook_of(self.runtime()) { Err(ChangeError::WithinHook) } else { Ok(()) }
    }
}

pub(crate) struct Driver<G, S> {
    published: Arc<Published>,
    stream: broadcast::Sender<Arc<RuntimeSettings>>,
    edits: mpsc::UnboundedReceiver<Edit>,
    surroundings: Surroundings,
    plugins: Vec<Declared<G, S>>,
    catalogues: Catalogues<G, S>,
    data: Arc<G>,
    world: World,
    global: ScopeState<GlobalContext<G>>,
    sessions: OpenSessions<SessionContext<G, S>>,
    next_key: u64,
    /// How the last session opened, until a change makes others open differently.
    last_opening: Option<ScopePlan>,
}

/// What a runtime is started with.
pub(crate) struct Setup<G, S> {
    pub(crate) plugins: Vec<Declared<G, S>>,
    pub(crate) data: Arc<G>,
    pub(crate) unknown: UnknownReferences,
    pub(crate) deadline: Duration,
    pub(crate) policy: FailurePolicy,
    pub(crate) stream: broadcast::Sender<Arc<RuntimeSettings>>,
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Driver<G, S> {
    /// A driver that runs nothing yet.
    pub(crate) fn new(setup: Setup<G, S>, published: Arc<Published>) -> Self {
        let Setup { plugins, data, unknown, deadline, policy, stream } = setup;
        let catalogues = Catalogues::new(&plugins);
        let (sender, edits) = mpsc::unbounded_channel();
        let runtime = published.runtime();
        let surroundings = Surroundings { runtime, deadline, policy, edits: sender };
        let scope = Scope::new(ScopeName::Global);
        let (global_data, sessions) = (Arc::clone(&data), Arc::clone(&published));
        let make_context = move |context: Context| {
            GlobalContext::new(context, Arc::clone(&global_data), Arc::clone(&sessions) as _)
        };
        let global = ScopeState::new(scope, surroundings.clone(), Arc::new(make_context));
        let wishes = Wishes { declarations: catalogues.declarations(), ..Wishes::default() };
        let world = World { unknown, wishes: Arc::new(wishes), ..World::default() };
        let (sessions, next_key, last_opening) = (OpenSessions::new(), 0, None);
        Self {
            published,
            stream,
            edits,
            surroundings,
            plugins,
            catalogues,
            data,
            world,
            global,
            sessions,
            next_key,
            last_opening,
        }
    }

    pub(crate) fn global_scope(&self) -> &Scope {
        &self.global.scope
    }

    /// Runs until it is shut down, or nobody is left who could ask for anything.
    pub(crate) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command<G, S>>) {
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
                Some(Command::Update { settings, reply }) => {
                    reply.answer(self.update(settings).await);
                }
                Some(Command::Latest(wake)) => {
                    let Some((settings, reply)) = wake.take() else { continue };
                    reply.answer(self.update(settings).await);
                }
                Some(Command::Apply { plan, reply }) => {
                    reply.answer(self.apply(*plan).await);
                }
                Some(Command::Overlay { scope, overlay, reply }) => {
                    reply.answer(self.overlay(&scope, overlay).await);
                }
                Some(Command::Snapshot { settings, reply }) => {
                    if *self.world.wishes.settings != settings {
                        self.store(Arc::new(settings));
                    }
                    reply.answer(Ok(()));
                }
                Some(Command::Add { plugin, reply }) => {
                    reply.answer(self.add(plugin).await);
                }
                Some(Command::Remove { plugin, reply }) => {
                    reply.answer(self.remove(&plugin).await);
                }
                Some(Command::Open { name, data, overlay, commands, reply }) => {
                    // If the caller has hung up, the handle is dropped, which closes the session.
                    reply.answer(self.open(name, data, overlay, commands).await);
                }
                Some(Command::Close { key, reply }) => {
                    let outcome = match self.sessions.contains(key) {
                        true => Ok(self.close(Closing::Session(key)).await),
                        false => Err(ChangeError::NoSuchSession),
                    };
                    match (reply, outcome) {
                        (Some(reply), outcome) => drop(reply.answer(outcome)),
                        (None, Ok(report)) => report::forget(report.failures),
                        (None, Err(_)) => {}
                    }
                }
                Some(Command::Shutdown { reply }) => {
                    let report = self.close(Closing::Everything).await;
                    reply.answer(Ok(report));
                    return;
                }
                None => return self.end().await,
            }
        }
    }

    /// Takes everything down that runs, with nobody to tell of it but the log.
    pub(crate) async fn end(mut self) {
        report::forget(self.close(Closing::Everything).await.failures);
    }

    /// Makes everything follow `settings`.
    pub(crate) async fn update(&mut self, settings: RuntimeSettings) -> Result<Report, ChangeError> {
        let wishes = self.world.wishes.with_settings(settings);
        let report = self.follow(&wishes).await?;
        self.tell_stream();
        Ok(report)
    }

    /// Carries out a plan that was made before, unless the world has moved since.
    async fn apply(&mut self, plan: Plan) -> Result<Report, ChangeError> {
        // Plugins come and go with a generation, so that one runtime has the same list all through it.
        let same_generation = plan.generation == self.world.generation;
        if same_generation && !Arc::ptr_eq(&plan.wishes.declarations, &self.world.wishes.declarations) {
            return Err(ChangeError::ForeignPlan);
        }
        if !same_generation {
            return Err(ChangeError::Stale { planned: plan.generation, now: self.world.generation });
        }
        let report = self.make(plan).await?;
        self.tell_stream();
        Ok(report)
    }

    /// Makes one scope follow what it has on top of the settings.
    async fn overlay(&mut self, scope: &ScopeName, overlay: RuntimeSettings) -> Result<Report, ChangeError> {
        if let ScopeName::Session { key, .. } = scope
            && !self.sessions.contains(*key)
        {
            return Err(ChangeError::NoSuchSession);
        }
        let wishes = self.world.wishes.with_overlay(scope, Arc::new(overlay));
        self.follow_with_settings_in_force(&Arc::new(wishes)).await
    }

    /// Makes everything follow `wishes` whose settings are those in force. They may have been stored with nothing
    /// following, and name what is passed over now; then they are others afterwards, and the stream is told.
    async fn follow_with_settings_in_force(&mut self, wishes: &Arc<Wishes>) -> Result<Report, ChangeError> {
        let report = self.follow(wishes).await?;
        if self.world.wishes.settings != wishes.settings {
            self.tell_stream();
        }
        Ok(report)
    }

    async fn add(&mut self, plugin: AnyPlugin<G, S>) -> Result<Report, ChangeError> {
        let runtime = self.surroundings.runtime;
        let declared = hook::contained(runtime, || Known::of(&self.plugins).declare(plugin));
        let panicked = |error: HookError| AddError::Panicked { message: error.to_string() };
        let declared =
            declared.map_err(panicked).and_then(|declared| declared).map_err(ChangeError::Plugin)?;
        let id = declared.0.manifest.id().clone();
        let mut plugins = self.plugins.clone();
        plugins.push(declared);
        self.change_plugins(plugins, |removed| {
            removed.remove(&id);
        })
        .await
    }

    async fn remove(&mut self, plugin: &PluginId) -> Result<Report, ChangeError> {
        let mut plugins = self.plugins.clone();
        plugins.retain(|(declaration, _)| declaration.manifest.id() != plugin);
        if plugins.len() == self.plugins.len() {
            return Err(ChangeError::NoSuchPlugin { plugin: plugin.clone() });
        }
        self.change_plugins(plugins, |removed| {
            removed.insert(plugin.clone());
        })
        .await
    }

    /// Makes everything follow the settings in force with other plugins.
    async fn change_plugins(
        &mut self,
        plugins: Vec<Declared<G, S>>,
        change_removed: impl FnOnce(&mut std::collections::BTreeSet<PluginId>),
    ) -> Result<Report, ChangeError> {
        let catalogues = Catalogues::new(&plugins);
        let mut wishes = Wishes::clone(&self.world.wishes);
        wishes.declarations = catalogues.declarations();
        change_removed(Arc::make_mut(&mut wishes.removed));
        let before = std::mem::replace(&mut self.catalogues, catalogues);
        match self.follow_with_settings_in_force(&Arc::new(wishes)).await {
            Ok(report) => {
                self.plugins = plugins;
                Ok(report)
            }
            Err(error) => {
                self.catalogues = before;
                Err(error)
            }
        }
    }

    /// A change that a hook asked for.
    async fn edit(&mut self, edit: Edit) {
        let runtime = self.surroundings.runtime;
        let not_made = |error: &dyn std::fmt::Display| {
            tracing::error!(target: "jackfield::plugin", %error, "A change that a plugin asked for was not made.");
        };
        match hook::contained(runtime, || edit(&self.world.wishes.settings)) {
            Err(error) => not_made(&error),
            Ok(settings) => match self.update(settings).await {
                Ok(report) => report::forget(report.failures),
                Err(error) => {
                    not_made(&error);
                    error.forget();
                }
            },
        }
    }

    /// Puts `settings` in force for whoever reads them, and says so once.
    fn store(&mut self, settings: Arc<RuntimeSettings>) {
        Arc::make_mut(&mut self.world.wishes).settings = settings;
        self.publish();
        self.tell_stream();
    }

    fn tell_stream(&self) {
        drop(self.stream.send(Arc::clone(&self.world.wishes.settings))); // an error means that nobody listens
    }

    /// Shows readers what runs now.
    fn publish(&mut self) {
        self.world.generation += 1;
        self.world.global = Arc::clone(&self.global.current);
        self.published.world.store(Arc::new(self.world.clone()));
    }
}
