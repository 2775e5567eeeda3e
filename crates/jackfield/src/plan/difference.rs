//! What turns one state of a scope into another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Cause, ConfigChange, ConfigOwner, Desired, Place, Step, Steps, WinnerChange};
use crate::{
    id::{PluginId, SlotId},
    settings::{ConfigTable, DocumentPath},
};

/// Where two states of a scope may differ.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// Who goes.
    pub(super) going: BTreeMap<Place, PluginId>,
    /// Who comes.
    pub(super) coming: BTreeMap<Place, PluginId>,
    pub(super) slots: BTreeSet<SlotId>,
    pub(super) owners: BTreeSet<ConfigOwner>,
}

impl Differences {
    /// For those who know nothing of how the states came about: everywhere.
    pub(super) fn anywhere(old: &Desired, new: &Desired) -> Self {
        let lacking = |one: &Desired, other: &Desired| {
            let lacking = one.order.places().filter(|(_, plugin)| !other.order.contains(plugin));
            lacking.map(|(place, plugin)| (place, plugin.clone())).collect()
        };
        Self {
            going: lacking(old, new),
            coming: lacking(new, old),
            slots: old.slots.keys().chain(new.slots.keys()).cloned().collect(),
            owners: new.configs.keys().cloned().collect(),
        }
    }
}

/// The steps that lead from `old` to `new`, which differ nowhere else.
pub(super) fn steps_between(old: &Desired, new: &Desired, differences: &Differences) -> Steps {
    let Differences { going, coming, slots, owners } = differences;
    let slots: Vec<SlotId> =
        slots.iter().filter(|slot| old.slots.get(*slot) != new.slots.get(*slot)).cloned().collect();
    let owners: Vec<ConfigOwner> = owners.iter().filter(|owner| is_new(owner, old, new)).cloned().collect();
    Steps {
        downs: going.iter().rev().map(|(place, plugin)| step(plugin, *place, new)).collect(),
        ups: coming.iter().map(|(place, plugin)| step(plugin, *place, new)).collect(),
        winners: slots.iter().filter_map(|slot| winner_change(slot, old, new)).collect(),
        configs: owners.iter().flat_map(|owner| config_changes(owner, old, new)).collect(),
        slots,
        owners,
    }
}

/// The step of one who comes or goes, with what `new` says of it.
fn step(plugin: &PluginId, place: Place, new: &Desired) -> Step {
    let other = if new.demand.is_some() { Cause::Removed } else { Cause::Closing };
    let cause = new.standing(plugin).map_or(other, |standing| standing.cause.clone());
    Step { plugin: plugin.clone(), cause, place }
}

/// The change of a slot, if it changes hands.
fn winner_change(slot: &SlotId, old: &Desired, new: &Desired) -> Option<WinnerChange> {
    let (from, to) = (old.winner(slot), new.winner(slot));
    let made = || WinnerChange { slot: slot.clone(), from: from.cloned(), to: to.cloned() };
    (from != to).then(made)
}

/// Whether a plugin that stays has a configuration in `new` that is another object than in `old`.
fn is_new(owner: &ConfigOwner, old: &Desired, new: &Desired) -> bool {
    let stays = old.order.contains(owner.plugin()) && new.order.contains(owner.plugin());
    let (before, after) = (old.config(owner), new.config(owner));
    stays && before.zip(after).is_some_and(|(before, after)| !Arc::ptr_eq(before, after))
}

/// What is another in the configuration of `owner`.
fn config_changes(owner: &ConfigOwner, old: &Desired, new: &Desired) -> Vec<ConfigChange> {
    let table = |desired: &'_ Desired| desired.configs.get(owner).map(|config| config.table.clone());
    let (before, after) = (table(old), table(new));
    let mut values = BTreeMap::new();
    collect(&DocumentPath::default(), before.as_ref(), after.as_ref(), &mut values);
    let slot = match owner {
        ConfigOwner::Plugin(_) => None,
        ConfigOwner::Service(_, slot) => Some(slot.clone()),
    };
    let change = |(path, (from, to))| {
        let (plugin, slot) = (owner.plugin().clone(), slot.clone());
        ConfigChange { plugin, slot, path, from, to }
    };
    values.into_iter().map(change).collect()
}

type Values = BTreeMap<DocumentPath, (Option<serde_json::Value>, Option<serde_json::Value>)>;

/// The values that differ, table by table, so that one turned knob is one line.
fn collect(path: &DocumentPath, old: Option<&ConfigTable>, new: Option<&ConfigTable>, into: &mut Values) {
    let keys: BTreeSet<&String> = old.into_iter().chain(new).flat_map(ConfigTable::keys).collect();
    for key in keys {
        let (from, to) = (old.and_then(|table| table.get(key)), new.and_then(|table| table.get(key)));
        if from == to {
            continue;
        }
        let path = path.join(key);
        let tables = (from.and_then(|value| value.as_object()), to.and_then(|value| value.as_object()));
        if let (Some(from), Some(to)) = tables {
            collect(&path, Some(from), Some(to), into);
        } else {
            into.insert(path, (from.cloned(), to.cloned()));
        }
    }
}
