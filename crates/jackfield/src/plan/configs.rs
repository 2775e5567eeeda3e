//! Configurations, read into their types while a change is planned.

use std::{fmt, sync::Arc};

use rpds::RedBlackTreeMapSync;

use super::roster::Cast;
use crate::{
    config::{AnyConfig, ConfigSpec},
    foreign::Foreign,
    id::{Pin, PluginId, SlotId},
    settings::{ConfigTable, DocumentPath, Problem, RuntimeSettings},
};

pub(super) type Configs = RedBlackTreeMapSync<ConfigOwner, Arc<ReadConfig>>;

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

    /// What settings say of it: where, and the table, if it has anything in it.
    fn written<'a>(&self, settings: &'a RuntimeSettings) -> Option<(DocumentPath, &'a ConfigTable)> {
        match self {
            Self::Plugin(plugin) => {
                let table = &settings.plugins.get(plugin)?.config;
                (!table.is_empty()).then(|| (self.unwritten(), table))
            }
            Self::Service(plugin, slot) => {
                let (pin, table) = settings.written_config(plugin, slot)?;
                Some((DocumentPath::new(["services", &pin.to_string(), "config"]), table))
            }
        }
    }

    /// Where settings would say something of it alone.
    fn unwritten(&self) -> DocumentPath {
        match self {
            Self::Plugin(plugin) => DocumentPath::new(["plugins", plugin.as_str(), "config"]),
            Self::Service(plugin, slot) => {
                let pin = Pin::new(plugin.clone(), slot.clone());
                DocumentPath::new(["services", &pin.to_string(), "config"])
            }
        }
    }
}

/// A configuration as it was written, and as it was understood.
pub(crate) struct ReadConfig {
    pub(crate) table: ConfigTable,
    pub(crate) typed: Foreign<AnyConfig>,
}

impl fmt::Debug for ReadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(f)
    }
}

/// One of the configurations that plugins of a scope may have. They go plugin by plugin, its own before its services'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Configurable {
    pub(super) rank: usize,
    /// Which of the plugin's offers; its own configuration without.
    pub(super) offer: Option<usize>,
}

impl Configurable {
    /// All that the plugin of this rank may have.
    pub(super) fn of_plugin(cast: &Cast, rank: usize) -> impl Iterator<Item = Self> {
        let offers = (0..cast.plugin(rank).offers.len()).map(Some);
        std::iter::once(None).chain(offers).map(move |offer| Self { rank, offer })
    }

    /// The type, and whose it is; nothing if it has none.
    pub(super) fn spec(self, cast: &Cast) -> Option<(&ConfigSpec, ConfigOwner)> {
        let plugin = cast.plugin(self.rank);
        let id = plugin.manifest.id().clone();
        match self.offer {
            None => Some((plugin.manifest.config_spec()?, ConfigOwner::Plugin(id))),
            Some(number) => {
                let offer = &plugin.offers[number];
                Some((offer.config.as_ref()?, ConfigOwner::Service(id, offer.slot.clone())))
            }
        }
    }
}

/// Reads a configuration if it is needed, or given although its plugin is not on: what waits in the settings should be
/// found wrong when it is written, not when it is switched on.
pub(super) fn read(
    owner: &ConfigOwner,
    spec: &ConfigSpec,
    is_on: bool,
    settings: &RuntimeSettings,
    before: Option<&Arc<ReadConfig>>,
    problems: &mut Vec<Problem>,
) -> Option<Arc<ReadConfig>> {
    let nothing = ConfigTable::new();
    let (path, table) = match owner.written(settings) {
        Some(written) => written,
        None if is_on => (owner.unwritten(), &nothing),
        None => return None,
    };
    // What has not changed is not read again: the typed value stays the same object.
    if let Some(same) = before.filter(|config| config.table == *table) {
        return Some(Arc::clone(same));
    }
    match spec.read(&path, table) {
        Ok(typed) => {
            let typed = Foreign::new(typed);
            let equal = before.filter(|config| spec.are_equal(&config.typed, &typed));
            let typed = equal.map_or(typed, |config| config.typed.clone());
            Some(Arc::new(ReadConfig { table: table.clone(), typed }))
        }
        Err(found) => {
            for problem in found.0 {
                if !problems.contains(&problem) {
                    problems.push(problem); // if it does, another scope has found it
                }
            }
            None
        }
    }
}
