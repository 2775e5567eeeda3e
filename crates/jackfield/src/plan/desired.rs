use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use super::{
    Cause, Declaration, Remark, ScopeKind, Standing,
    cycle::Needs,
    order::attach_order,
    slots::{CandidatePlan, candidates},
    standing::standings,
};
use crate::{
    config::{AnyConfig, ConfigSpec},
    foreign::Foreign,
    id::{Pin, PluginId, SlotId},
    settings::{ConfigTable, DocumentPath, PluginSettings, Problem, RuntimeSettings, ServiceSettings},
};

/// Everything that decides what should run in one scope.
#[derive(Clone)]
pub(crate) struct Demand {
    pub(crate) kind: ScopeKind,
    /// All plugins of the runtime, in the order in which they were added.
    pub(crate) declarations: Arc<[Arc<Declaration>]>,
    /// The settings in force in the scope.
    pub(crate) settings: Arc<RuntimeSettings>,
    /// The plugins of other scopes that those of this one may need.
    pub(crate) visible: Arc<BTreeSet<PluginId>>,
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

    /// Whether `other` asks for the same. Cheap where both share what they are made from.
    fn is(&self, other: &Self) -> bool {
        self.kind == other.kind
            && Arc::ptr_eq(&self.declarations, &other.declarations)
            && (Arc::ptr_eq(&self.visible, &other.visible) || self.visible == other.visible)
            && self.quarantined == other.quarantined
            && (Arc::ptr_eq(&self.settings, &other.settings) || self.settings == other.settings)
    }

    /// Who of those who failed in `before` is the same plugin with the same settings, and so would fail again. One that
    /// was removed and added is another, whatever it is called.
    pub(crate) fn still_quarantined(&mut self, before: &Self) {
        let declaration = |demand: &Self, id: &PluginId| {
            demand.declarations.iter().find(|plugin| plugin.manifest.id() == id).map(Arc::as_ptr)
        };
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

/// What should run in one scope, or does: everything that declarations and settings decide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desired {
    /// What it was made from; nothing while nothing was ever asked for.
    pub(crate) demand: Option<Arc<Demand>>,
    /// Whether it has since fallen short of that.
    falls_short: bool,
    /// Whether it was asked of a scope in which nothing ran.
    from_nothing: bool,
    /// All plugins of the scope's kind, as they were added.
    pub(crate) standings: Vec<Standing>,
    /// What is odd about those that take part.
    pub(crate) remarks: Vec<Remark>,
    /// Those that take part, in the order in which they attach, or did.
    pub(crate) order: Vec<PluginId>,
    /// The candidates of those that take part, highest authority first.
    pub(crate) slots: BTreeMap<SlotId, Vec<CandidatePlan>>,
    /// The configurations, read into their types.
    pub(crate) configs: BTreeMap<ConfigOwner, ReadConfig>,
}

/// Whose configuration it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ConfigOwner {
    Plugin(PluginId),
    Service(PluginId, SlotId),
}

impl ConfigOwner {
    pub(crate) fn plugin(&self) -> &PluginId {
        match self {
            Self::Plugin(plugin) | Self::Service(plugin, _) => plugin,
        }
    }
}

/// A configuration as it was written, and as it was understood.
#[derive(Clone)]
pub(crate) struct ReadConfig {
    pub(crate) table: ConfigTable,
    pub(crate) typed: Foreign<AnyConfig>,
}

impl fmt::Debug for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demand").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(f)
    }
}

impl Desired {
    /// What is asked of a scope that runs `current`: the very same, if it was asked for that.
    pub(crate) fn following(demand: Demand, current: &Arc<Self>, problems: &mut Vec<Problem>) -> Arc<Self> {
        let same = current.demand.as_ref().is_some_and(|asked| asked.is(&demand));
        if same && !current.falls_short {
            return Arc::clone(current); // all that it holds follows from what was asked
        }
        Arc::new(Self::of(demand, current, problems))
    }

