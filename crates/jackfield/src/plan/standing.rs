//! Who takes part, and why or why not.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Cause, Declaration, Demand};
use crate::{id::PluginId, manifest::Manifest, settings::RuntimeSettings};

/// Whether one plugin takes part in a scope, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Which plugin.
    pub plugin: PluginId,
    /// Whether it takes part.
    pub enabled: bool,
    /// Why, or why not.
    #[serde(flatten)]
    pub cause: Cause,
}

impl Manifest {
    /// Whether the plugin's flags and `settings` want it, whatever it needs.
    pub(crate) fn is_wanted_by(&self, settings: &RuntimeSettings) -> bool {
        base(self, settings).0
    }
}

/// The three rules, in their order: locked, explicit, experimental.
fn base(manifest: &Manifest, settings: &RuntimeSettings) -> (bool, Cause) {
    if manifest.is_locked() {
        return (true, Cause::Locked);
    }
    if let Some(entry) = settings.plugins.get(manifest.id()) {
        return (entry.enabled, Cause::Settings);
    }
    if manifest.is_enabled_by_default() { (true, Cause::Default) } else { (false, Cause::Experimental) }
}

/// The standings of `plugins`, which share a scope.
pub(super) fn standings(plugins: &[&Declaration], demand: &Demand) -> Vec<Standing> {
    let mut standings: Vec<_> = plugins
        .iter()
        .map(|plugin| {
            let id = plugin.manifest.id();
            let (enabled, cause) = base(&plugin.manifest, &demand.settings);
            let (enabled, cause) = match demand.quarantined.get(id) {
                Some(failed) if enabled => (false, Cause::Failed { reason: failed.reason.clone() }),
                _ => (enabled, cause),
            };
            Standing { plugin: id.clone(), enabled, cause }
        })
        .collect();

    // Whoever needs a plugin that is off goes too, until nobody is left who does. Each round costs one pass, and
    // switches at least one plugin off.
    let on = standings.iter().filter(|standing| standing.enabled);
    let mut enabled: BTreeSet<PluginId> = on.map(|standing| standing.plugin.clone()).collect();
    loop {
        let mut settled = true;
        for (plugin, standing) in plugins.iter().zip(&mut standings) {
            if !standing.enabled || plugin.manifest.is_locked() {
                continue;
            }
            let unmet = |id: &&PluginId| !enabled.contains(*id) && !demand.visible.contains(*id);
            if let Some(dependency) = plugin.manifest.dependencies().iter().find(unmet) {
                standing.enabled = false;
                standing.cause = Cause::Needs { dependency: dependency.clone() };
                enabled.remove(&standing.plugin);
                settled = false;
            }
        }
        if settled {
            return standings;
        }
    }
}
