//! Services with a life of their own.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{
    context::Context,
    error::PluginResult,
    registry::{Built, Companion, Kind, Offering, Resolver},
};

/// A service that wants to know when it begins and ends, as its plugin does.
///
/// It attaches before its plugin, and detaches after it. Its [`Context`] is its own: what is kept there ends when the
/// service detaches, and [`config`](Context::config) is the service's configuration. Settings that disable the service
/// detach it while its plugin stays.
///
/// ```
/// use jackfield::{Context, Envelope, Service, prelude::*};
///
/// trait Counter: Send + Sync {
///     fn count(&self) -> usize;
/// }
/// const COUNTER: Slot<dyn Counter> = Slot::new("counter");
///
/// #[derive(Default)]
/// struct Ticks(Arc<std::sync::atomic::AtomicUsize>);
/// impl Counter for Ticks {
///     fn count(&self) -> usize {
///         self.0.load(std::sync::atomic::Ordering::Relaxed)
///     }
/// }
/// struct Tick;
/// impl Service for Ticks {
///     fn attach(&self, cx: &Context) -> PluginResult {
///         let ticks = Arc::clone(&self.0);
///         cx.on(move |_: &mut Envelope<Tick>| drop(ticks.fetch_add(1, std::sync::atomic::Ordering::Relaxed)));
///         Ok(())
///     }
/// }
///
/// struct Counting;
/// impl Plugin for Counting {
///     fn manifest(&self) -> Manifest {
///         Manifest::new("counting")
///     }
///     fn register(&self, services: &mut Registrar<'_>) {
///         services.provide(COUNTER).stateful(|_| Ok(Arc::new(Ticks::default())), |ticks| ticks);
///     }
/// }
/// ```
pub trait Service: Send + Sync + 'static {
    /// Begins. Not asynchronous, because a lazy service begins when it is first looked up, which waits for nobody. So no
    /// deadline can end it either: what takes long belongs into a task.
    ///
    /// # Errors
    ///
    /// Whatever the service fails with: the change is taken back; a lazy one is not there for who looked it up.
    fn attach(&self, cx: &Context) -> PluginResult {
        let _ = cx;
        Ok(())
    }

    /// Says goodbye. What the context holds is ended afterwards, in any case.
    ///
    /// # Errors
    ///
    /// Whatever the service fails with; it counts as a failure of its plugin's detach.
    fn detach(&self, cx: &Context) -> impl Future<Output = PluginResult> + Send {
        let _ = cx;
        async { Ok(()) }
    }
}

/// [`Service`], made fit for a list.
pub(crate) trait ServiceHooks: Send + Sync {
    fn attach(&self, cx: &Context) -> PluginResult;
    fn detach<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, PluginResult>;
}

const _: Option<&dyn ServiceHooks> = None; // fails to build if it stops being dyn-safe

impl<S: Service> ServiceHooks for S {
    fn attach(&self, cx: &Context) -> PluginResult {
        Service::attach(self, cx)
    }
    fn detach<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, PluginResult> {
        Box::pin(Service::detach(self, cx))
    }
}

/// The hooks of a service, as its registration remembers them.
pub(crate) fn hooks(companion: &Companion) -> Option<&Arc<dyn ServiceHooks>> {
    companion.downcast_ref()
}

impl<T: ?Sized + Send + Sync + 'static> Offering<'_, T> {
    /// A [`Service`], made once per scope, before any plugin attaches. `as_slot` turns it into what the slot holds:
    /// `|service| service`.
    pub fn stateful<S: Service>(
        self,
        make: impl Fn(&Resolver<'_>) -> Result<Arc<S>, crate::error::BoxError> + Send + Sync + 'static,
        as_slot: impl Fn(Arc<S>) -> Arc<T> + Send + Sync + 'static,
    ) {
        self.offer_service(Kind::Singleton, make, as_slot);
    }

    /// A [`Service`] that is made, and attaches, when it is first looked up; if it never is, it never does.
    pub fn stateful_lazy<S: Service>(
        self,
        make: impl Fn(&Resolver<'_>) -> Result<Arc<S>, crate::error::BoxError> + Send + Sync + 'static,
        as_slot: impl Fn(Arc<S>) -> Arc<T> + Send + Sync + 'static,
    ) {
        self.offer_service(Kind::Lazy, make, as_slot);
    }

    fn offer_service<S: Service>(
        self,
        kind: Kind,
        make: impl Fn(&Resolver<'_>) -> Result<Arc<S>, crate::error::BoxError> + Send + Sync + 'static,
        as_slot: impl Fn(Arc<S>) -> Arc<T> + Send + Sync + 'static,
    ) {
        let make = move |resolver: &Resolver<'_>, _: Option<&_>| {
            let service = make(resolver)?;
            let hooks: Arc<dyn ServiceHooks> = Arc::clone(&service) as _;
            Ok(Built::with(as_slot(service), Arc::new(hooks)))
        };
        self.offer(kind, true, Arc::new(make));
    }
}
