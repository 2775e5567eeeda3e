//! What is asked of a scope.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    ScopeKind,
    place::Order,
    roster::{Cast, Roster},
};
use crate::{
    id::{Pin, PluginId},
    settings::{PluginSettings, RuntimeSettings, ServiceSettings},
};

/// Everything that decides what should run in one scope.
#[derive(Clone)]
pub(crate) struct Demand {
    pub(crate) kind: ScopeKind,
    /// All plugins of the runtime, in the order in which they were added.
    pub(crate) declarations: Arc<Roster>,
    /// The settings in force in the scope.
    pub(crate) settings: Arc<RuntimeSettings>,
    /// The plugins of other scopes that those of this one may need.
    pub(crate) visible: Arc<Order>,
    /// Who is left out because it failed, until its settings change.
    pub(crate) quarantined: BTreeMap<PluginId, Quarantined>,
}

/// A plugin that failed, and with what settings it did.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quarantined {
    pub(crate) reason: String,
    entries: Entries,
}

/// What settings say about one plugin.
type Entries = (Option<PluginSettings>, Vec<(Pin, ServiceSettings)>);

impl Demand {
    /// The same, leaving out one plugin more.
    pub(crate) fn without(&self, plugin: &PluginId, reason: String) -> Self {
        let mut demand = self.clone();
        let entries = entries(&self.settings, plugin);
        demand.quarantined.insert(plugin.clone(), Quarantined { reason, entries });
        demand
    }

    /// The plugins that live in this scope.
    pub(super) fn cast(&self) -> &Cast {
        self.declarations.cast(self.kind)
    }

    /// Whether `other` asks for the same. Cheap where both share what they are made from.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.is_of_the_same_plugins(other)
            && self.visible.has_the_same_plugins_as(&other.visible)
            && self.quarantined == other.quarantined
            && (Arc::ptr_eq(&self.settings, &other.settings) || self.settings == other.settings)
    }

    /// Whether `other` asks something of the same plugins.
    pub(super) fn is_of_the_same_plugins(&self, other: &Self) -> bool {
        self.kind == other.kind && Arc::ptr_eq(&self.declarations, &other.declarations)
    }

    /// Who of those who failed in `before` is the same plugin with the same settings, and so would fail again. One that
    /// was removed and added is another, whatever it is called.
    pub(crate) fn still_quarantined(&mut self, before: &Self) {
        let declaration = |demand: &Self, id| demand.declarations.find(id).map(Arc::as_ptr);
        for (plugin, quarantined) in &before.quarantined {
            let stayed = declaration(self, plugin).is_some_and(|it| declaration(before, plugin) == Some(it));
            if stayed && entries(&self.settings, plugin) == quarantined.entries {
                self.quarantined.insert(plugin.clone(), quarantined.clone());
            }
        }
    }
}

fn entries(settings: &RuntimeSettings, plugin: &PluginId) -> Entries {
    let services = settings.services.iter().filter(|(pin, _)| pin.plugin() == Some(plugin));
    let services = services.map(|(pin, entry)| (pin.clone(), entry.clone())).collect();
    (settings.plugins.get(plugin).cloned(), services)
}

impl fmt::Debug for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demand").field("kind", &self.kind).finish_non_exhaustive()
    }
}
