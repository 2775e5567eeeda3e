//! Handlers that last as long as whoever registers them.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Context;
use crate::{
    event::{BusClosed, Envelope, HandlerOptions, IntoReply, Observed, Subscription},
    priority::Priority,
    request::Request,
};

impl Context {
    /// Handles every `E` of this scope until the plugin detaches; see [`Bus::on`](crate::Bus::on).
    ///
    /// Once the scope is closing this does nothing: no event would arrive any more.
    #[track_caller]
    pub fn on<E, F, R>(&self, handler: F)
    where
        E: Send + 'static,
        F: Fn(&mut Envelope<E>) -> R + Send + Sync + 'static,
        R: IntoReply<()>,
    {
        self.handler().on(handler);
    }

    /// The same with a handler that awaits; see [`Bus::on_async`](crate::Bus::on_async).
    #[track_caller]
    pub fn on_async<E, F, R>(&self, handler: F)
    where
        E: Send + 'static,
        F: for<'a> Fn(&'a mut Envelope<E>) -> BoxFuture<'a, R> + Send + Sync + 'static,
        R: IntoReply<()>,
    {
        self.handler().on_async(handler);
    }

    /// Is asked every `Q` of this scope until the plugin detaches; see [`Bus::on_request`](crate::Bus::on_request).
    #[track_caller]
    pub fn on_request<Q, F, R>(&self, handler: F)
    where
        Q: Request,
        F: Fn(&mut Envelope<Q>) -> R + Send + Sync + 'static,
        R: IntoReply<Option<Q::Response>>,
    {
        self.handler().on_request(handler);
    }

    /// The same with a handler that awaits; see [`Bus::on_request_async`](crate::Bus::on_request_async).
    #[track_caller]
    pub fn on_request_async<Q, F, R>(&self, handler: F)
    where
        Q: Request,
        F: for<'a> Fn(&'a mut Envelope<Q>) -> BoxFuture<'a, R> + Send + Sync + 'static,
        R: IntoReply<Option<Q::Response>>,
    {
        self.handler().on_request_async(handler);
    }

    /// Is shown every event and request of this scope until the plugin detaches; see [`Bus::observe`](crate::Bus::observe).
    #[track_caller]
    pub fn observe(&self, tap: impl Fn(&Observed<'_>) + Send + Sync + 'static) {
        self.keep(self.bus().observe(tap));
    }

    /// A handler with a priority or an identifier: say which, then `on` what. It lasts until the plugin detaches.
    pub fn handler(&self) -> ContextHandler<'_> {
        ContextHandler { context: self, options: self.bus().handler().owner(self.plugin().to_shared()) }
    }

    /// A bus closes only after everybody has detached; nothing would reach a handler that it refuses.
    fn keep(&self, subscription: Result<Subscription, BusClosed>) {
        if let Ok(subscription) = subscription {
            self.ledger.subscribe(subscription);
        }
    }
}

/// A handler about to be registered for as long as a plugin is attached; from [`Context::handler`]. Errors and logs name
/// the plugin as its owner.
#[must_use = "nothing is registered until `on` or one of its kin is called"]
#[derive(Debug)]
pub struct ContextHandler<'a> {
    context: &'a Context,
    options: HandlerOptions<'a>,
}

impl ContextHandler<'_> {
    /// When it runs: the higher first. [`Priority::NORMAL`] if not said.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options = self.options.priority(priority);
        self
    }

    /// Only messages addressed to exactly `identifier`. Without it: all messages, addressed or not.
    pub fn identifier(mut self, identifier: impl Into<Arc<str>>) -> Self {
        self.options = self.options.identifier(identifier);
        self
    }

    /// As [`Context::on`].
    #[track_caller]
    pub fn on<E, F, R>(self, handler: F)
    where
        E: Send + 'static,
        F: Fn(&mut Envelope<E>) -> R + Send + Sync + 'static,
        R: IntoReply<()>,
    {
        self.context.keep(self.options.on(handler));
    }

    /// As [`Context::on_async`].
    #[track_caller]
    pub fn on_async<E, F, R>(self, handler: F)
    where
        E: Send + 'static,
        F: for<'a> Fn(&'a mut Envelope<E>) -> BoxFuture<'a, R> + Send + Sync + 'static,
        R: IntoReply<()>,
    {
        self.context.keep(self.options.on_async(handler));
    }

    /// As [`Context::on_request`].
    #[track_caller]
    pub fn on_request<Q, F, R>(self, handler: F)
    where
        Q: Request,
        F: Fn(&mut Envelope<Q>) -> R + Send + Sync + 'static,
        R: IntoReply<Option<Q::Response>>,
    {
        self.context.keep(self.options.on_request(handler));
    }

    /// As [`Context::on_request_async`].
    #[track_caller]
    pub fn on_request_async<Q, F, R>(self, handler: F)
    where
        Q: Request,
        F: for<'a> Fn(&'a mut Envelope<Q>) -> BoxFuture<'a, R> + Send + Sync + 'static,
        R: IntoReply<Option<Q::Response>>,
    {
        self.context.keep(self.options.on_request_async(handler));
    }
}
