//! What must run, from declarations and settings alone, in the plainest way.

use std::collections::{BTreeMap, BTreeSet};

use jackfield::UnknownReferences;

use crate::cast::{Doc, Flag, Kind, PARTS, Part, SLOTS, Says};

/// A candidate for a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) plugin: usize,
    pub(crate) priority: i64,
    pub(crate) enabled: bool,
}

pub(crate) type Candidates = BTreeMap<usize, Vec<Candidate>>;

/// `doc` without what nobody answers to; `None` if the change must be refused.
pub(crate) fn accepted(parts: &[Part], policy: UnknownReferences, doc: &Doc) -> Option<Doc> {
    let known = known(parts, doc);
    let refused = policy == UnknownReferences::Reject && known != *doc;
    (!refused && makes_sense(parts, &known, |_| true)).then_some(known)
}

/// The same for a session that opens: it does not mind what global plugins cannot read.
pub(crate) fn accepted_by_a_session(parts: &[Part], policy: UnknownReferences, doc: &Doc) -> Option<Doc> {
    let known = known(parts, doc);
    let refused = policy == UnknownReferences::Reject && known != *doc;
    (!refused && makes_sense(parts, &known, |part| !part.global)).then_some(known)
}

fn known(parts: &[Part], doc: &Doc) -> Doc {
    let mut known = doc.clone();
    known.plugins.retain(|plugin, _| *plugin < PARTS);
    known.pins.retain(|(plugin, slot), _| match plugin {
        None => true, // a wildcard is never unknown
        Some(plugin) => parts.get(*plugin).is_some_and(|part| part.offers.contains_key(slot)),
    });
    known
}

/// Whether every configuration can be read that is meant for a plugin which `counts`, also if it is off.
fn makes_sense(parts: &[Part], doc: &Doc, counts: impl Fn(&Part) -> bool) -> bool {
    (0..parts.len()).filter(|plugin| counts(&parts[*plugin])).all(|plugin| {
        let own = !parts[plugin].config || own_says(doc, plugin) != Says::Nonsense;
        let configured = parts[plugin].offers.iter().filter(|(_, offer)| offer.kind == Kind::Configured);
        own && configured.into_iter().all(|(slot, _)| service_says(doc, plugin, *slot) != Says::Nonsense)
    })
}

fn own_says(doc: &Doc, plugin: usize) -> Says {
    doc.plugins.get(&plugin).map_or(Says::Nothing, |(_, says)| *says)
}

/// The specific configuration if it says anything, else the wildcard's.
fn service_says(doc: &Doc, plugin: usize, slot: usize) -> Says {
    let says = |pin| doc.pins.get(&pin).map_or(Says::Nothing, |knobs| knobs.says);
    match says((Some(plugin), slot)) {
        Says::Nothing => says((None, slot)),
        specific => specific,
    }
}

fn level(says: Says) -> u8 {
    if let Says::Level(level) = says { level } else { 0 }
}
pub(crate) fn own_level(doc: &Doc, plugin: usize) -> u8 {
    level(own_says(doc, plugin))
}
pub(crate) fn service_level(doc: &Doc, plugin: usize, slot: usize) -> u8 {
    level(service_says(doc, plugin, slot))
}

/// Who takes part in a scope that sees the plugins in `visible`.
pub(crate) fn enabled(parts: &[Part], doc: &Doc, global: bool, visible: &BTreeSet<usize>) -> BTreeSet<usize> {
    let by_itself = |plugin: &usize| match (parts[*plugin].flag, doc.plugins.get(plugin)) {
        (Flag::Locked, _) => true,
        (_, Some((on, _))) => *on,
        (flag, None) => flag != Flag::Experimental,
    };
    let mut on: BTreeSet<usize> =
        (0..parts.len()).filter(|plugin| parts[*plugin].global == global).filter(by_itself).collect();
    while let Some(unmet) = unmet(parts, &on, visible) {
        on.remove(&unmet);
    }
    on
}

/// Somebody in `on` who cannot be there without a plugin that is not.
pub(crate) fn unmet(parts: &[Part], on: &BTreeSet<usize>, visible: &BTreeSet<usize>) -> Option<usize> {
    let is_met = |need: &usize| on.contains(need) || visible.contains(need);
    on.iter()
        .copied()
        .find(|plugin| parts[*plugin].flag != Flag::Locked && !parts[*plugin].needs.iter().all(is_met))
}

/// The order in which `coming` attach: needs first, otherwise as they were added; a cycle is entered by the first of
/// its members that needs nobody else any more.
pub(crate) fn order(parts: &[Part], coming: &BTreeSet<usize>) -> Vec<usize> {
    let needs = |plugin: usize| parts[plugin].needs.iter().copied().filter(|need| coming.contains(need));
    let reaches = |from: usize, to: usize| {
        let mut seen = BTreeSet::new();
        let mut ahead: Vec<usize> = needs(from).collect();
        while let Some(next) = ahead.pop() {
            if seen.insert(next) {
                ahead.extend(needs(next));
            }
        }
        seen.contains(&to)
    };
    let mut order: Vec<usize> = Vec::new();
    while order.len() < coming.len() {
        let left = || coming.iter().copied().filter(|plugin| !order.contains(plugin));
        let there = |need: usize, plugin: usize| need == plugin || order.contains(&need);
        let ready = left().find(|plugin| needs(*plugin).all(|need| there(need, *plugin)));
        let next = ready.or_else(|| {
            left().find(|plugin| needs(*plugin).all(|need| there(need, *plugin) || reaches(need, *plugin)))
        });
        order.push(next.unwrap());
    }
    order
}

/// The candidates of those in `on`, the highest first.
pub(crate) fn candidates(parts: &[Part], doc: &Doc, on: &BTreeSet<usize>) -> Candidates {
    let mut slots = Candidates::new();
    for slot in 0..SLOTS.len() {
        let specific = |plugin: usize| doc.pins.get(&(Some(plugin), slot));
        let mut candidates: Vec<Candidate> = Vec::new();
        for plugin in on {
            let Some(offer) = parts[*plugin].offers.get(&slot) else { continue };
            let knobs = specific(*plugin);
            let priority = knobs.and_then(|knobs| knobs.priority).unwrap_or(offer.priority);
            candidates.push(Candidate {
                plugin: *plugin,
                priority,
                enabled: knobs.is_none_or(|knobs| knobs.enabled),
            });
        }
        if let Some(wildcard) = doc.pins.get(&(None, slot)) {
            let best =
                candidates.iter().filter(|candidate| candidate.enabled).map(|candidate| candidate.priority);
            let best = best.max();
            let winner = candidates.iter_mut().find(|it| it.enabled && Some(it.priority) == best);
            if let (Some(winner), Some(priority)) = (winner, wildcard.priority)
                && specific(winner.plugin).is_none_or(|knobs| knobs.priority.is_none())
            {
                winner.priority = priority;
            }
            if !wildcard.enabled {
                candidates.iter_mut().for_each(|candidate| candidate.enabled = false);
            }
        }
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.priority)); // stable
        if !candidates.is_empty() {
            slots.insert(slot, candidates);
        }
    }
    slots
}
