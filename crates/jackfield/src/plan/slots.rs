//! Who wins a slot: from declarations and settings alone, so that the way to some settings never matters.

use std::{cmp::Reverse, collections::BTreeMap};

use super::Declaration;
use crate::{
    id::{PluginId, SlotId},
    priority::Priority,
    settings::{RuntimeSettings, ServiceSettings},
};

/// What settings make of one declared candidate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CandidatePlan {
    pub(crate) plugin: PluginId,
    pub(crate) priority: Priority,
    pub(crate) enabled: bool,
}

/// The candidates of all slots, highest authority first. `plugins` come in the order in which they were added, which
/// decides between equals.
pub(super) fn candidates(
    plugins: &[&Declaration],
    settings: &RuntimeSettings,
) -> BTreeMap<SlotId, Vec<CandidatePlan>> {
    let mut knobs: BTreeMap<&SlotId, Knobs<'_>> = BTreeMap::new();
    for (pin, entry) in &settings.services {
        let slot = knobs.entry(pin.slot()).or_default();
        match pin.plugin() {
            Some(plugin) => drop(slot.specific.insert(plugin, entry)),
            None => slot.wildcard = Some(entry),
        }
    }

    let mut slots: BTreeMap<SlotId, Vec<CandidatePlan>> = BTreeMap::new();
    for plugin in plugins {
        for offer in &plugin.offers {
            let id = plugin.manifest.id();
            let specific = knobs.get(&offer.slot).and_then(|knobs| knobs.specific.get(id));
            slots.entry(offer.slot.clone()).or_default().push(CandidatePlan {
                plugin: id.clone(),
                priority: specific.and_then(|knobs| knobs.priority).unwrap_or(offer.priority),
                enabled: specific.is_none_or(|knobs| knobs.enabled),
            });
        }
    }
    for (slot, candidates) in &mut slots {
        if let Some(Knobs { wildcard: Some(wildcard), specific }) = knobs.get(slot) {
            apply_wildcard(candidates, wildcard, specific);
        }
        // Once, at the end, and stable: among equals whoever was added first, whatever priority it had before.
        candidates.sort_by_key(|candidate| Reverse(candidate.priority));
    }
    slots
}

#[derive(Default)]
struct Knobs<'a> {
    wildcard: Option<&'a ServiceSettings>,
    specific: BTreeMap<&'a PluginId, &'a ServiceSettings>,
}

/// The wildcard's knobs, one by one: its priority goes to the winner by base and specific priority, unless a specific
/// knob says otherwise, and it can close the whole slot. Configurations are read elsewhere.
fn apply_wildcard(
    candidates: &mut [CandidatePlan],
    wildcard: &ServiceSettings,
    specific: &BTreeMap<&PluginId, &ServiceSettings>,
) {
    if let Some(priority) = wildcard.priority
        && let Some(winner) = winner_of(candidates)
        && specific.get(&winner.plugin).is_none_or(|knobs| knobs.priority.is_none())
    {
        winner.priority = priority;
    }
    candidates.iter_mut().for_each(|candidate| candidate.enabled &= wildcard.enabled);
}

/// The highest, and among equals whoever was added first.
fn winner_of(candidates: &mut [CandidatePlan]) -> Option<&mut CandidatePlan> {
    let enabled = candidates.iter_mut().filter(|candidate| candidate.enabled);
    enabled.min_by_key(|candidate| Reverse(candidate.priority))
}
