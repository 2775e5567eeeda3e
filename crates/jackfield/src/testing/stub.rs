//! Scopes made by hand: the parts are real, and nobody conducts them.

mod config;
mod context;
mod scope;

pub use self::{config::StubConfig, context::StubContext, scope::StubScope};

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    config::Configuration,
    context::{Context, GlobalContext, Outlook, SessionContext, Sessions, SettingsChange},
    id::PluginId,
    plan::{ScopeName, SessionKey},
    plugin::{GlobalPlugin, Plugin},
    scope::Scope,
    settings::{Problems, RuntimeSettings},
};

/// A global scope made by hand, for the hooks of a [`GlobalPlugin`]; and the place where sessions made by hand belong.
///
/// A handle: clones are the same scope. It dereferences to its [`StubScope`], and that to a [`Scope`].
pub struct StubGlobal<G = ()> {
    shared: Arc<Shared<G>>,
}

struct Shared<G> {
    scope: StubScope,
    data: Arc<G>,
    sessions: Arc<Mutex<Vec<Scope>>>,
    opened: AtomicU64,
}

impl<G: Send + Sync + 'static> StubGlobal<G> {
    /// An empty scope with this data, where no settings say anything.
    pub fn new(data: G) -> Self {
        Self::with_settings(data, RuntimeSettings::default())
    }

    /// The same; the configurations of plugins and services are read from `settings`, as a runtime reads them.
    pub fn with_settings(data: G, settings: RuntimeSettings) -> Self {
        let scope = StubScope::new(ScopeName::Global, settings);
        let (sessions, opened) = (Arc::default(), AtomicU64::new(0));
        Self { shared: Arc::new(Shared { scope, data: Arc::new(data), sessions, opened }) }
    }

    /// A session of this name, with this data. From now on it is one of the sessions that global plugins see.
    pub fn session<S: Send + Sync + 'static>(&self, name: &str, data: S) -> StubSession<G, S> {
        let key = SessionKey(self.shared.opened.fetch_add(1, Ordering::Relaxed));
        let name = ScopeName::Session { key, name: name.into() };
        let scope = StubScope::new(name, self.shared.scope.settings().clone());
        self.shared.sessions.lock().unwrap_or_else(PoisonError::into_inner).push(Scope::clone(&scope));
        StubSession { scope, data: Arc::new(data), global: self.clone() }
    }

    /// Has `plugin` declare what it offers; see [`StubScope::declare`].
    ///
    /// # Errors
    ///
    /// The settings hold a configuration that does not fit.
    pub fn register(&self, plugin: &impl GlobalPlugin<G>) -> Result<(), Problems> {
        self.declare(plugin.manifest().id(), |services| plugin.register(services))
    }

    /// What the hooks of `plugin` are to be handed, with its configuration as the settings have it.
    ///
    /// # Errors
    ///
    /// The settings hold a configuration that does not fit.
    pub fn context(&self, plugin: &impl GlobalPlugin<G>) -> Result<StubContext<GlobalContext<G>>, Problems> {
        let manifest = plugin.manifest();
        let config = self.shared.scope.plugin_config(&manifest)?;
        Ok(StubContext::new(&self.shared.scope, manifest.id(), config, |context| self.wrap(context)))
    }

    /// The same with a configuration that the test writes. Whether the manifest declares one is not asked.
    pub fn context_with<C: Configuration>(
        &self,
        plugin: &impl GlobalPlugin<G>,
        config: &StubConfig<C>,
    ) -> StubContext<GlobalContext<G>> {
        let id = plugin.manifest().id().clone();
        StubContext::new(&self.shared.scope, &id, Some(config.cell()), |context| self.wrap(context))
    }

    /// The data.
    pub fn data(&self) -> &Arc<G> {
        &self.shared.data
    }

    fn wrap(&self, context: Context) -> GlobalContext<G> {
        let sessions = Arc::clone(&self.shared.sessions);
        GlobalContext::new(context, Arc::clone(&self.shared.data), Arc::new(ByHand(sessions)))
    }
}

