//! What hooks are handed.

use std::{
    any::TypeId,
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

use crate::{
    config::{AnyConfig, ConfigCell, Configuration, Live},
    error::BoxError,
    event::{EmitError, Envelope},
    foreign::Foreign,
    id::{PluginId, SlotId},
    plan::ScopeName,
    registry::ResolveError,
    scope::{Scope, broadcast},
    settings::RuntimeSettings,
    slot::Slot,
};

mod handling;
mod ledger;

pub use self::handling::ContextHandler;
use self::ledger::Ledger;

/// A change of settings that somebody asked for: made from the settings that are in force when its turn comes.
pub(crate) type Edit = Box<dyn FnOnce(&RuntimeSettings) -> RuntimeSettings + Send>;

/// Why a plugin did not get its configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "plugin `{plugin}` declares no configuration of type `{asked}`; say `.config::<…>()` in its manifest"
)]
pub struct NoSuchConfig {
    /// Who asked.
    pub plugin: PluginId,
    /// The type that was asked for.
    pub asked: &'static str,
}

/// One plugin in one scope: what both kinds of context have in common.
///
/// Looking up, subscribing, and keeping. What is kept here ends when the plugin detaches, last in first out; nothing
/// needs to be ended by hand. Borrowed by hooks, so it cannot be kept itself; [`scope`](Self::scope) can.
pub struct Context {
    home: Arc<Home>,
    owner: Owner,
    config: Option<Arc<dyn ConfigCell>>,
    ledger: Ledger,
}

/// What all contexts of one scope share.
pub(crate) struct Home {
    pub(crate) scope: Scope,
    /// Where changes are asked for.
    pub(crate) edits: mpsc::UnboundedSender<Edit>,
}

/// Whose context it is.
enum Owner {
    Plugin(PluginId),
    /// Boxed, because few are.
    Service(Box<(PluginId, SlotId)>),
}

impl Context {
    /// The context of a plugin.
    pub(crate) fn new(home: Arc<Home>, plugin: PluginId, config: Option<Arc<dyn ConfigCell>>) -> Self {
        Self { home, owner: Owner::Plugin(plugin), config, ledger: Ledger::default() }
    }

    /// The context of a plugin's service.
    pub(crate) fn of_service(
        home: Arc<Home>,
        plugin: PluginId,
        slot: SlotId,
        config: Option<Arc<dyn ConfigCell>>,
    ) -> Self {
        Self { home, owner: Owner::Service(Box::new((plugin, slot))), config, ledger: Ledger::default() }
    }

    /// The plugin that the context belongs to.
    pub fn plugin(&self) -> &PluginId {
        match &self.owner {
            Owner::Plugin(plugin) => plugin,
            Owner::Service(service) => &service.0,
        }
    }

    /// The slot that the service was registered for; `None` in the context of a plugin itself.
    pub fn slot(&self) -> Option<&SlotId> {
        match &self.owner {
            Owner::Plugin(_) => None,
            Owner::Service(service) => Some(&service.1),
        }
    }

    /// The scope: registry and bus. A clone of it may be kept, and used by handlers and tasks.
    pub fn scope(&self) -> &Scope {
        &self.home.scope
    }

