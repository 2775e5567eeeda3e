use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Command, Published, Reply};
use crate::{
    plan::SessionKey,
    report::{ChangeError, Report},
    scope::Scope,
    settings::RuntimeSettings,
};

/// An open session, for whoever opened it. It closes when this is dropped, also on the way to a caller who has
/// stopped waiting.
pub(crate) struct Opened<G, S> {
    pub(crate) key: SessionKey,
    pub(crate) scope: Scope,
    pub(crate) report: Report,
    pub(crate) published: Arc<Published>,
    /// Until it is asked to close.
    pub(super) commands: Option<mpsc::UnboundedSender<Command<G, S>>>,
}

impl<G, S> Opened<G, S> {
    /// Gives the session other settings of its own, and waits until it follows them.
    pub(crate) async fn update_overlay(&self, overlay: RuntimeSettings) -> Result<Report, ChangeError> {
        self.published.refuse_within_hook()?;
        let commands = self.commands.as_ref().ok_or(ChangeError::NoSuchSession)?;
        let (reply, answer) = Reply::pair();
        let scope = self.scope.name().clone();
        commands.send(Command::Overlay { scope, overlay, reply }).map_err(|_| ChangeError::Closed)?;
        answer.await.map_err(|_| ChangeError::Closed)?
    }

    /// Waits until the session has closed. Within a hook it closes as well, and cannot be waited for.
    pub(crate) async fn close(mut self) -> Result<Report, ChangeError> {
        self.published.refuse_within_hook()?;
        let commands = self.commands.take().ok_or(ChangeError::NoSuchSession)?;
        let (reply, answer) = Reply::pair();
        let command = Command::Close { key: self.key, reply: Some(reply) };
        commands.send(command).map_err(|_| ChangeError::Closed)?;
        drop(commands); // a closing session does not keep its runtime
        answer.await.map_err(|_| ChangeError::Closed)?
    }
}

impl<G, S> Drop for Opened<G, S> {
    fn drop(&mut self) {
        // Detaching waits and `drop` cannot: the driver does it. An error means that it has ended, and has closed us.
        if let Some(commands) = self.commands.take() {
            drop(commands.send(Command::Close { key: self.key, reply: None }));
        }
    }
}
