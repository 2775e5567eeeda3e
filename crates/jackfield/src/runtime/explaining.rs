//! What runs, and why.

use super::PluginRuntime;
use crate::{
    config::ConfigSpec,
    id::{PluginId, SlotId},
    settings::RuntimeSettings,
    view::RuntimeStatus,
    why::Why,
};

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> PluginRuntime<G, S> {
    /// What runs now, as plain values.
    pub fn status(&self) -> RuntimeStatus {
        RuntimeStatus::of(&self.published.world.load())
    }

    /// Whether its flags and `settings` want `plugin`, in whichever scope it lives: locked, then its entry, then
    /// experimental. What it needs, and whether it failed, counts for nothing; who does take part, says
    /// [`status`](Self::status). `false` if there is no plugin of this name.
    pub fn is_wanted(&self, plugin: &PluginId, settings: &RuntimeSettings) -> bool {
        let world = self.published.world.load();
        let declaration = world.wishes.declarations.find(plugin);
        declaration.is_some_and(|declaration| declaration.manifest.is_wanted_by(settings))
    }

    /// Why `plugin` is on or off: setting, flag, dependency or failure, and what is behind that. `None` if there is no
    /// plugin of this name.
    pub fn why(&self, plugin: &PluginId) -> Option<Why> {
        Why::plugin(&self.published.world.load(), plugin)
    }

    /// Who competes for `slot`, and why the winner wins. `None` if no plugin offers it.
    pub fn why_slot(&self, slot: &SlotId) -> Option<Why> {
        Why::slot(&self.published.world.load(), slot)
    }

    /// Where the configuration of `plugin` comes from, or that of its service in `slot`. `None` if there is no plugin
    /// of this name.
    pub fn why_config(&self, plugin: &PluginId, slot: Option<&SlotId>) -> Option<Why> {
        Why::config(&self.published.world.load(), plugin, slot)
    }

    /// The type of the configuration of `plugin`, or of its service in `slot`: what a form for it is made from. Builds
    /// nothing. `None` where nothing can be configured.
    ///
    /// What can be edited where is found by walking a scope's slots:
    ///
    /// ```
    /// # use jackfield::{PluginRuntime, Scope};
    /// # fn forms(runtime: &PluginRuntime, scope: &Scope) {
    /// for slot in scope.slots() {
    ///     let Some(winner) = scope.winner(&slot) else { continue };
    ///     if let Some(spec) = runtime.config_spec(&winner, Some(&slot)) {
    ///         println!("{slot}: {}", spec.schema().as_value());
    ///     }
    /// }
    /// # }
    /// ```
    pub fn config_spec(&self, plugin: &PluginId, slot: Option<&SlotId>) -> Option<ConfigSpec> {
        let world = self.published.world.load();
        let declaration = world.wishes.declarations.find(plugin)?;
        match slot {
            None => declaration.manifest.config_spec().cloned(),
            Some(slot) => declaration.offers.iter().find(|offer| offer.slot == *slot)?.config.clone(),
        }
    }
}
