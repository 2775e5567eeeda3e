use std::{fmt, ops::Deref, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use crate::{
    driver::{Command, Opened},
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
    key: SessionKey,
    scope: Scope,
    data: Arc<S>,
    commands: Option<mpsc::UnboundedSender<Command<S>>>,
}

impl<S> Session<S> {
    pub(crate) fn new(opened: Opened, data: Arc<S>, commands: mpsc::UnboundedSender<Command<S>>) -> Self {
        Self { key: opened.key, scope: opened.scope, data, commands: Some(commands) }
    }

    /// The name it was created with.
    pub fn name(&self) -> &str {
        match self.scope.name() {
            ScopeName::Session { name, .. } => name,
            ScopeName::Global => "global",
        }
    }

    /// What tells it apart from every other session of the runtime.
    pub fn key(&self) -> SessionKey {
        self.key
    }

    /// Its services and its bus.
    pub fn scope(&self) -> &Scope {
        &self.scope
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
    /// [`ChangeError::Closed`] if the runtime has been shut down, which closed the session too.
    ///
    /// # Cancel safety
    ///
    /// The session closes even if nobody waits for it.
    pub async fn close(mut self) -> Result<Report, ChangeError> {
        let commands = self.commands.take().ok_or(ChangeError::NoSuchSession)?;
        let (reply, answer) = oneshot::channel();
        let command = Command::Close { key: self.key, reply: Some(reply) };
        commands.send(command).map_err(|_| ChangeError::Closed)?;
        answer.await.map_err(|_| ChangeError::Closed)?
    }
}

impl<S> Deref for Session<S> {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}

impl<S> Drop for Session<S> {
    fn drop(&mut self) {
        // Detaching waits and `drop` cannot: the driver does it. An error means that it has ended, and has closed us.
        if let Some(commands) = self.commands.take() {
            drop(commands.send(Command::Close { key: self.key, reply: None }));
        }
    }
}

impl<S> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("name", &self.name()).field("key", &self.key).finish_non_exhaustive()
    }
}
