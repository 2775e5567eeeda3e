//! What can be asked of the driver.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::{Opened, Published};
use crate::{
    foreign::discard,
    id::PluginId,
    plan::{Plan, ScopeName, SessionKey},
    plugin::AnyPlugin,
    report::{ChangeError, Report},
    settings::RuntimeSettings,
};

pub(crate) enum Command<G, S> {
    Update {
        settings: RuntimeSettings,
        reply: Reply<Report>,
    },
    /// There is something in [`Latest`].
    Latest(Wake),
    Apply {
        plan: Box<Plan>,
        reply: Reply<Report>,
    },
    Overlay {
        scope: ScopeName,
        overlay: RuntimeSettings,
        reply: Reply<Report>,
    },
    Snapshot {
        settings: RuntimeSettings,
        reply: Reply<()>,
    },
    Add {
        plugin: AnyPlugin<G, S>,
        reply: Reply<Report>,
    },
    Remove {
        plugin: PluginId,
        reply: Reply<Report>,
    },
    Open {
        name: Arc<str>,
        data: Arc<S>,
        overlay: RuntimeSettings,
        commands: mpsc::UnboundedSender<Self>,
        reply: Reply<Opened<G, S>>,
    },
    Close {
        key: SessionKey,
        reply: Option<Reply<Report>>,
    },
    Shutdown {
        reply: Reply<Report>,
    },
}

/// Where the answer goes.
pub(crate) struct Reply<T>(oneshot::Sender<Result<T, ChangeError>>);

impl<T> Reply<T> {
    pub(crate) fn pair() -> (Self, oneshot::Receiver<Result<T, ChangeError>>) {
        let (reply, answer) = oneshot::channel();
        (Self(reply), answer)
    }

    /// Answers, and says whether anybody was there to hear it: the caller may have hung up.
    pub(crate) fn answer(self, outcome: Result<T, ChangeError>) -> bool {
        match self.0.send(outcome) {
            Ok(()) => return true,
            Err(Ok(unread)) => discard(unread),
            Err(Err(unread)) => unread.forget(),
        }
        false
    }
}

/// A place for one wish: a newer one takes it, and the older one is told.
#[derive(Default)]
pub(crate) struct Latest(Mutex<Option<(RuntimeSettings, Reply<Report>)>>);

impl Latest {
    /// Says whether the place was empty, and so whether the driver has to be sent a [`Wake`].
    pub(crate) fn put(&self, settings: RuntimeSettings, reply: Reply<Report>) -> bool {
        let replaced = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace((settings, reply));
        match replaced {
            Some((_, reply)) => {
                reply.answer(Err(ChangeError::Superseded));
                false
            }
            None => true,
        }
    }

    fn take(&self) -> Option<(RuntimeSettings, Reply<Report>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Brings the driver to look at what is in [`Latest`]. If it never gets there, whoever waits learns that.
pub(crate) struct Wake(Option<Arc<Published>>);

impl Wake {
    pub(crate) fn new(published: &Arc<Published>) -> Self {
        Self(Some(Arc::clone(published)))
    }

    pub(super) fn take(mut self) -> Option<(RuntimeSettings, Reply<Report>)> {
        self.0.take()?.latest.take() // once: what comes after that has a wake of its own
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        drop(self.0.take().and_then(|published| published.latest.take()));
    }
}
