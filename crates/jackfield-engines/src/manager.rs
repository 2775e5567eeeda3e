//! Keeps the one engine of a session true to the project store.

use crate::console::Console;
use crate::events::EventDispatcher;
use crate::factory::{EngineRegistry, ProjectStore};
use crate::id::EngineId;
use crate::observers::Subscription;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

mod answer;
mod contain;
mod mailbox;
mod owner;
mod status;
mod wanted;

pub use self::answer::{Answer, SwitchError, Ticket};
pub use self::contain::Mishap;
pub use self::status::{Failure, ManagerState, ManagerStatus};

use self::mailbox::Mailbox;
use self::owner::Owner;
use self::wanted::{Reason, Wanted};

/// How long foreign code may take before it counts as stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlines {
    /// To compile, instantiate and validate.
    pub prepare: Duration,
    /// To take the device and start.
    pub start: Duration,
    /// To take over a new project or new settings.
    pub sync: Duration,
    /// To stop and release the device.
    pub stop: Duration,
}

impl Default for Deadlines {
    /// Half a minute for what compiles, five seconds for what talks to a device.
    fn default() -> Self {
        let (compiling, device) = (Duration::from_secs(30), Duration::from_secs(5));
        Self { prepare: compiling, start: device, sync: compiling, stop: device }
    }
}

/// Runs one engine at a time: the one that the project store asks for, or the default.
///
/// A task of its own does all the changing. It looks at the store when `compiler.is_compiling` is set to
/// `false`, when the registry of engines changes, and when [`apply`](Self::apply) is called. A request that
/// comes while a change is under way waits for its end; of several that wait the last is served.
///
/// A change prepares the next engine while the old one plays, then stops the old one, then starts the next.
/// When that fails the old engine is started again, and the failure stays in the status until a request
/// succeeds. An engine that panics, fails or hangs harms only itself.
///
/// Dropping the manager closes it too, without waiting for the end.
#[derive(Debug)]
pub struct EngineManager {
    store: ProjectStore,
    mailbox: Arc<Mailbox>,
    status: watch::Receiver<ManagerStatus>,
    _triggers: [Subscription; 2],
}

impl EngineManager {
    /// Starts a manager with the default deadlines. It does nothing before the first trigger.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with its clock enabled.
    #[must_use]
    pub fn start(store: ProjectStore, events: EventDispatcher, console: Console) -> Self {
        Self::start_with(store, events, console, Deadlines::default())
    }

    /// The same with other deadlines.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with its clock enabled.
    #[must_use]
    pub fn start_with(
        store: ProjectStore,
        events: EventDispatcher,
        console: Console,
        deadlines: Deadlines,
    ) -> Self {
        let mailbox = Arc::new(Mailbox::new());
        let (owner, status) = Owner::new(store.clone(), events, console, deadlines, Arc::clone(&mailbox));
        #[expect(
            clippy::disallowed_methods,
            reason = "ends when the mailbox is closed, which dropping does; \
            aborting it would leave a device open"
        )]
        tokio::spawn(owner.run());
        let compiled = {
            let (mailbox, store) = (Arc::clone(&mailbox), store.clone());
            let finished = |is_compiling: &bool| !is_compiling;
            store.clone().compiler.is_compiling.subscribe_to_value(finished, move |_| {
                drop(mailbox.post(&store, Reason::Asked));
            })
        };
        let registry = {
            let (mailbox, store) = (Arc::clone(&mailbox), store.clone());
            store.clone().runtime_registry.subscribe(move |_| drop(mailbox.post(&store, Reason::Registry)))
        };
        Self { store, mailbox, status, _triggers: [compiled, registry] }
    }

    /// Asks the manager to follow the store as it is now. The request is made by calling; awaiting the
    /// ticket gives the answer.
    pub fn apply(&self) -> Ticket {
        self.mailbox.post(&self.store, Reason::Asked)
    }

    /// Asks the manager to follow the store as if it had these engines, and this default. Whoever asks puts them
    /// into the store once the answer says that it worked out. When it does not, the engine that plays plays on,
    /// even if it is not among them.
    pub fn try_engines(&self, registry: EngineRegistry, default: EngineId) -> Ticket {
        let wanted = || Wanted::read(&self.store).with_engines(registry, default);
        self.mailbox.post_with(Reason::Trial, wanted)
    }

    /// Asks the manager to stop the engine; the answer comes when its device is released. The next
    /// [`apply`](Self::apply) plays again.
    pub fn rest(&self) -> Ticket {
        self.mailbox.post(&self.store, Reason::Rest)
    }

    /// What the manager does, to look at and to wait for. The channel ends when the manager is closed and
    /// its engine has stopped.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<ManagerStatus> {
        self.status.clone()
    }

    /// Stops the engine and returns when its device is released, or its deadline for that has passed.
    /// Idempotent: later and concurrent calls wait for the same end. Requests are refused from now on.
    ///
    /// # Cancel safety
    ///
    /// Closing goes on when the future is dropped.
    pub async fn close(&self) {
        self.mailbox.close();
        let mut status = self.status.clone();
        while status.changed().await.is_ok() {}
    }
}

impl Drop for EngineManager {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}
