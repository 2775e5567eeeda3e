use std::{fmt, panic::Location, sync::Arc};

use futures_util::future::BoxFuture;

use crate::{
    event::{
        core::Core,
        envelope::Envelope,
        error::BusClosed,
        handler::{Handler, IntoReply},
        origin::HandlerOrigin,
        subscription::Subscription,
    },
    priority::Priority,
};

/// A handler about to be registered; from [`Bus::handler`](crate::Bus::handler).
#[derive(Clone)]
#[must_use = "nothing is registered until `on` or one of its kin is called"]
pub struct HandlerOptions<'a> {
    core: &'a Core,
    priority: Priority,
    identifier: Option<Arc<str>>,
    owner: Option<Arc<str>>,
}

impl<'bus> HandlerOptions<'bus> {
    pub(super) fn new(core: &'bus Core) -> Self {
        Self { core, priority: Priority::NORMAL, identifier: None, owner: None }
    }

    /// When it runs: the higher first. [`Priority::NORMAL`] if not said.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Only messages addressed to exactly `identifier`. Without it: all messages, addressed or not.
    pub fn identifier(mut self, identifier: impl Into<Arc<str>>) -> Self {
        self.identifier = Some(identifier.into());
        self
    }

    /// Whom it belongs to, for errors and logs.
    pub fn owner(mut self, owner: impl Into<Arc<str>>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// As [`Bus::on`](crate::Bus::on).
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    #[track_caller]
    pub fn on<E, A, F>(self, handler: F) -> Result<Subscription, BusClosed>
    where
        E: Send + 'static,
        A: IntoReply<()>,
        F: Fn(&mut Envelope<E>) -> A + Send + Sync + 'static,
    {
        self.register(Handler::new(handler))
    }

    /// As [`Bus::on_async`](crate::Bus::on_async).
    ///
    /// # Errors
    ///
    /// The bus is closing or closed.
    #[track_caller]
    pub fn on_async<E, A, F>(self, handler: F) -> Result<Subscription, BusClosed>
    where
        E: Send + 'static,
        A: IntoReply<()>,
        F: for<'a> Fn(&'a mut Envelope<E>) -> BoxFuture<'a, A> + Send + Sync + 'static,
    {
        self.register(Handler::new_async(handler))
    }

    #[track_caller]
    pub(crate) fn register<M, R>(self, handler: Handler<M, R>) -> Result<Subscription, BusClosed>
    where
        M: Send + 'static,
        R: Send + 'static,
    {
        let origin = HandlerOrigin::new(self.owner.clone(), Location::caller());
        self.register_from(origin, handler)
    }

    pub(super) fn register_from<M, R>(
        self,
        origin: HandlerOrigin,
        handler: Handler<M, R>,
    ) -> Result<Subscription, BusClosed>
    where
        M: Send + 'static,
        R: Send + 'static,
    {
        let table = self.core.table_to_fill()?;
        table.insert(self.identifier, self.priority, origin, handler)
    }
}

impl fmt::Debug for HandlerOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerOptions")
            .field("priority", &self.priority)
            .field("identifier", &self.identifier)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}
