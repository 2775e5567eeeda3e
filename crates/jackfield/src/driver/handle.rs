use tokio::sync::{mpsc, oneshot};

use super::{Command, hook::is_within_hook_of};
use crate::{
    plan::SessionKey,
    report::{ChangeError, Report},
    scope::Scope,
};

/// An open session, for whoever opened it. It closes when this is dropped, also on the way to a caller who has
/// stopped waiting.
pub(crate) struct Opened<S> {
    pub(crate) key: SessionKey,
    pub(crate) scope: Scope,
    /// The runtime, as hooks know it.
    pub(super) runtime: usize,
    /// Until it is asked to close.
    pub(super) commands: Option<mpsc::UnboundedSender<Command<S>>>,
}

impl<S> Opened<S> {
    /// Waits until the session has closed. Within a hook it closes as well, and cannot be waited for.
    pub(crate) async fn close(mut self) -> Result<Report, ChangeError> {
        if is_within_hook_of(self.runtime) {
            return Err(ChangeError::WithinHook);
        }
        let commands = self.commands.take().ok_or(ChangeError::NoSuchSession)?;
        let (reply, answer) = oneshot::channel();
        let command = Command::Close { key: self.key, reply: Some(reply) };
        commands.send(command).map_err(|_| ChangeError::Closed)?;
        drop(commands); // a closing session does not keep its runtime
        answer.await.map_err(|_| ChangeError::Closed)?
    }
}

impl<S> Drop for Opened<S> {
    fn drop(&mut self) {
        // Detaching waits and `drop` cannot: the driver does it. An error means that it has ended, and has closed us.
        if let Some(commands) = self.commands.take() {
            drop(commands.send(Command::Close { key: self.key, reply: None }));
        }
    }
}
