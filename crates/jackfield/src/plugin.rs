//! What a plugin is: four hooks and a manifest.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use futures_util::future::BoxFuture;

use crate::{
    context::{GlobalContext, SessionContext, SettingsChange},
    error::PluginResult,
    foreign::Foreign,
    manifest::Manifest,
    plan::ScopeKind,
    registry::Registrar,
};

/// The smallest thing that settings can switch, in every session.
///
/// One value serves all sessions: what belongs to one session belongs into its services, its
/// [data](SessionContext::data), or into what its context [holds](crate::Context::hold). All hooks but
/// [`manifest`](Self::manifest) do nothing unless implemented, and are written as plain `async fn`.
///
/// A hook may fail, panic or take too long: the runtime contains it, undoes the change, and names the plugin.
///
/// # Cancel safety
///
/// Hooks run in the runtime's own task. A caller that stops waiting for a change does not cancel them; a hook that
/// overruns its deadline is dropped at its next await.
pub trait Plugin<G = (), S = ()>: Send + Sync + 'static {
    /// Id, dependencies, flags, and the type of the configuration. Asked once, when the plugin is added.
    fn manifest(&self) -> Manifest;

    /// Declares what the plugin offers. It builds nothing and looks nothing up.
    ///
    /// Called once when the plugin is added, to learn what it offers, and again whenever it is switched on in a
    /// session; it must declare the same each time.
    fn register(&self, services: &mut Registrar<'_>) {
        let _ = services;
    }

    /// Starts working. Everything the plugin needs is there: its dependencies have attached, its services are built.
    ///
    /// # Errors
    ///
    /// Whatever the plugin fails with. It is told to detach, so that it can clean up, and the change is taken back, or goes
    /// on without it: see [`FailurePolicy`](crate::FailurePolicy).
    fn attach(&self, cx: &SessionContext<G, S>) -> impl Future<Output = PluginResult> + Send {
        let _ = cx;
        Done
    }

    /// Takes note of new settings. Called after every change through which the plugin stays on.
    ///
    /// A plugin that does not write this hook costs a change nothing.
    ///
    /// # Errors
    ///
    /// As for [`attach`](Self::attach). Those who were told before are then told of the way back.
    fn settings_changed(
        &self,
        cx: &SessionContext<G, S>,
        change: &SettingsChange,
    ) -> impl Future<Output = PluginResult> + Send {
        let _ = cx;
        change.falls_on_deaf_ears_of::<Self>();
        Done
    }

    /// Says goodbye. What the context holds is ended afterwards, in any case.
    ///
    /// # Errors
    ///
    /// Whatever the plugin fails with. A change is taken back by it, unless the policy says otherwise; a closing goes on,
    /// and reports it.
    fn detach(&self, cx: &SessionContext<G, S>) -> impl Future<Output = PluginResult> + Send {
        let _ = cx;
        Done
    }
}

/// The smallest thing that settings can switch, once for the whole runtime. As [`Plugin`], in the global scope.
pub trait GlobalPlugin<G = ()>: Send + Sync + 'static {
    /// Id, dependencies, flags, and the type of the configuration. Asked once, when the plugin is added.
    fn manifest(&self) -> Manifest;

    /// Declares what the plugin offers; see [`Plugin::register`].
    fn register(&self, services: &mut Registrar<'_>) {
        let _ = services;
    }

    /// Starts working; see [`Plugin::attach`].
    fn attach(&self, cx: &GlobalContext<G>) -> impl Future<Output = PluginResult> + Send {
        let _ = cx;
        Done
    }

    /// Takes note of new settings; see [`Plugin::settings_changed`].
    fn settings_changed(
        &self,
        cx: &GlobalContext<G>,
        change: &SettingsChange,
    ) -> impl Future<Output = PluginResult> + Send {
        let _ = cx;
        change.falls_on_deaf_ears_of::<Self>();
        Done
    }

    /// Says goodbye; see [`Plugin::detach`].
    fn detach(&self, cx: &GlobalContext<G>) -> impl Future<Output = PluginResult> + Send {
        let _ = cx;
        Done
    }
}

/// What a hook does that is not written. It has no size, so that a box for it costs nothing.
struct Done;

impl Future for Done {
    type Output = PluginResult;

