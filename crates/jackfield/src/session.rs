use std::{fmt, ops::Deref, sync::Arc};

use crate::{
    driver::Opened,
    plan::{ScopeName, SessionKey},
    report::{ChangeError, Report},
    scope::Scope,
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
pub struct Session<S = ()> {
    opened: Opened<S>,
    data: Arc<S>,
}

impl<S> Session<S> {
    pub(crate) fn new(opened: Opened<S>, data: Arc<S>) -> Self {
        Self { opened, data }
    }

    /// The name it was created with.
    pub fn name(&self) -> &str {
        match self.scope().name() {
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

impl<S> Deref for Session<S> {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.opened.scope
    }
}

impl<S> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.name())
            .field("key", &self.key())
            .finish_non_exhaustive()
    }
}
