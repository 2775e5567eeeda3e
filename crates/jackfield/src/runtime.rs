use std::{fmt, sync::Arc};

use tokio::sync::{broadcast, mpsc};

use crate::{
    context::Sessions,
    driver::{Command, Published, Reply, Wake},
    event::{EmitError, Envelope},
    id::PluginId,
    plan::{Plan, ScopeName},
    plugin::IntoPlugin,
    report::{ChangeError, Report},
    scope::{Scope, broadcast},
    session::{NewSession, Session},
    settings::{Problems, RuntimeSettings},
};

mod stream;
mod builder;
mod explaining;

#[cfg(feature = "testing")]
pub(crate) use self::builder::HOOK_DEADLINE;
pub use self::{
    builder::{InitError, RuntimeBuilder},
    stream::SettingsStream,
};

/// The lifecycle engine: plugins, the global scope, the settings, and the sessions.
///
/// A handle: clones share one runtime. `G` and `S` are the application's own data for the global scope and for each
/// session; both are `()` unless it brings some.
///
/// # Lifetime
///
/// The runtime ends with [`shutdown`](Self::shutdown), or when the last handle and the last session are dropped.
pub struct PluginRuntime<G = (), S = ()> {
    commands: mpsc::UnboundedSender<Command<G, S>>,
    published: Arc<Published>,
    stream: broadcast::WeakSender<Arc<RuntimeSettings>>,
    global: Scope,
    data: Arc<G>,
}

impl PluginRuntime {
    /// Describes a runtime without data of its own.
    pub fn builder() -> RuntimeBuilder<(), ()> {
        PluginRuntime::builder_with(())
    }
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> PluginRuntime<G, S> {
    /// Describes a runtime with `data` for its global scope.
    pub fn builder_with(data: G) -> RuntimeBuilder<G, S> {
        RuntimeBuilder::new(data)
    }

    /// The settings in force. An atomic read and an `Arc` cloned; never waits.
    pub fn settings(&self) -> Arc<RuntimeSettings> {
        Arc::clone(&self.published.world.load().wishes.settings)
    }

    /// All settings that come into force from now on: each once, after the change to them is complete, the same
    /// value again included. Ends when the runtime does.
    ///
    /// Several may listen. Who falls far behind skips to newer settings, and always gets the newest.
    pub fn settings_stream(&self) -> SettingsStream {
        SettingsStream::of(self.stream.upgrade().as_ref())
    }

    /// What [`update_settings`](Self::update_settings) would do, and why. Changes nothing and waits for nobody.
    ///
    /// # Errors
    ///
    /// All that is wrong with `settings`, at once.
    pub fn plan(&self, settings: &RuntimeSettings) -> Result<Plan, Problems> {
        let world = self.published.world.load();
        world.plan(&world.wishes.with_settings(settings.clone()))
    }

    /// Makes the global scope and all sessions follow `settings`: all of it, or nothing. Changes queue; each is
    /// answered.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Refused`] if the settings are wrong; [`ChangeError::Reverted`] or [`ChangeError::Degraded`] if
    /// a plugin failed; [`ChangeError::Closed`] after shutdown; [`ChangeError::WithinHook`] in a hook.
    ///
    /// # Cancel safety
    ///
    /// The change is made even if nobody waits for it.
    pub async fn update_settings(&self, settings: RuntimeSettings) -> Result<Report, ChangeError> {
        self.ask(|reply| Command::Update { settings, reply }).await
    }

    /// Puts `settings` in the place of the settings in force and tells the stream, and leaves everything that runs
    /// as it is. Equal settings change nothing, and nobody is told. For bookkeeping; when in doubt, use
    /// [`update_settings`](Self::update_settings).
    ///
    /// # Errors
    ///
    /// [`ChangeError::Closed`] after shutdown; [`ChangeError::WithinHook`] in a hook.
    ///
    /// # Cancel safety
    ///
    /// The settings are replaced even if nobody waits for it.
    pub async fn update_settings_snapshot(&self, settings: RuntimeSettings) -> Result<(), ChangeError> {
        self.ask(|reply| Command::Snapshot { settings, reply }).await
    }

    /// Puts empty settings in the place of the settings in force, as
    /// [`update_settings_snapshot`](Self::update_settings_snapshot) does.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Closed`] after shutdown; [`ChangeError::WithinHook`] in a hook.
    ///
    /// # Cancel safety
    ///
    /// The settings are replaced even if nobody waits for it.
    pub async fn reset_settings_snapshot(&self) -> Result<(), ChangeError> {
        self.update_settings_snapshot(RuntimeSettings::default()).await
    }

    /// Carries out a plan that was looked at before, if the runtime is still at the generation it was made for.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Stale`] if it is not, [`ChangeError::ForeignPlan`] if another runtime made the plan, besides those of [`update_settings`](Self::update_settings).
    ///
    /// # Cancel safety
    ///
    /// The change is made even if nobody waits for it.
    pub async fn apply(&self, plan: Plan) -> Result<Report, ChangeError> {
        self.ask(|reply| Command::Apply { plan: Box::new(plan), reply }).await
    }

    /// As [`update_settings`](Self::update_settings), for settings that come faster than they can be followed, say from
    /// a slider: of those that wait, only the newest are followed.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Superseded`] if newer ones came, besides those of [`update_settings`](Self::update_settings).
    ///
    /// # Cancel safety
    ///
    /// The change is made even if nobody waits for it.
    pub async fn update_latest(&self, settings: RuntimeSettings) -> Result<Report, ChangeError> {
        self.published.refuse_within_hook()?;
        let (reply, answer) = Reply::pair();
        if self.published.latest.put(settings, reply) {
            let wake = Wake::new(&self.published);
            self.commands.send(Command::Latest(wake)).map_err(|_| ChangeError::Closed)?;
        }
        answer.await.map_err(|_| ChangeError::Closed)?
    }

    /// Gives the global scope other settings on top of the runtime's, and makes it follow, with the sessions' plugins
    /// that need a global one. The runtime's settings do not change; a later change of them keeps what is on top.
    ///
    /// # Errors
    ///
    /// As [`update_settings`](Self::update_settings).
    ///
    /// # Cancel safety
    ///
    /// The change is made even if nobody waits for it.
    pub async fn update_global_overlay(&self, overlay: RuntimeSettings) -> Result<Report, ChangeError> {
        self.ask(|reply| Command::Overlay { scope: ScopeName::Global, overlay, reply }).await
    }

    /// Adds a plugin while the runtime runs: a change like any other.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Plugin`] if it does not go with those that are there, besides those of
    /// [`update_settings`](Self::update_settings).
    ///
    /// # Cancel safety
    ///
    /// The change is made even if nobody waits for it.
    pub async fn add_plugin<M>(&self, plugin: impl IntoPlugin<G, S, M>) -> Result<Report, ChangeError> {
        let plugin = plugin.into_plugin();
        self.ask(|reply| Command::Add { plugin, reply }).await
    }

    /// Removes a plugin while the runtime runs: a change like any other. What settings say of it is kept, should it
    /// come back.
    ///
    /// # Errors
    ///
    /// [`ChangeError::NoSuchPlugin`] if there is none of this name, besides those of
    /// [`update_settings`](Self::update_settings).
    ///
    /// # Cancel safety
    ///
    /// The change is made even if nobody waits for it.
    pub async fn remove_plugin(&self, plugin: &PluginId) -> Result<Report, ChangeError> {
        let plugin = plugin.clone();
        self.ask(|reply| Command::Remove { plugin, reply }).await
    }

    /// Opens a session, and attaches every enabled plugin to it. A name is enough where the session's data has a
    /// default; see [`NewSession`] for more.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Refused`] if the session's own settings are wrong; [`ChangeError::Reverted`] if a plugin failed:
    /// no session is left behind. [`ChangeError::Closed`] after shutdown; [`ChangeError::WithinHook`] in a hook.
    ///
    /// # Cancel safety
    ///
    /// If nobody waits for it any more, the session is closed again.
    pub async fn create_session(
        &self,
        session: impl Into<NewSession<S>>,
    ) -> Result<Session<G, S>, ChangeError> {
        let NewSession { name, data, overlay } = session.into();
        let data = Arc::new(data);
        let (its_data, commands) = (Arc::clone(&data), self.commands.clone());
        let open = |reply| Command::Open { name, data: its_data, overlay, commands, reply };
        Ok(Session::new(self.ask(open).await?, data))
    }

    /// The sessions that are open now, in the order of their creation. Handles: they keep no session open.
    pub fn sessions(&self) -> Vec<Scope> {
        self.published.open()
    }

    /// The first open session in which `plugin` takes part.
    pub fn session_running(&self, plugin: &PluginId) -> Option<Scope> {
        self.published.running(plugin)
    }

    /// Emits `event` in every open session, side by side, and returns what came of it in each. The global scope does
    /// not hear it.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: sessions that were not done go without the rest of their handlers.
    pub async fn broadcast<E: Clone + Send + 'static>(
        &self,
        event: E,
    ) -> Vec<(ScopeName, Result<Envelope<E>, EmitError>)> {
        broadcast(self.sessions(), event).await
    }