    fn poll(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<PluginResult> {
        Poll::Ready(Ok(()))
    }
}

/// The hooks of either kind of plugin, made fit for a list. `C` is the context of its scope.
pub(crate) trait Hooks<C>: Send + Sync {
    fn type_name(&self) -> &'static str;
    fn manifest(&self) -> Manifest;
    fn register(&self, services: &mut Registrar<'_>);
    fn attach<'a>(&'a self, cx: &'a C) -> BoxFuture<'a, PluginResult>;
    fn settings_changed<'a>(&'a self, cx: &'a C, change: &'a SettingsChange) -> BoxFuture<'a, PluginResult>;
    fn detach<'a>(&'a self, cx: &'a C) -> BoxFuture<'a, PluginResult>;
    /// Whether the plugin wants to be told of new settings. That it does not is found out when it is told for the first
    /// time, and stays so: the hook is written or it is not.
    fn listens(&self) -> bool;
}

const _: Option<&dyn Hooks<()>> = None; // fails to build if it stops being dyn-safe

struct InSession<P> {
    plugin: Foreign<P>,
    is_deaf: AtomicBool,
}

struct InGlobal<P> {
    plugin: Foreign<P>,
    is_deaf: AtomicBool,
}

macro_rules! hooks {
    ($trait:ident < $($data:ident),* >, $adapter:ident, $context:ty) => {
        impl<P: $trait<$($data),*>, $($data: Send + Sync + 'static),*> Hooks<$context> for $adapter<P> {
            fn type_name(&self) -> &'static str {
                std::any::type_name::<P>()
            }
            fn manifest(&self) -> Manifest {
                self.plugin.manifest()
            }
            fn register(&self, services: &mut Registrar<'_>) {
                self.plugin.register(services);
            }
            fn attach<'a>(&'a self, cx: &'a $context) -> BoxFuture<'a, PluginResult> {
                Box::pin(self.plugin.attach(cx))
            }
            fn settings_changed<'a>(
                &'a self,
                cx: &'a $context,
                change: &'a SettingsChange,
            ) -> BoxFuture<'a, PluginResult> {
                let told = Box::pin(self.plugin.settings_changed(cx, change));
                if change.fell_on_deaf_ears_of::<P>() {
                    self.is_deaf.store(true, Ordering::Relaxed);
                }
                told
            }
            fn detach<'a>(&'a self, cx: &'a $context) -> BoxFuture<'a, PluginResult> {
                Box::pin(self.plugin.detach(cx))
            }
            fn listens(&self) -> bool {
                !self.is_deaf.load(Ordering::Relaxed)
            }
        }
    };
}
hooks!(Plugin<G, S>, InSession, SessionContext<G, S>);
hooks!(GlobalPlugin<G>, InGlobal, GlobalContext<G>);

/// A plugin of either scope, ready to be added to a runtime.
pub struct AnyPlugin<G, S>(pub(crate) ByScope<G, S>);

pub(crate) enum ByScope<G, S> {
    Global(Arc<dyn Hooks<GlobalContext<G>>>),
    Session(Arc<dyn Hooks<SessionContext<G, S>>>),
}

impl<G, S> ByScope<G, S> {
    pub(crate) fn kind(&self) -> ScopeKind {
        match self {
            Self::Global(_) => ScopeKind::Global,
            Self::Session(_) => ScopeKind::Session,
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Global(hooks) => hooks.type_name(),
            Self::Session(hooks) => hooks.type_name(),
        }
    }

    pub(crate) fn manifest(&self) -> Manifest {
        match self {
            Self::Global(hooks) => hooks.manifest(),
            Self::Session(hooks) => hooks.manifest(),
        }
    }

    pub(crate) fn register(&self, services: &mut Registrar<'_>) {
        match self {
            Self::Global(hooks) => hooks.register(services),
            Self::Session(hooks) => hooks.register(services),
        }
    }
}

impl<G, S> Clone for ByScope<G, S> {
    fn clone(&self) -> Self {
        match self {
            Self::Global(hooks) => Self::Global(Arc::clone(hooks)),
            Self::Session(hooks) => Self::Session(Arc::clone(hooks)),
        }
    }
}

impl<G, S> fmt::Debug for AnyPlugin<G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its id is for the plugin's own code to say, which is not run by whoever prints something.
        f.debug_struct("AnyPlugin").field("scope", &self.0.kind()).field("type", &self.0.type_name()).finish()
    }
}

/// Whatever can be added to a runtime: a [`Plugin`] or a [`GlobalPlugin`]. Its type says which; a type that is both
/// must be added as one of them by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no plugin of this runtime",
    note = "implement `Plugin` for what lives in every session, or `GlobalPlugin` for what lives once",
    note = "a runtime with data of its own takes `Plugin<G, S>` and `GlobalPlugin<G>` with the same `G` and `S`"
)]
pub trait IntoPlugin<G, S, Marker> {
    /// Erases the type.
    fn into_plugin(self) -> AnyPlugin<G, S>;
}

/// Marks a plugin of sessions.
#[derive(Debug)]
pub struct PerSession;

/// Marks a plugin of the global scope.
#[derive(Debug)]
pub struct PerRuntime;

impl<G: Send + Sync + 'static, S: Send + Sync + 'static, P: Plugin<G, S>> IntoPlugin<G, S, PerSession> for P {
    fn into_plugin(self) -> AnyPlugin<G, S> {
        AnyPlugin(ByScope::Session(Arc::new(InSession {
            plugin: Foreign::new(self),
            is_deaf: AtomicBool::default(),
        })))
    }
}

impl<G: Send + Sync + 'static, S, P: GlobalPlugin<G>> IntoPlugin<G, S, PerRuntime> for P {
    fn into_plugin(self) -> AnyPlugin<G, S> {
        AnyPlugin(ByScope::Global(Arc::new(InGlobal {
            plugin: Foreign::new(self),
            is_deaf: AtomicBool::default(),
        })))
    }
}

impl<G, S> IntoPlugin<G, S, AnyPlugin<G, S>> for AnyPlugin<G, S> {
    fn into_plugin(self) -> Self {
        self
    }
}