/// Sessions made by hand, in which every plugin takes part that has declared something.
struct ByHand(Arc<Mutex<Vec<Scope>>>);

impl Sessions for ByHand {
    fn open(&self) -> Vec<Scope> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn running(&self, plugin: &PluginId) -> Option<Scope> {
        self.open().into_iter().find(|scope| !scope.slots_of(plugin).is_empty())
    }
}

/// A session made by hand, for the hooks of a [`Plugin`], with a [`StubGlobal`] behind it.
///
/// Exactly those plugins take part that were [registered](Self::register). Nothing is built or attached by itself, and
/// services with a life of their own are not attached at all.
///
/// It dereferences to its [`StubScope`], and that to a [`Scope`].
pub struct StubSession<G = (), S = ()> {
    scope: StubScope,
    data: Arc<S>,
    global: StubGlobal<G>,
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> StubSession<G, S> {
    /// Has `plugin` declare what it offers; see [`StubScope::declare`].
    ///
    /// # Errors
    ///
    /// The settings hold a configuration that does not fit.
    pub fn register(&self, plugin: &impl Plugin<G, S>) -> Result<(), Problems> {
        self.declare(plugin.manifest().id(), |services| plugin.register(services))
    }

    /// What the hooks of `plugin` are to be handed, with its configuration as the settings have it.
    ///
    /// # Errors
    ///
    /// The settings hold a configuration that does not fit.
    pub fn context(&self, plugin: &impl Plugin<G, S>) -> Result<StubContext<SessionContext<G, S>>, Problems> {
        let manifest = plugin.manifest();
        let config = self.scope.plugin_config(&manifest)?;
        Ok(StubContext::new(&self.scope, manifest.id(), config, |context| self.wrap(context)))
    }

    /// The same with a configuration that the test writes. Whether the manifest declares one is not asked.
    pub fn context_with<C: Configuration>(
        &self,
        plugin: &impl Plugin<G, S>,
        config: &StubConfig<C>,
    ) -> StubContext<SessionContext<G, S>> {
        let id = plugin.manifest().id().clone();
        StubContext::new(&self.scope, &id, Some(config.cell()), |context| self.wrap(context))
    }

    /// The data.
    pub fn data(&self) -> &Arc<S> {
        &self.data
    }

    /// The global scope behind it.
    pub fn global(&self) -> &StubGlobal<G> {
        &self.global
    }

    fn wrap(&self, context: Context) -> SessionContext<G, S> {
        let global = &self.global.shared;
        let (data, global_scope) = (Arc::clone(&self.data), Scope::clone(&global.scope));
        SessionContext::new(
            context,
            Arc::new(Outlook { data, global: Arc::clone(&global.data), global_scope }),
        )
    }
}

/// What a plugin without a configuration is told in `settings_changed`; for one that has one, see
/// [`StubConfig::change`].
pub fn settings_change(old: RuntimeSettings, new: RuntimeSettings) -> SettingsChange {
    SettingsChange::new(Arc::new(old), Arc::new(new), None)
}

impl<G: Default + Send + Sync + 'static> Default for StubGlobal<G> {
    fn default() -> Self {
        Self::new(G::default())
    }
}
impl<G> Clone for StubGlobal<G> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}
impl<G> Deref for StubGlobal<G> {
    type Target = StubScope;

    fn deref(&self) -> &StubScope {
        &self.shared.scope
    }
}
impl<G> fmt::Debug for StubGlobal<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StubGlobal").field(&self.shared.scope).finish()
    }
}

impl<G: Default + Send + Sync + 'static, S: Default + Send + Sync + 'static> Default for StubSession<G, S> {
    fn default() -> Self {
        StubGlobal::default().session("stub", S::default())
    }
}
impl<G, S> Deref for StubSession<G, S> {
    type Target = StubScope;

    fn deref(&self) -> &StubScope {
        &self.scope
    }
}
impl<G, S> fmt::Debug for StubSession<G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StubSession").field(&self.scope).finish()
    }
}
