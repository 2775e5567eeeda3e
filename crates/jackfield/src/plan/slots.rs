//! Who wins a slot: from declarations and settings alone, so that the way to some settings never matters.

use std::cmp::Reverse;

use super::{Place, place::Order, roster::Cast};
use crate::{
    id::{Pin, PluginId, SlotId},
    priority::Priority,
    settings::{RuntimeSettings, ServiceSettings},
};

/// What settings make of one declared candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CandidatePlan {
    pub(crate) plugin: PluginId,
    /// The place of its plugin.
    pub(crate) place: Place,
    pub(crate) priority: Priority,
    pub(crate) enabled: bool,
}

/// The candidates for `slot` of those in `order`, highest authority first; among equals, whoever was added first.
pub(super) fn candidates(
    slot: &SlotId,
    cast: &Cast,
    order: &Order,
    settings: &RuntimeSettings,
) -> Vec<CandidatePlan> {
    let specific = |plugin: &PluginId| settings.services.get(&Pin::new(plugin.clone(), slot.clone()));
    let candidate = |plugin: &PluginId, base: Priority| {
        let place = order.place_of(plugin)?;
        let knobs = specific(plugin);
        let priority = knobs.and_then(|knobs| knobs.priority).unwrap_or(base);
        let enabled = knobs.is_none_or(|knobs| knobs.enabled);
        Some(CandidatePlan { plugin: plugin.clone(), place, priority, enabled })
    };
    let mut candidates: Vec<CandidatePlan> = cast
        .offering(slot)
        .filter_map(|(plugin, offer)| candidate(plugin.manifest.id(), offer.priority))
        .collect();
    if let Some(wildcard) = settings.services.get(&Pin::wildcard(slot.clone())) {
        apply_wildcard(&mut candidates, wildcard, specific);
    }
    // Once, at the end, and stable: among equals whoever was added first, whatever priority it had before.
    candidates.sort_by_key(|candidate| Reverse(candidate.priority));
    candidates
}

/// The wildcard's knobs, one by one: its priority goes to the winner by base and specific priority, unless a specific
/// knob says otherwise, and it can close the whole slot. Configurations are read elsewhere.
fn apply_wildcard<'a>(
    candidates: &mut [CandidatePlan],
    wildcard: &ServiceSettings,
    specific: impl Fn(&PluginId) -> Option<&'a ServiceSettings>,
) {
    if let Some(priority) = wildcard.priority
        && let Some(winner) = winner_of(candidates)
        && specific(&winner.plugin).is_none_or(|knobs| knobs.priority.is_none())
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