    /// Closes all sessions and then the global scope, each in the reverse of the order in which its plugins
    /// attached, and waits until all are gone. The report says what failed on the way out; nothing stands in the way.
    /// Once it is done, doing it again does nothing.
    ///
    /// # Errors
    ///
    /// [`ChangeError::WithinHook`] in a hook.
    ///
    /// # Cancel safety
    ///
    /// The runtime shuts down even if nobody waits for it.
    pub async fn shutdown(&self) -> Result<(), ShutdownError> {
        match self.ask(|reply| Command::Shutdown { reply }).await {
            Ok(report) if report.failures.is_empty() => Ok(()),
            Ok(report) => Err(ShutdownError::Failures(report.failures)),
            Err(ChangeError::WithinHook) => Err(ShutdownError::WithinHook),
            Err(_) => Ok(()), // somebody else was first
        }
    }

    /// The global scope: its services and its bus.
    pub fn global(&self) -> &Scope {
        &self.global
    }

    /// The application's data for the global scope.
    pub fn data(&self) -> &Arc<G> {
        &self.data
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command<G, S>) -> Result<T, ChangeError> {
        self.published.refuse_within_hook()?;
        let (reply, answer) = Reply::pair();
        self.commands.send(command(reply)).map_err(|_| ChangeError::Closed)?;
        answer.await.map_err(|_| ChangeError::Closed)?
    }
}

/// What went wrong while a runtime shut down. It is down all the same, unless it was asked to by a hook.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShutdownError {
    /// Plugins failed on their way out.
    #[error("plugins failed while the runtime shut down:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Failures(Vec<crate::report::Failure>),
    /// A hook cannot await the end of the runtime that runs it.
    #[error("a hook cannot await the shutdown of its own runtime")]
    WithinHook,
}

impl<G, S> Clone for PluginRuntime<G, S> {
    fn clone(&self) -> Self {
        Self {
            commands: self.commands.clone(),
            published: Arc::clone(&self.published),
            stream: self.stream.clone(),
            global: self.global.clone(),
            data: Arc::clone(&self.data),
        }
    }
}
impl<G, S> fmt::Debug for PluginRuntime<G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = self.published.world.load().generation;
        f.debug_struct("PluginRuntime").field("generation", &generation).finish_non_exhaustive()
    }
}