    /// The service that would win `slot` if it were not for this plugin and those before it.
    ///
    /// # Errors
    ///
    /// As [`Registry::resolve_after`](crate::Registry::resolve_after).
    pub fn resolve_after<T: ?Sized + Send + Sync + 'static>(
        &self,
        slot: Slot<T>,
    ) -> Result<Arc<T>, ResolveError> {
        self.registry().resolve_after(self.plugin(), slot)
    }

    /// This plugin's own configuration, live; in the context of a service, the service's.
    ///
    /// # Errors
    ///
    /// [`NoSuchConfig`] if the plugin's [manifest](crate::Manifest::config), or the service's
    /// [offering](crate::Offering::config), declares none, or one of another type.
    pub fn config<C: Configuration>(&self) -> Result<Live<C>, NoSuchConfig> {
        let live = self.config.as_ref().and_then(|cell| Live::of(Arc::clone(cell)));
        live.ok_or_else(|| NoSuchConfig { plugin: self.plugin().clone(), asked: std::any::type_name::<C>() })
    }

    /// Keeps `guard` until the plugin detaches; whatever it ends by being dropped, ends then. If it panics at that, the
    /// report says so.
    pub fn hold(&self, guard: impl Send + 'static) {
        self.ledger.hold(Box::new(guard));
    }

    /// Runs `task` until it is done or the plugin detaches, which stops it and waits until it has stopped, though no longer
    /// than the deadline of a hook. If it overruns that, or has panicked, the report of that change says so.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime; hooks run inside one.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.ledger.spawn(task);
    }

    /// Runs `goodbye` when the plugin detaches, in its turn: last in, first out, with all else that is kept. For what
    /// takes time to end, such as a file to be completed or a device to be released. If it fails, or takes too
    /// long, the report says so.
    ///
    /// A plugin that is brought back by an undo attaches again, so what has ended must be made anew by `attach`.
    pub fn at_detach(&self, goodbye: impl Future<Output = Result<(), BoxError>> + Send + 'static) {
        self.ledger.at_detach(Box::pin(goodbye));
    }

    /// Asks for a change of settings, and goes on. The change is made when the one that is going on is done, from
    /// the settings that are in force then; if it is refused, a log record says why.
    ///
    /// This is how a hook changes settings. To await a change from within a hook would be to wait for oneself.
    pub fn request_change(&self, change: impl FnOnce(&mut RuntimeSettings) + Send + 'static) {
        let edit: Edit = Box::new(move |settings| settings.with(change));
        if self.home.edits.send(edit).is_err() {
            tracing::debug!(plugin = %self.plugin(), "A change was asked for after the runtime had ended.");
        }
    }

    /// How many subscriptions, guards and tasks are kept for the plugin.
    pub fn held(&self) -> usize {
        self.ledger.len()
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn config_cell(&self) -> Option<&Arc<dyn ConfigCell>> {
        self.config.as_ref()
    }
}

impl Deref for Context {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        self.scope()
    }
}

/// Where the sessions of a runtime are found.
pub(crate) trait Sessions: Send + Sync {
    /// Those that are open now, in the order of their creation.
    fn open(&self) -> Vec<Scope>;

    /// The first of them in which `plugin` takes part.
    fn running(&self, plugin: &PluginId) -> Option<Scope>;
}

const _: Option<&dyn Sessions> = None; // fails to build if it stops being dyn-safe

/// What hooks of a [`GlobalPlugin`](crate::GlobalPlugin) are handed: a [`Context`], and the application's data.
pub struct GlobalContext<G = ()> {
    context: Context,
    data: Arc<G>,
    sessions: Arc<dyn Sessions>,
}

impl<G> GlobalContext<G> {
    pub(crate) fn new(context: Context, data: Arc<G>, sessions: Arc<dyn Sessions>) -> Self {
        Self { context, data, sessions }
    }

    /// The sessions that are open now, in the order of their creation. Nothing crosses to them by itself; this is the
    /// way across.
    pub fn sessions(&self) -> Vec<Scope> {
        self.sessions.open()
    }

    /// The first open session in which `plugin` takes part.
    pub fn session_running(&self, plugin: &PluginId) -> Option<Scope> {
        self.sessions.running(plugin)
    }

    /// Emits `event` in every open session, side by side, and returns what came of it in each.
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

    /// The application's data for the global scope.
    pub fn data(&self) -> &Arc<G> {
        &self.data
    }
}

impl<G> Deref for GlobalContext<G> {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
    }
}

/// What hooks of a [`Plugin`](crate::Plugin) are handed: a [`Context`] of the session, the session's data, and a way
/// to the global scope.
pub struct SessionContext<G = (), S = ()> {
    context: Context,
    outlook: Arc<Outlook<G, S>>,
}