    /// Whether a scope that is opened for `demand` will run this very thing.
    pub(crate) fn is_as_opened_for(&self, demand: &Demand) -> bool {
        self.from_nothing && !self.falls_short && self.demand.as_ref().is_some_and(|asked| asked.is(demand))
    }

    /// What is asked of a scope that runs `current`.
    pub(crate) fn of(demand: Demand, current: &Self, problems: &mut Vec<Problem>) -> Self {
        let demand = Arc::new(demand);
        let plugins: Vec<&Declaration> = demand
            .declarations
            .iter()
            .map(AsRef::as_ref)
            .filter(|plugin| plugin.scope == demand.kind)
            .collect();
        let standings = standings(&plugins, &demand);
        let enabled: Vec<&Declaration> = (plugins.iter().zip(&standings))
            .filter_map(|(plugin, standing)| standing.enabled.then_some(*plugin))
            .collect();
        let remarks = remarks(&enabled, &demand.visible);
        let order = order(&enabled, current);
        let slots = candidates(&enabled, &demand.settings);
        let (configs, falls_short, from_nothing) = (BTreeMap::new(), false, current.demand.is_none());
        let mut desired = Self {
            demand: Some(Arc::clone(&demand)),
            falls_short,
            from_nothing,
            standings,
            remarks,
            order,
            slots,
            configs,
        };
        desired.read_configs(&plugins, &demand.settings, current, problems);
        desired
    }

    /// The same without `fallen`, who failed with these reasons, and without those who need them.
    pub(crate) fn without(&self, fallen: &BTreeMap<PluginId, String>) -> Self {
        let Some(demand) = &self.demand else { return self.clone() };
        let less =
            |demand: Demand, (plugin, reason): (&PluginId, &String)| demand.without(plugin, reason.clone());
        let demand = fallen.iter().fold(Demand::clone(demand), less);
        // Fewer plugins want fewer configurations, and these have been read.
        Self::of(demand, self, &mut Vec::new())
    }

    /// The settings in force in the scope.
    pub(crate) fn settings(&self) -> Arc<RuntimeSettings> {
        self.demand.as_ref().map(|demand| Arc::clone(&demand.settings)).unwrap_or_default()
    }

    pub(crate) fn attached(&self) -> BTreeSet<PluginId> {
        self.order.iter().cloned().collect()
    }

    pub(crate) fn standing(&self, plugin: &PluginId) -> Option<&Standing> {
        self.standings.iter().find(|standing| standing.plugin == *plugin)
    }

    pub(crate) fn config(&self, owner: &ConfigOwner) -> Option<&AnyConfig> {
        self.configs.get(owner).map(|config| &*config.typed)
    }

    pub(crate) fn winner(&self, slot: &SlotId) -> Option<&PluginId> {
        self.slots.get(slot)?.iter().find(|candidate| candidate.enabled).map(|candidate| &candidate.plugin)
    }

    /// Whether the candidate of `plugin` for `slot` takes part.
    pub(crate) fn takes_part(&self, plugin: &PluginId, slot: &SlotId) -> bool {
        let candidates = self.slots.get(slot).into_iter().flatten();
        candidates.into_iter().any(|candidate| candidate.plugin == *plugin && candidate.enabled)
    }

    /// Leaves `plugin` out, which could not be brought back.
    pub(crate) fn lose(&mut self, plugin: &PluginId, cause: Cause) {
        self.falls_short = true;
        self.order.retain(|id| id != plugin);
        for candidates in self.slots.values_mut() {
            candidates.retain(|candidate| candidate.plugin != *plugin);
        }
        self.slots.retain(|_, candidates| !candidates.is_empty());
        if let Some(standing) = self.standings.iter_mut().find(|standing| standing.plugin == *plugin) {
            standing.enabled = false;
            standing.cause = cause;
        }
    }

