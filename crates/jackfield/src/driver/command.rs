//! What can be asked of the driver.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::{
    id::PluginId,
    plan::{Plan, ScopeName, SessionKey},
    plugin::AnyPlugin,
    report::{ChangeError, Report},
    scope::Scope,
    settings::RuntimeSettings,
};

pub(crate) enum Command<G, S> {
    Update {
        settings: RuntimeSettings,
        reply: Reply<Report>,
    },
    /// There is something in [`Latest`].
    Latest,
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
        reply: Reply<Opened>,
    },
    Close {
        key: SessionKey,
        reply: Option<Reply<Report>>,
    },
    Shutdown {
        reply: Reply<Report>,
    },
}

/// What a session handle is made of.
pub(crate) struct Opened {
    pub(crate) key: SessionKey,
    pub(crate) scope: Scope,
    pub(crate) report: Report,
}

/// Where the answer goes.
pub(crate) struct Reply<T>(oneshot::Sender<Result<T, ChangeError>>);

impl<T> Reply<T> {
    pub(crate) fn pair() -> (Self, oneshot::Receiver<Result<T, ChangeError>>) {
        let (reply, answer) = oneshot::channel();
        (Self(reply), answer)
    }

    /// Answers; the caller may have hung up.
    pub(super) fn answer(self, outcome: Result<T, ChangeError>) {
        self.0.send(outcome).ok();
    }

    /// Answers; says whether there is anybody who hears it.
    pub(super) fn answer_if_heard(self, outcome: Result<T, ChangeError>) -> bool {
        self.0.send(outcome).is_ok()
    }
}

/// A place for one wish: a newer one takes it, and the older one is told.
#[derive(Default)]
pub(crate) struct Latest(Mutex<Option<(RuntimeSettings, Reply<Report>)>>);

impl Latest {
    /// Says whether the place was empty, and so whether the driver has to be told.
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

    pub(super) fn take(&self) -> Option<(RuntimeSettings, Reply<Report>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
