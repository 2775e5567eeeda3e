//! What must run, from declarations and settings alone, in the plainest way.

use std::collections::{BTreeMap, BTreeSet};

use jackfield::UnknownReferences;

use crate::cast::{Cast, Doc, Flag, Part, SLOTS, Says};

/// A candidate for a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) plugin: usize,
    pub(crate) priority: i64,
    pub(crate) enabled: bool,
}

pub(crate) type Candidates = BTreeMap<usize, Vec<Candidate>>;

/// Everything that is wanted of a runtime.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) cast: Cast,
    pub(crate) settings: Doc,
    /// What the global scope has on top.
    pub(crate) over_global: Doc,
    /// What the sessions have on top, by their number.
    pub(crate) over: BTreeMap<usize, Doc>,
}

impl Wanted {
    pub(crate) fn with_settings(&self, settings: Doc) -> Self {
        Self { settings, ..self.clone() }
    }
    pub(crate) fn with_cast(&self, cast: Cast) -> Self {
        Self { cast, ..self.clone() }
    }
    pub(crate) fn with_over(&self, session: Option<usize>, over: Doc) -> Self {
        let mut wanted = self.clone();
        match session {
            Some(session) => drop(wanted.over.insert(session, over)),
            None => wanted.over_global = over,
        }
        wanted
    }

    /// The settings in force in a session, or in the global scope.
    pub(crate) fn of(&self, session: Option<usize>) -> Doc {
        self.settings.overlaid(session.map_or(&self.over_global, |session| &self.over[&session]))
    }

    /// The same without what nobody answers to; `None` if it must be refused for that.
    fn known(&self, policy: UnknownReferences) -> Option<Self> {
        let (cast, known) = (&self.cast, |doc| known(&self.cast, doc));
        let over = self.over.iter().map(|(session, doc)| (*session, known(doc))).collect();
        let (settings, over_global) = (known(&self.settings), known(&self.over_global));
        let all = Self { cast: cast.clone(), settings, over_global, over };
        let same =
            (&all.settings, &all.over_global, &all.over) == (&self.settings, &self.over_global, &self.over);
        (same || policy != UnknownReferences::Reject).then_some(all)
    }

    /// What is in force if a change to this is made; `None` if the change must be refused.
    pub(crate) fn accepted(&self, policy: UnknownReferences) -> Option<Self> {
        let known = self.known(policy)?;
        let mut sessions = known.over.keys();
        let sense = makes_sense(&known.cast, &known.of(None), true)
            && sessions.all(|session| makes_sense(&known.cast, &known.of(Some(*session)), false))
            // Where there is no session, what session plugins could not read is found all the same.
            && (!known.over.is_empty() || makes_sense(&known.cast, &known.settings, false));
        sense.then_some(known)
    }

    /// The same for a session that opens: it does not mind what others cannot read.
    pub(crate) fn accepted_by(&self, session: usize, policy: UnknownReferences) -> Option<Self> {
        let known = self.known(policy)?;
        makes_sense(&known.cast, &known.of(Some(session)), false).then_some(known)
    }
}

fn known(cast: &Cast, doc: &Doc) -> Doc {
    let mut known = doc.clone();
    let here = |plugin: &usize| cast.here.contains(plugin);
    let waits = |plugin: &usize| cast.removed.contains(plugin);
    known.plugins.retain(|plugin, _| here(plugin) || waits(plugin));
    known.pins.retain(|(plugin, slot), _| match plugin {
        None => true, // a wildcard is never unknown
        Some(plugin) => waits(plugin) || here(plugin) && cast.parts[*plugin].offers.contains_key(slot),
    });
    known
}

/// Whether every configuration can be read that is meant for a plugin of a kind, also if it is off.
fn makes_sense(cast: &Cast, doc: &Doc, global: bool) -> bool {
    cast.of(global).all(|plugin| {
        let part = &cast.parts[plugin];
        let own = !part.config || own_says(doc, plugin) != Says::Nonsense;
        let mut configured = part.offers.iter().filter(|(_, offer)| offer.kind.is_configured());
        own && configured.all(|(slot, _)| service_says(doc, plugin, *slot) != Says::Nonsense)
    })
}

pub(crate) fn own_says(doc: &Doc, plugin: usize) -> Says {
    doc.plugins.get(&plugin).map_or(Says::Nothing, |(_, says)| *says)
}

/// The specific configuration if it says anything, else the wildcard's.
pub(crate) fn service_says(doc: &Doc, plugin: usize, slot: usize) -> Says {
    let says = |pin| doc.pins.get(&pin).map_or(Says::Nothing, |knobs| knobs.says);
    match says((Some(plugin), slot)) {
        Says::Nothing => says((None, slot)),
        specific => specific,
    }
}

/// What a configuration comes to: one that says nothing is the default.
pub(crate) fn level(says: Says) -> u8 {
    if let Says::Level(level) = says { level } else { 0 }
}
pub(crate) fn own_level(doc: &Doc, plugin: usize) -> u8 {
    level(own_says(doc, plugin))
}
pub(crate) fn service_level(doc: &Doc, plugin: usize, slot: usize) -> u8 {
    level(service_says(doc, plugin, slot))
}

/// Whether flags and settings want a plugin, whatever it needs.
pub(crate) fn is_wanted(part: &Part, doc: &Doc, plugin: usize) -> bool {
    match (part.flag, doc.plugins.get(&plugin)) {
        (Flag::Locked, _) => true,
        (_, Some((on, _))) => *on,
        (flag, None) => flag != Flag::Experimental,
    }
}

/// Who takes part in a scope that sees the plugins in `visible`, and does without those in `out`.
pub(crate) fn enabled(
    cast: &Cast,
    doc: &Doc,
    global: bool,
    visible: &BTreeSet<usize>,
    out: impl Fn(usize) -> bool,
) -> BTreeSet<usize> {
    let wanted = |plugin: &usize| is_wanted(&cast.parts[*plugin], doc, *plugin) && !out(*plugin);
    let mut on: BTreeSet<usize> = cast.of(global).filter(wanted).collect();
    while let Some(unmet) = unmet(&cast.parts, &on, visible) {
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
pub(crate) fn order(cast: &Cast, coming: &BTreeSet<usize>) -> Vec<usize> {
    let needs = |plugin: usize| cast.parts[plugin].needs.iter().copied().filter(|need| coming.contains(need));
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
        let left = || cast.here.iter().copied().filter(|it| coming.contains(it) && !order.contains(it));
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
pub(crate) fn candidates(cast: &Cast, doc: &Doc, on: &BTreeSet<usize>) -> Candidates {
    let mut slots = Candidates::new();
    for slot in 0..SLOTS.len() {
        let specific = |plugin: usize| doc.pins.get(&(Some(plugin), slot));
        let mut candidates: Vec<Candidate> = Vec::new();
        for plugin in cast.here.iter().filter(|plugin| on.contains(plugin)) {
            let Some(offer) = cast.parts[*plugin].offers.get(&slot) else { continue };
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
