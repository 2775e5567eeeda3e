use std::{fmt, ops::Deref, sync::Arc};

use crate::{
    driver::Opened,
    id::PluginId,
    plan::{ScopeName, SessionKey},
    report::{ChangeError, Report},
    scope::Scope,
    settings::RuntimeSettings,
};

/// One isolated use of a runtime: its own services, its own bus, its own data.
///
/// It asks its [`Scope`] for services: `session.resolve(GREETER)`. While a session is open, its runtime goes on
/// running, also when nobody holds a [`PluginRuntime`](crate::PluginRuntime) any more.
///
/// # Lifetime
///
/// Dropping a session closes it, some time later; [`close`](Self::close) also waits, and tells what failed.
#[must_use = "dropping a session closes it"]
pub struct Session<G = (), S = ()> {
    opened: Opened<G, S>,
    data: Arc<S>,
}

/// A session to be opened: its name, its data, and what it has on top of the settings.
///
/// A name is enough where the data has a default: `runtime.create_session("ada")`.
#[derive(Clone, Debug)]
pub struct NewSession<S = ()> {
    pub(crate) name: Arc<str>,
    pub(crate) data: S,
    pub(crate) overlay: RuntimeSettings,
}

impl<S> NewSession<S> {
    /// A session of this name, with this data. Several may have one name.
    pub fn new(name: &str, data: S) -> Self {
        Self { name: name.into(), data, overlay: RuntimeSettings::default() }
    }

    /// Settings of its own, on top of the runtime's; see [`RuntimeSettings::overlaid`].
    #[must_use]
    pub fn overlay(mut self, overlay: RuntimeSettings) -> Self {
        self.overlay = overlay;
        self
    }
}

impl<S: Default> From<&str> for NewSession<S> {
    fn from(name: &str) -> Self {
        Self::new(name, S::default())
    }
}

impl<S: Default> From<&String> for NewSession<S> {
    fn from(name: &String) -> Self {
        Self::new(name, S::default())
    }
}

impl<G, S> Session<G, S> {
    pub(crate) fn new(opened: Opened<G, S>, data: Arc<S>) -> Self {
        Self { opened, data }
    }

    /// What was done to open it; with [`FailurePolicy::Quarantine`](crate::FailurePolicy::Quarantine), also who was
    /// left out.
    pub fn report(&self) -> &Report {
        &self.opened.report
    }

    /// The settings in force in this session: the runtime's, with its own on top. The runtime's, once it is closed.
    pub fn settings(&self) -> Arc<RuntimeSettings> {
        let world = self.opened.published.world.load();
        let mine = world.sessions.get(self.opened.key);
        mine.map_or_else(|| Arc::clone(&world.wishes.settings), |session| session.current.settings())
    }

    /// The plugins that take part in it, in the order in which they attached; none once it is closed.
    pub fn attached(&self) -> Vec<PluginId> {
        let world = self.opened.published.world.load();
        let mine = world.sessions.get(self.opened.key);
        mine.map(|session| session.current.order.iter().cloned().collect()).unwrap_or_default()
    }

    /// What it has on top of the runtime's settings.
    pub fn overlay(&self) -> RuntimeSettings {
        let world = self.opened.published.world.load();
        world
            .wishes
            .session_overlays
            .get(self.opened.key)
            .map(|overlay| RuntimeSettings::clone(overlay))
            .unwrap_or_default()
    }

    /// Gives this session other settings on top of the runtime's, and makes it follow. Neither the runtime's settings
    /// nor other sessions change; a later change of the runtime's settings keeps what is on top.
    ///
    /// # Errors
    ///
    /// As [`PluginRuntime::update_settings`](crate::PluginRuntime::update_settings).
    ///
    /// # Cancel safety
    ///
    /// The change is made even if nobody waits for it.
    pub async fn update_overlay(&self, overlay: RuntimeSettings) -> Result<Report, ChangeError> {
        self.opened.update_overlay(overlay).await
    }

    /// The name it was created with.
    pub fn name(&self) -> &str {
        match self.opened.scope.name() {
            ScopeName::Session { name, .. } => name,
            ScopeName::Global => "global",
        }
    }

    /// What tells it apart from every other session of the runtime.
    pub fn key(&self) -> SessionKey {
        self.opened.key
    }

    /// Its services and its bus.
    pub fn scope(&self) -> &Scope {
        &self.opened.scope
    }

    /// The application's data for this session.
    pub fn data(&self) -> &Arc<S> {
        &self.data
    }

    /// Detaches every plugin from this session, in the reverse of the order in which they attached, and waits until
    /// they are gone. The report says what failed; the session is closed in any case.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Closed`] if the runtime has been shut down, which closed the session too;
    /// [`ChangeError::WithinHook`] in a hook: the session closes once the change that is under way is complete.
    ///
    /// # Cancel safety
    ///
    /// The session closes even if nobody waits for it.
    pub async fn close(self) -> Result<Report, ChangeError> {
        self.opened.close().await
    }
}

impl<G, S> Deref for Session<G, S> {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.opened.scope
    }
}

impl<G, S> fmt::Debug for Session<G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.name())
            .field("key", &self.opened.key)
            .finish_non_exhaustive()
    }
}
