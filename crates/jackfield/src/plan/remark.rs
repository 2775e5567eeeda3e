use std::fmt;

use serde::Serialize;

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
