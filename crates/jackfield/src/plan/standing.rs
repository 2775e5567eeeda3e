//! Who takes part, and why or why not.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Cause, Declaration};
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

/// The three rules, in their order: locked, explicit, experimental.
pub(super) fn base(manifest: &Manifest, settings: &RuntimeSettings) -> (bool, Cause) {
    if manifest.is_locked() {
        return (true, Cause::Locked);
    }
    if let Some(entry) = settings.plugins.get(manifest.id()) {
        return (entry.enabled, Cause::Settings);
    }
    if manifest.is_enabled_by_default() { (true, Cause::Default) } else { (false, Cause::Experimental) }
}

/// The standings of `plugins`, which share a scope that sees the plugins in `visible` besides them.
pub(super) fn standings(
    plugins: &[&Declaration],
    settings: &RuntimeSettings,
    visible: &BTreeSet<PluginId>,
) -> Vec<Standing> {
    let mut standings: Vec<_> = plugins
        .iter()
        .map(|plugin| {
            let (enabled, cause) = base(&plugin.manifest, settings);
            Standing { plugin: plugin.manifest.id().clone(), enabled, cause }
        })
        .collect();

    // Whoever needs a plugin that is off goes too, until nobody is left who does. Each round costs one pass, and
    // switches at least one plugin off.
    let on = |standings: &[Standing]| -> BTreeSet<PluginId> {
        standings.iter().filter(|standing| standing.enabled).map(|standing| standing.plugin.clone()).collect()
    };
    let mut enabled = on(&standings);
    loop {
        let mut settled = true;
        for (plugin, standing) in plugins.iter().zip(&mut standings) {
            if !standing.enabled || plugin.manifest.is_locked() {
                continue;
            }
            let unmet = |id: &&PluginId| !enabled.contains(*id) && !visible.contains(*id);
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
