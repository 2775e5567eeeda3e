//! Plugins and settings, at random.

use std::collections::{BTreeMap, BTreeSet};

use jackfield::{Pin, PluginId, Priority, RuntimeSettings, Slot, SlotId};
use proptest::prelude::*;

use crate::actor::Thing;

/// How many plugins there are at the start. The one after them is a stranger, until it is added.
pub(crate) const PARTS: usize = 5;
pub(crate) const STRANGER: usize = PARTS;
const NAMES: [&str; PARTS + 1] = ["p0", "p1", "p2", "p3", "p4", "stranger"];

/// The slots that plugins compete for. The one after them nobody offers.
pub(crate) const SLOTS: [Slot<Thing>; 3] = [Slot::new("s.0"), Slot::new("s.1"), Slot::new("s.2")];
const NO_SLOT: Slot<Thing> = Slot::new("s.none");

pub(crate) fn id(plugin: usize) -> PluginId {
    PluginId::new(NAMES[plugin])
}
pub(crate) fn plugin(id: &PluginId) -> usize {
    NAMES.iter().position(|name| *name == id.as_str()).unwrap()
}
pub(crate) fn slot(slot: usize) -> SlotId {
    SLOTS.get(slot).copied().unwrap_or(NO_SLOT).id()
}

/// What a plugin declares.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) global: bool,
    pub(crate) flag: Flag,
    pub(crate) needs: Vec<usize>,
    pub(crate) config: bool,
    pub(crate) offers: BTreeMap<usize, Offer>,
    /// The slot that it looks up while it attaches, and that its singletons look up while they are built.
    pub(crate) peeks: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flag {
    None,
    Locked,
    Experimental,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    pub(crate) priority: i64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Singleton,
    Configured,
    Lazy,
    Factory,
    /// With a life of its own, and a configuration.
    Stateful,
    /// With a life of its own, which begins when it is first looked up.
    StatefulLazy,
}

impl Kind {
    pub(crate) fn is_configured(self) -> bool {
        matches!(self, Self::Configured | Self::Stateful)
    }
    pub(crate) fn is_lazy(self) -> bool {
        matches!(self, Self::Lazy | Self::StatefulLazy)
    }
    pub(crate) fn is_stateful(self) -> bool {
        matches!(self, Self::Stateful | Self::StatefulLazy)
    }
}

impl Part {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let flag = prop_oneof![6 => Just(Flag::None), 1 => Just(Flag::Locked), 1 => Just(Flag::Experimental)];
        let needs = prop::collection::vec(prop_oneof![20 => 0..PARTS, 1 => Just(STRANGER)], 0..3);
        let kind = prop_oneof![
            Just(Kind::Singleton),
            Just(Kind::Configured),
            Just(Kind::Lazy),
            Just(Kind::Factory),
            Just(Kind::Stateful),
            Just(Kind::StatefulLazy),
        ];
        let offer = (1..4i64, kind).prop_map(|(priority, kind)| Offer { priority, kind });
        let offers = prop::collection::btree_map(0..SLOTS.len(), offer, 0..3);
        let peeks = prop::option::weighted(0.3, 0..SLOTS.len());
        (prop::bool::weighted(0.3), flag, needs, any::<bool>(), offers, peeks).prop_map(
            |(global, flag, needs, config, offers, peeks)| Self {
                global,
                flag,
                needs,
                config,
                offers,
                peeks,
            },
        )
    }
}

/// The plugins of a runtime.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    /// What they declare, those that are not there included.
    pub(crate) parts: Vec<Part>,
    /// Who is there, in the order in which they were added.
    pub(crate) here: Vec<usize>,
    /// Who was and is no more: what settings say of them waits.
    pub(crate) removed: BTreeSet<usize>,
}

impl Cast {
    /// The plugins of one kind of scope, in the order in which they were added.
    pub(crate) fn of(&self, global: bool) -> impl Iterator<Item = usize> {
        self.here.iter().copied().filter(move |plugin| self.parts[*plugin].global == global)
    }

    pub(crate) fn with(&self, plugin: usize, part: Part) -> Self {
        let mut cast = self.clone();
        cast.parts[plugin] = part;
        cast.here.push(plugin);
        cast.removed.remove(&plugin);
        cast
    }

    pub(crate) fn without(&self, plugin: usize) -> Self {
        let mut cast = self.clone();
        cast.here.retain(|other| *other != plugin);
        cast.removed.insert(plugin);
        cast
    }
}

/// What a configuration says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Says {
    Nothing,
    Level(u8),
    Nonsense,
}

impl Says {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        prop_oneof![30 => Just(Self::Nothing), 30 => (0..3u8).prop_map(Self::Level), 1 => Just(Self::Nonsense)]
    }

    fn table(self) -> jackfield::ConfigTable {
        let value = match self {
            Self::Nothing => serde_json::json!({}),
            Self::Level(level) => serde_json::json!({ "level": level }),
            Self::Nonsense => serde_json::json!({ "level": "very" }),
        };
        value.as_object().unwrap().clone()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Knobs {
    pub(crate) enabled: bool,
    pub(crate) priority: Option<i64>,
    pub(crate) says: Says,
}

/// Settings, as the model sees them. A pin without a plugin is a wildcard.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Doc {
    pub(crate) plugins: BTreeMap<usize, (bool, Says)>,
    pub(crate) pins: BTreeMap<(Option<usize>, usize), Knobs>,
}

impl Doc {
    pub(crate) fn settings(&self) -> RuntimeSettings {
        let mut settings = RuntimeSettings::default();
        for (plugin, (enabled, says)) in &self.plugins {
            let entry = settings.plugin_mut(id(*plugin));
            (entry.enabled, entry.config) = (*enabled, says.table());
        }
        for ((plugin, at), knobs) in &self.pins {
            let pin = match plugin {
                Some(plugin) => Pin::new(id(*plugin), slot(*at)),
                None => Pin::wildcard(slot(*at)),
            };
            let entry = settings.service_mut(pin);
            (entry.enabled, entry.config) = (knobs.enabled, knobs.says.table());
            entry.priority = knobs.priority.map(Priority::new);
        }
        settings
    }

    /// These settings with others on top: what those do not say is as it is below.
    pub(crate) fn overlaid(&self, over: &Self) -> Self {
        let mut doc = self.clone();
        let or = |says: Says, below: Says| if says == Says::Nothing { below } else { says };
        for (plugin, (on, says)) in &over.plugins {
            let below = doc.plugins.get(plugin).map_or(Says::Nothing, |(_, says)| *says);
            doc.plugins.insert(*plugin, (*on, or(*says, below)));
        }
        for (pin, knobs) in &over.pins {
            let below = doc.pins.get(pin);
            let says = or(knobs.says, below.map_or(Says::Nothing, |below| below.says));
            let priority = knobs.priority.or(below.and_then(|below| below.priority));
            doc.pins.insert(*pin, Knobs { enabled: knobs.enabled, priority, says });
        }
        doc
    }

    /// What is said about one plugin.
    pub(crate) fn entries(&self, plugin: usize) -> Self {
        let mut doc = self.clone();
        doc.plugins.retain(|other, _| *other == plugin);
        doc.pins.retain(|(other, _), _| *other == Some(plugin));
        doc
    }
}
