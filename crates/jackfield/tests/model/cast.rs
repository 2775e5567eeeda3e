//! Plugins, settings and steps, at random.

use std::collections::BTreeMap;

use jackfield::{Pin, PluginId, Priority, RuntimeSettings, Slot, SlotId, UnknownReferences};
use proptest::prelude::*;

use crate::actor::Thing;

/// How many plugins there are. The one after them is in no runtime.
pub(crate) const PARTS: usize = 5;
const NAMES: [&str; PARTS + 1] = ["p0", "p1", "p2", "p3", "p4", "ghost"];

/// The slots that plugins compete for. The one after them nobody offers.
pub(crate) const SLOTS: [Slot<Thing>; 3] = [Slot::new("s.0"), Slot::new("s.1"), Slot::new("s.2")];
const NO_SLOT: Slot<Thing> = Slot::new("s.none");

pub(crate) fn id(plugin: usize) -> PluginId {
    PluginId::new(NAMES[plugin])
}
pub(crate) fn plugin(id: &PluginId) -> usize {
    NAMES.iter().position(|name| *name == id.as_str()).unwrap()
}
fn slot(slot: usize) -> SlotId {
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
}

impl Part {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let flag = prop_oneof![6 => Just(Flag::None), 1 => Just(Flag::Locked), 1 => Just(Flag::Experimental)];
        let needs = prop::collection::vec(prop_oneof![20 => 0..PARTS, 1 => Just(PARTS)], 0..3);
        let kind =
            prop_oneof![Just(Kind::Singleton), Just(Kind::Configured), Just(Kind::Lazy), Just(Kind::Factory)];
        let offer = (1..4i64, kind).prop_map(|(priority, kind)| Offer { priority, kind });
        let offers = prop::collection::btree_map(0..SLOTS.len(), offer, 0..3);
        (prop::bool::weighted(0.3), flag, needs, any::<bool>(), offers)
            .prop_map(|(global, flag, needs, config, offers)| Self { global, flag, needs, config, offers })
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
    fn any() -> impl Strategy<Value = Self> {
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
}

/// One line of settings, before it is known what there is to be set.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    Plugin(usize, bool, Says),
    /// The pin of whichever offer has this number.
    Offer(usize, Knobs),
    Wildcard(usize, Knobs),
    /// A pin that may mean nothing.
    Stray(usize, usize, Knobs),
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let on = || prop::bool::weighted(0.6);
    let knobs = || {
        (on(), prop::option::of(0..5i64), Says::any()).prop_map(|(enabled, priority, says)| Knobs {
            enabled,
            priority,
            says,
        })
    };
    let known = prop_oneof![60 => 0..PARTS, 1 => Just(PARTS)];
    let line = prop_oneof![
        60 => (known, on(), Says::any()).prop_map(|(plugin, on, says)| Line::Plugin(plugin, on, says)),
        40 => (0..12usize, knobs()).prop_map(|(offer, knobs)| Line::Offer(offer, knobs)),
        20 => (0..=SLOTS.len(), knobs()).prop_map(|(slot, knobs)| Line::Wildcard(slot, knobs)),
        1 => (0..=PARTS, 0..=SLOTS.len(), knobs()).prop_map(|(plugin, slot, knobs)| Line::Stray(plugin, slot, knobs)),
    ];
    prop::collection::vec(line, 0..7)
}

pub(crate) fn doc(lines: &[Line], parts: &[Part]) -> Doc {
    let offers: Vec<(usize, usize)> = (parts.iter().enumerate())
        .flat_map(|(plugin, part)| part.offers.keys().map(move |slot| (plugin, *slot)))
        .collect();
    let mut doc = Doc::default();
    for line in lines {
        match *line {
            Line::Plugin(plugin, on, says) => drop(doc.plugins.insert(plugin, (on, says))),
            Line::Offer(_, _) if offers.is_empty() => {}
            Line::Offer(number, knobs) => {
                let (plugin, slot) = offers[number % offers.len()];
                doc.pins.insert((Some(plugin), slot), knobs);
            }
            Line::Wildcard(slot, knobs) => drop(doc.pins.insert((None, slot), knobs)),
            Line::Stray(plugin, slot, knobs) => drop(doc.pins.insert((Some(plugin), slot), knobs)),
        }
    }
    doc
}

pub(crate) fn policy() -> impl Strategy<Value = UnknownReferences> {
    prop_oneof![
        Just(UnknownReferences::Reject),
        Just(UnknownReferences::Skip),
        Just(UnknownReferences::Ignore)
    ]
}

/// A failure on purpose: the hook of one plugin or of any, after so many calls that work, and for so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) plugin: Option<usize>,
    pub(crate) at: At,
    pub(crate) how: How,
    pub(crate) after: u8,
    pub(crate) times: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum At {
    Register,
    Build,
    Attach,
    Told,
    Detach,
    Goodbye,
    Guard,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    Error,
    Panic,
    Hang,
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let at = prop_oneof![
        1 => Just(At::Register),
        1 => Just(At::Build),
        6 => Just(At::Attach),
        3 => Just(At::Told),
        1 => Just(At::Detach),
        1 => Just(At::Goodbye),
        1 => Just(At::Guard),
    ];
    let how = prop_oneof![Just(How::Error), Just(How::Panic), Just(How::Hang)];
    let fault = (prop::option::of(0..PARTS), at, how, 0..4u8, 1..5u8)
        .prop_map(|(plugin, at, how, after, times)| Fault { plugin, at, how, after, times });
    prop_oneof![1 => Just(Vec::new()), 1 => prop::collection::vec(fault, 1..6)]
}

/// How long a caller waits: to the end, or for so many polls.
pub(crate) type Patience = Option<u8>;

fn patience() -> impl Strategy<Value = Patience> {
    prop_oneof![4 => Just(None), 1 => (0..4u8).prop_map(Some)]
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Update {
        lines: Vec<Line>,
        faults: Vec<Fault>,
        patience: Patience,
    },
    /// The same settings twice, and then there and back.
    Again {
        there: Vec<Line>,
    },
    Snapshot {
        lines: Vec<Line>,
    },
    Open {
        faults: Vec<Fault>,
        patience: Patience,
    },
    Close {
        which: usize,
        faults: Vec<Fault>,
        patience: Patience,
    },
}

impl Step {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            8 => (lines(), faults(), patience())
                .prop_map(|(lines, faults, patience)| Self::Update { lines, faults, patience }),
            1 => lines().prop_map(|there| Self::Again { there }),
            1 => lines().prop_map(|lines| Self::Snapshot { lines }),
            4 => (faults(), patience()).prop_map(|(faults, patience)| Self::Open { faults, patience }),
            1 => (any::<usize>(), faults(), patience())
                .prop_map(|(which, faults, patience)| Self::Close { which, faults, patience }),
        ]
    }
}
