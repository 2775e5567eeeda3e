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
    let (was, will) = (old.attached(), new.attached());
    let step = |plugin: &PluginId| Step {
        plugin: plugin.clone(),
        cause: match new.standing(plugin) {
            Some(standing) => standing.cause.clone(),
            None if new.demand.is_some() => Cause::Removed,
            None => Cause::Closing,
        },
    };
    let downs = old.order.iter().rev().filter(|plugin| !will.contains(*plugin)).map(step).collect();
    let ups = new.order.iter().filter(|plugin| !was.contains(*plugin)).map(step).collect();
    let stays: BTreeSet<PluginId> = was.intersection(&will).cloned().collect();
    let configs = config_changes(old, &new, &stays);
    let winners = winner_changes(old, &new);
    ScopePlan { scope, downs, ups, winners, configs, next: new }
}

fn winner_changes(old: &Desired, new: &Desired) -> Vec<WinnerChange> {
    let slots: BTreeSet<&SlotId> = old.slots.keys().chain(new.slots.keys()).collect();
    let changes = slots.into_iter().filter_map(|slot| {
        let (from, to) = (old.winner(slot).cloned(), new.winner(slot).cloned());
        (from != to).then(|| WinnerChange { slot: slot.clone(), from, to })
    });
    changes.collect()
}

fn config_changes(old: &Desired, new: &Desired, stays: &BTreeSet<PluginId>) -> Vec<ConfigChange> {
    let mut changes = Vec::new();
    for (owner, after) in new.configs.iter().filter(|(owner, _)| stays.contains(owner.plugin())) {
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
