//! In which order plugins attach: what they need first, and otherwise as they were added.

use std::collections::{BTreeMap, BTreeSet};

use super::Declaration;
use crate::id::PluginId;

/// The order of `plugins`, of which those in `already` are attached. A cycle is entered at the member that was
/// added first.
pub(super) fn attach_order(plugins: &[&Declaration], already: &BTreeSet<PluginId>) -> Vec<PluginId> {
    let waiting: BTreeMap<&PluginId, usize> =
        plugins.iter().enumerate().map(|(place, plugin)| (plugin.manifest.id(), place)).collect();
    let mut missing: Vec<usize> = Vec::with_capacity(plugins.len());
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); plugins.len()];
    for (place, plugin) in plugins.iter().enumerate() {
        let needed = plugin.manifest.dependencies().iter().filter(|id| !already.contains(*id));
        let needed: Vec<_> =
            needed.filter_map(|id| waiting.get(id)).filter(|other| **other != place).collect();
        missing.push(needed.len());
        needed.into_iter().for_each(|dependency| dependents[*dependency].push(place));
    }

    let mut ready: BTreeSet<usize> = (0..plugins.len()).filter(|place| missing[*place] == 0).collect();
    let mut left: BTreeSet<usize> = (0..plugins.len()).collect();
    let mut order = Vec::with_capacity(plugins.len());
    while let Some(place) = ready.pop_first().or_else(|| left.first().copied()) {
        left.remove(&place);
        order.push(plugins[place].manifest.id().clone());
        for dependent in &dependents[place] {
            missing[*dependent] = missing[*dependent].saturating_sub(1);
            if missing[*dependent] == 0 && left.contains(dependent) {
                ready.insert(*dependent);
            }
        }
    }
    order
}
