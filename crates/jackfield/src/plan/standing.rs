//! Who takes part, and why or why not.

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
pub(super) fn base(manifest: &Manifest, settings: &RuntimeSettings) -> (bool, Cause) {
    if manifest.is_locked() {
        return (true, Cause::Locked);
    }
    if let Some(entry) = settings.plugins.get(manifest.id()) {
        return (entry.enabled, Cause::Settings);
    }
    if manifest.is_enabled_by_default() { (true, Cause::Default) } else { (false, Cause::Experimental) }
}

/// The standings of the plugins of these ranks, which ascend, where the others are on or off as `others` says.
pub(super) fn standings(who: &[usize], demand: &Demand, others: impl Fn(usize) -> bool) -> Vec<Standing> {
    let cast = demand.cast();
    let mut standings: Vec<Standing> = who.iter().map(|rank| wanted(cast.plugin(*rank), demand)).collect();

    // Whoever needs a plugin that is off goes too, until nobody is left who does. Each round costs one pass, and
    // switches at least one plugin off.
    loop {
        let mut settled = true;
        for (place, rank) in who.iter().enumerate() {
            if !standings[place].enabled || cast.plugin(*rank).manifest.is_locked() {
                continue;
            }
            let is_on = |rank: usize| match who.binary_search(&rank) {
                Ok(place) => standings[place].enabled,
                Err(_) => others(rank),
            };
            let unmet = |(id, rank): &(&PluginId, Option<usize>)| match rank {
                Some(rank) => !is_on(*rank),
                None => !demand.visible.contains(id),
            };
            if let Some((dependency, _)) = cast.needs(*rank).find(unmet) {
                let cause = Cause::Needs { dependency: dependency.clone() };
                standings[place] = Standing { plugin: cast.id(*rank).clone(), enabled: false, cause };
                settled = false;
            }
        }
        if settled {
            return standings;
        }
    }
}

/// How a plugin stands that has all it needs.
fn wanted(plugin: &Declaration, demand: &Demand) -> Standing {
    let id = plugin.manifest.id();
    let (enabled, cause) = base(&plugin.manifest, &demand.settings);
    let (enabled, cause) = match demand.quarantined.get(id) {
        Some(failed) if enabled => (false, Cause::Failed { reason: failed.reason.clone() }),
        _ => (enabled, cause),
    };
    Standing { plugin: id.clone(), enabled, cause }
}
