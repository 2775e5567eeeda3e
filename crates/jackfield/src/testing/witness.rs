//! Any plugin, with somebody at its side.

use std::{ops::Deref, sync::Arc};

use futures_util::future::BoxFuture;

use super::fault::{Fault, panic_as_told};
use crate::{
    context::{Context, SettingsChange},
    error::PluginResult,
    id::PluginId,
    manifest::Manifest,
    plugin::{AnyPlugin, ByScope, Hooks},
    registry::Registrar,
    report::Hook,
};

/// Is there when the hooks of a plugin run, and may have them fail.
pub(super) trait Witness: Send + Sync + 'static {
    /// A hook that has a context is about to run.
    fn before(&self, plugin: &PluginId, hook: Hook, cx: &Context);

    /// It has run and has not failed.
    fn after(&self, plugin: &PluginId, hook: Hook, cx: &Context);

    /// How this hook shall fail, now that it has done all it does.
    fn fault(&self, plugin: &PluginId, hook: Hook) -> Option<Fault>;
}

/// The same plugin with `witness` at its side.
pub(super) fn witnessed<G: Send + Sync + 'static, S: Send + Sync + 'static>(
    AnyPlugin(plugin): AnyPlugin<G, S>,
    witness: Arc<dyn Witness>,
) -> AnyPlugin<G, S> {
    let plugin_id = plugin.manifest().id().clone();
    AnyPlugin(match plugin {
        ByScope::Global(hooks) => ByScope::Global(Arc::new(Witnessed { plugin_id, hooks, witness })),
        ByScope::Session(hooks) => ByScope::Session(Arc::new(Witnessed { plugin_id, hooks, witness })),
    })
}

struct Witnessed<C> {
    plugin_id: PluginId,
    hooks: Arc<dyn Hooks<C>>,
    witness: Arc<dyn Witness>,
}

impl<C: Deref<Target = Context> + Send + Sync> Witnessed<C> {
    fn watch<'a>(
        &'a self,
        hook: Hook,
        cx: &'a C,
        run: impl FnOnce() -> BoxFuture<'a, PluginResult> + Send + 'a,
    ) -> BoxFuture<'a, PluginResult> {
        Box::pin(async move {
            self.witness.before(&self.plugin_id, hook, cx);
            run().await?;
            self.witness.after(&self.plugin_id, hook, cx);
            match self.witness.fault(&self.plugin_id, hook) {
                Some(fault) => fault.strike(self.plugin_id.as_str()).await,
                None => Ok(()),
            }
        })
    }
}

impl<C: Deref<Target = Context> + Send + Sync> Hooks<C> for Witnessed<C> {
    fn type_name(&self) -> &'static str {
        self.hooks.type_name()
    }

    fn manifest(&self) -> Manifest {
        self.hooks.manifest()
    }

    fn register(&self, services: &mut Registrar<'_>) {
        self.hooks.register(services);
        if self.witness.fault(&self.plugin_id, Hook::Register).is_some() {
            panic_as_told(self.plugin_id.as_str());
        }
    }

    fn attach<'a>(&'a self, cx: &'a C) -> BoxFuture<'a, PluginResult> {
        self.watch(Hook::Attach, cx, || self.hooks.attach(cx))
    }

    fn settings_changed<'a>(&'a self, cx: &'a C, change: &'a SettingsChange) -> BoxFuture<'a, PluginResult> {
        self.watch(Hook::SettingsChanged, cx, || self.hooks.settings_changed(cx, change))
    }

    fn detach<'a>(&'a self, cx: &'a C) -> BoxFuture<'a, PluginResult> {
        self.watch(Hook::Detach, cx, || self.hooks.detach(cx))
    }

    /// The witness does, whatever the plugin wants.
    fn listens(&self) -> bool {
        true
    }
}