    /// Reads every configuration that is needed or given, also that of a plugin which is off: what waits in the
    /// settings should be found wrong when it is written, not when it is switched on.
    fn read_configs(
        &mut self,
        plugins: &[&Declaration],
        settings: &RuntimeSettings,
        current: &Self,
        problems: &mut Vec<Problem>,
    ) {
        let on: Vec<bool> = self.standings.iter().map(|standing| standing.enabled).collect();
        for (plugin, on) in plugins.iter().zip(on) {
            let id = plugin.manifest.id();
            if let Some(spec) = plugin.manifest.config_spec() {
                let table = settings.plugins.get(id).map(|entry| entry.config.clone()).unwrap_or_default();
                if on || !table.is_empty() {
                    let path = DocumentPath::new(["plugins", id.as_str(), "config"]);
                    let owner = ConfigOwner::Plugin(id.clone());
                    self.read_config(owner, table, current, problems, spec, &path);
                }
            }
            for offer in &plugin.offers {
                let Some(spec) = &offer.config else { continue };
                let written = settings.written_config(id, &offer.slot);
                if on || written.is_some() {
                    let (pin, table) = match written {
                        Some((pin, table)) => (pin, table.clone()),
                        None => (Pin::new(id.clone(), offer.slot.clone()), ConfigTable::new()),
                    };
                    let path = DocumentPath::new(["services", &pin.to_string(), "config"]);
                    let owner = ConfigOwner::Service(id.clone(), offer.slot.clone());
                    self.read_config(owner, table, current, problems, spec, &path);
                }
            }
        }
    }

    fn read_config(
        &mut self,
        owner: ConfigOwner,
        table: ConfigTable,
        current: &Self,
        problems: &mut Vec<Problem>,
        spec: &ConfigSpec,
        path: &DocumentPath,
    ) {
        let before = current.configs.get(&owner);
        // What has not changed is not read again: the typed value stays the same object.
        if let Some(same) = before.filter(|config| config.table == table) {
            self.configs.insert(owner, same.clone());
            return;
        }
        match spec.read(path, &table) {
            Ok(typed) => {
                let typed = Foreign::new(typed);
                let equal = before.filter(|config| spec.are_equal(&config.typed, &typed));
                let typed = equal.map_or(typed, |config| config.typed.clone());
                self.configs.insert(owner, ReadConfig { table, typed });
            }
            Err(found) => {
                for problem in found.0 {
                    if !problems.contains(&problem) {
                        problems.push(problem); // if it does, another scope has found it
                    }
                }
            }
        }
    }
}

/// Those who stay keep their place; those who come follow in the order of their needs.
fn order(enabled: &[&Declaration], current: &Desired) -> Vec<PluginId> {
    let wanted: BTreeSet<&PluginId> = enabled.iter().map(|plugin| plugin.manifest.id()).collect();
    let mut order: Vec<PluginId> = current.order.iter().filter(|id| wanted.contains(id)).cloned().collect();
    let already: BTreeSet<&PluginId> = order.iter().collect();
    let coming: Vec<&Declaration> =
        enabled.iter().copied().filter(|plugin| !already.contains(plugin.manifest.id())).collect();
    order.extend(attach_order(&coming));
    order
}

/// What is odd about `enabled`, who see `visible` besides each other.
fn remarks(enabled: &[&Declaration], visible: &BTreeSet<PluginId>) -> Vec<Remark> {
    let on: BTreeSet<&PluginId> = enabled.iter().map(|plugin| plugin.manifest.id()).collect();
    let named =
        |members: Vec<usize>| members.into_iter().map(|place| enabled[place].manifest.id().clone()).collect();
    let cycles = Needs::among(enabled).members().into_iter();
    let mut remarks: Vec<Remark> = cycles.map(|members| Remark::Cycle { plugins: named(members) }).collect();
    for plugin in enabled {
        let unmet = |id: &&PluginId| !on.contains(id) && !visible.contains(*id);
        remarks.extend(plugin.manifest.dependencies().iter().filter(unmet).map(|dependency| {
            let (plugin, dependency) = (plugin.manifest.id().clone(), dependency.clone());
            Remark::LockedWithout { plugin, dependency } // whoever is not locked would be off
        }));
    }
    remarks
}