/// What all contexts of one session see besides their scope.
pub(crate) struct Outlook<G, S> {
    pub(crate) data: Arc<S>,
    pub(crate) global: Arc<G>,
    pub(crate) global_scope: Scope,
}

impl<G, S> SessionContext<G, S> {
    pub(crate) fn new(context: Context, outlook: Arc<Outlook<G, S>>) -> Self {
        Self { context, outlook }
    }

    /// The application's data for this session.
    pub fn data(&self) -> &Arc<S> {
        &self.outlook.data
    }

    /// The application's data for the global scope.
    pub fn global(&self) -> &Arc<G> {
        &self.outlook.global
    }

    /// The global scope. Nothing crosses from one scope to another by itself; this is the way across.
    pub fn global_scope(&self) -> &Scope {
        &self.outlook.global_scope
    }
}

impl<G, S> Deref for SessionContext<G, S> {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
    }
}

/// What a survivor is told: the settings before and after, and its own configuration before and after.
#[derive(Clone)]
pub struct SettingsChange {
    old: Arc<RuntimeSettings>,
    new: Arc<RuntimeSettings>,
    config: Option<(Foreign<AnyConfig>, Foreign<AnyConfig>)>,
    unheard: Unheard,
}

/// The type of whoever was told last and has not written the hook.
#[derive(Default)]
struct Unheard(Mutex<Option<TypeId>>);

impl Unheard {
    fn lock(&self) -> MutexGuard<'_, Option<TypeId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for Unheard {
    fn clone(&self) -> Self {
        Self::default() // of somebody else
    }
}

impl SettingsChange {
    pub(crate) fn new(
        old: Arc<RuntimeSettings>,
        new: Arc<RuntimeSettings>,
        config: Option<(Foreign<AnyConfig>, Foreign<AnyConfig>)>,
    ) -> Self {
        Self { old, new, config, unheard: Unheard::default() }
    }

    /// The same for a plugin with this configuration, before and after.
    pub(crate) fn with_config(&self, config: Option<(Foreign<AnyConfig>, Foreign<AnyConfig>)>) -> Self {
        Self { config, ..self.clone() }
    }

    /// Said by the hook that is there where `P` has not written one.
    pub(crate) fn falls_on_deaf_ears_of<P: ?Sized + 'static>(&self) {
        *self.unheard.lock() = Some(TypeId::of::<P>());
    }

    /// Whether `P`, which was just told, has not written the hook. A plugin may be made of others, which it tells in
    /// turn: what they have not written says nothing of it.
    pub(crate) fn fell_on_deaf_ears_of<P: ?Sized + 'static>(&self) -> bool {
        self.unheard.lock().take() == Some(TypeId::of::<P>())
    }

    /// The settings before the change.
    pub fn old_settings(&self) -> &Arc<RuntimeSettings> {
        &self.old
    }

    /// The settings after the change.
    pub fn new_settings(&self) -> &Arc<RuntimeSettings> {
        &self.new
    }

    /// Whether the plugin's own configuration was written differently.
    pub fn config_changed(&self) -> bool {
        self.config.as_ref().is_some_and(|(old, new)| !Arc::ptr_eq(old, new))
    }

    /// The plugin's own configuration, before and after; `None` if it declares none of this type.
    pub fn config<C: Configuration>(&self) -> Option<(Arc<C>, Arc<C>)> {
        let (old, new) = self.config.as_ref()?;
        Some((AnyConfig::clone(old).downcast().ok()?, AnyConfig::clone(new).downcast().ok()?))
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("plugin", self.plugin())
            .field("scope", self.name())
            .finish_non_exhaustive()
    }
}
impl<G> fmt::Debug for GlobalContext<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}
impl<G, S> fmt::Debug for SessionContext<G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}
impl fmt::Debug for SettingsChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsChange")
            .field("config_changed", &self.config_changed())
            .finish_non_exhaustive()
    }
}
