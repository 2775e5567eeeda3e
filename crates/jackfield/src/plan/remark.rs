use std::fmt;

use serde::Serialize;

use super::{cycle::Needs, demand::Demand};
use crate::id::PluginId;

/// Something about the plugins that is most likely not meant, and stands in nobody's way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "remark", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Remark {
    /// Plugins that take part need each other, or one needs itself: none of them can attach after all that it needs.
    Cycle {
        /// All of them, in the order in which they were added.
        plugins: Vec<PluginId>,
    },
    /// A locked plugin takes part although one that it needs does not.
    LockedWithout {
        /// The locked plugin.
        plugin: PluginId,
        /// What it needs.
        dependency: PluginId,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycle { plugins } => match &plugins[..] {
                [alone] => write!(f, "`{alone}` needs itself"),
                plugins => {
                    let names: Vec<String> = plugins.iter().map(|plugin| format!("`{plugin}`")).collect();
                    write!(f, "{} need each other", names.join(", "))
                }
            },
            Self::LockedWithout { plugin, dependency } => {
                write!(f, "`{plugin}` is locked, and so takes part without `{dependency}`, which it needs")
            }
        }
    }
}

/// What is odd about those members of the scope that are `on`.
pub(super) fn remarks(demand: &Demand, on: impl Fn(usize) -> bool) -> Vec<Remark> {
    let cast = demand.cast();
    let suspects: Vec<usize> = cast.suspects().iter().copied().filter(|rank| on(*rank)).collect();
    let named =
        |places: Vec<usize>| places.into_iter().map(|place| cast.id(suspects[place]).clone()).collect();
    let cycles = Needs::among(cast, &suspects).members().into_iter();
    let mut remarks: Vec<Remark> = cycles.map(|members| Remark::Cycle { plugins: named(members) }).collect();
    for suspect in &suspects {
        let unmet = |(id, rank): &(&PluginId, Option<usize>)| match rank {
            Some(rank) => !on(*rank),
            None => !demand.visible.contains(id),
        };
        remarks.extend(cast.needs(*suspect).filter(unmet).map(|(dependency, _)| {
            let (plugin, dependency) = (cast.id(*suspect).clone(), dependency.clone());
            Remark::LockedWithout { plugin, dependency } // whoever is not locked would be off
        }));
    }
    remarks
}
