//! What turns one state of a scope into another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Cause, ConfigChange, ConfigOwner, Desired, ScopeName, ScopePlan, Step, WinnerChange};
use crate::{
    id::{PluginId, SlotId},
    settings::{ConfigTable, DocumentPath},
};

/// The plan that leads a scope from `old` to `new`.
pub(super) fn difference(scope: ScopeName, old: &Desired, new: Arc<Desired>) -> ScopePlan {
    if std::ptr::eq(old, &raw const *new) {
        let (downs, ups, winners, configs) = Default::default();
        return ScopePlan { scope, downs, ups, winners, configs, next: new };
    }
    let mut go = lacking(&old.order, &new.order);
    go.reverse();
    let (downs, ups) = (steps(&go, &new), steps(&lacking(&new.order, &old.order), &new));
    let (winners, configs) = (winner_changes(old, &new), config_changes(old, &new));
    ScopePlan { scope, downs, ups, winners, configs, next: new }
}

/// Those of `plugins` that are not among the `others`.
fn lacking<'a>(plugins: &'a [PluginId], others: &[PluginId]) -> Vec<&'a PluginId> {
    let others: BTreeSet<&PluginId> = others.iter().collect();
    plugins.iter().filter(|plugin| !others.contains(plugin)).collect()
}

/// The steps of those who come or go, each with what `new` says of it.
fn steps(plugins: &[&PluginId], new: &Desired) -> Vec<Step> {
    let other = if new.demand.is_some() { Cause::Removed } else { Cause::Closing };
    let causes = causes(plugins, new);
    let cause = |plugin| causes.get(plugin).map_or(&other, |cause| *cause).clone();
    plugins.iter().map(|plugin| Step { plugin: PluginId::clone(plugin), cause: cause(plugin) }).collect()
}

fn causes<'a>(plugins: &[&PluginId], new: &'a Desired) -> BTreeMap<&'a PluginId, &'a Cause> {
    if plugins.is_empty() || new.standings.is_empty() {
        return BTreeMap::new(); // nobody moves, or all close
    }
    let moving: BTreeSet<&PluginId> = plugins.iter().copied().collect();
    let standings = new.standings.iter().filter(|standing| moving.contains(&standing.plugin));
    standings.map(|standing| (&standing.plugin, &standing.cause)).collect()
}

/// The slots that change hands, by name.
fn winner_changes(old: &Desired, new: &Desired) -> Vec<WinnerChange> {
    let lost = old.slots.keys().filter(|slot| !new.slots.contains_key(*slot));
    let change = |slot: &SlotId| {
        let (from, to) = (old.winner(slot), new.winner(slot));
        let made = || WinnerChange { slot: slot.clone(), from: from.cloned(), to: to.cloned() };
        (from != to).then(made)
    };
    let mut changes: Vec<WinnerChange> = new.slots.keys().chain(lost).filter_map(change).collect();
    changes.sort_unstable_by(|one, other| one.slot.cmp(&other.slot));
    changes
}

fn config_changes(old: &Desired, new: &Desired) -> Vec<ConfigChange> {
    if old.configs.is_empty() || new.configs.is_empty() {
        return Vec::new();
    }
    let (was, will): (BTreeSet<&PluginId>, BTreeSet<&PluginId>) =
        (old.order.iter().collect(), new.order.iter().collect());
    let stays = |plugin: &PluginId| was.contains(plugin) && will.contains(plugin);
    let mut changes = Vec::new();
    for (owner, after) in new.configs.iter().filter(|(owner, _)| stays(owner.plugin())) {
        let Some(before) = old.configs.get(owner) else { continue };
        if Arc::ptr_eq(&before.typed, &after.typed) {
            continue;
        }
        let mut values = BTreeMap::new();
        collect(&DocumentPath::default(), Some(&before.table), Some(&after.table), &mut values);
        let slot = match owner {
            ConfigOwner::Plugin(_) => None,
            ConfigOwner::Service(_, slot) => Some(slot.clone()),
        };
        changes.extend(values.into_iter().map(|(path, (from, to))| ConfigChange {
            plugin: owner.plugin().clone(),
            slot: slot.clone(),
            path,
            from,
            to,
        }));
    }
    changes
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
