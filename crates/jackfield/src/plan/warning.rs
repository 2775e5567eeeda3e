use std::{collections::BTreeSet, fmt};

use super::{Declaration, Standing, cycle::Needs};
use crate::id::PluginId;

/// What is most likely a mistake among those who take part, though they do take part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Warning {
    /// They need each other.
    Cycle { plugins: Vec<PluginId> },
    /// It is locked, so it is on without what it needs.
    LockedWithout { plugin: PluginId, dependency: PluginId },
}

/// What is to be warned of among `plugins`, which share a scope that sees the plugins in `visible` besides them.
pub(super) fn warnings(
    plugins: &[&Declaration],
    standings: &[Standing],
    visible: &BTreeSet<PluginId>,
) -> BTreeSet<Warning> {
    let enabled: Vec<&Declaration> = (plugins.iter().zip(standings))
        .filter_map(|(plugin, standing)| standing.enabled.then_some(*plugin))
        .collect();
    let on: BTreeSet<&PluginId> = enabled.iter().map(|plugin| plugin.manifest.id()).chain(visible).collect();
    let locked = enabled.iter().filter(|plugin| plugin.manifest.is_locked()).flat_map(|plugin| {
        let missing = plugin.manifest.dependencies().iter().filter(|id| !on.contains(id));
        missing.map(|dependency| Warning::LockedWithout {
            plugin: plugin.manifest.id().clone(),
            dependency: dependency.clone(),
        })
    });
    let cycles = Needs::among(&enabled).members().into_iter().map(|members| Warning::Cycle {
        plugins: members.into_iter().map(|place| enabled[place].manifest.id().clone()).collect(),
    });
    locked.chain(cycles).collect()
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycle { plugins } => match &plugins[..] {
                [alone] => write!(f, "`{alone}` needs itself"),
                _ => {
                    let names: Vec<String> = plugins.iter().map(|plugin| format!("`{plugin}`")).collect();
                    write!(f, "{} need each other", names.join(", "))
                }
            },
            Self::LockedWithout { plugin, dependency } => {
                write!(f, "`{plugin}` is locked, so it is on without `{dependency}`, which it needs")
            }
        }
    }
}
