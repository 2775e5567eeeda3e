use std::{collections::BTreeMap, sync::Arc};

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};

use super::{follow_afresh, follow_on};
use crate::{
    config::Live,
    id::{Pin, PluginId, SlotId},
    manifest::{FeatureFlag, Manifest},
    plan::{ConfigOwner, Declaration, Desired, Order, Roster, ScopeKind, Steps, demand::Demand},
    priority::Priority,
    registry::Registrar,
    settings::{ConfigTable, PluginSettings, Problem, RuntimeSettings, ServiceSettings},
    slot::Slot,
};

const PLUGINS: usize = 7;
const SLOTS: [Slot<u8>; 3] = [Slot::new("one"), Slot::new("two"), Slot::new("three")];

#[derive(Debug, Default, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Knob {
    level: u8,
}

fn plugin(number: usize) -> PluginId {
    PluginId::parse(&format!("p{number}")).unwrap()
}

/// A plugin of the other scope, which may be there.
fn other(number: usize) -> PluginId {
    PluginId::parse(&format!("g{number}")).unwrap()
}

#[derive(Clone, Debug)]
struct Part {
    flag: Option<FeatureFlag>,
    needs: Vec<PluginId>,
    has_config: bool,
    /// Slot, priority, and whether it can be configured.
    offers: Vec<(usize, i64, bool)>,
}

fn part() -> impl Strategy<Value = Part> {
    let flag = select(vec![None, None, None, Some(FeatureFlag::LOCKED), Some(FeatureFlag::EXPERIMENTAL)]);
    let need = prop_oneof![6 => (0..PLUGINS).prop_map(plugin), 1 => (0..2_usize).prop_map(other)];
    let offer = (0..SLOTS.len(), 0..3_i64, any::<bool>());
    (flag, vec(need, 0..3), any::<bool>(), vec(offer, 0..3))
        .prop_map(|(flag, needs, has_config, offers)| Part { flag, needs, has_config, offers })
}

fn declaration(number: usize, part: &Part) -> Arc<Declaration> {
    let mut manifest = Manifest::of(plugin(number));
    manifest = part.needs.iter().cloned().fold(manifest, Manifest::depends_on_id);
    manifest = part.flag.iter().cloned().fold(manifest, Manifest::flag);
    if part.has_config {
        manifest = manifest.config::<Knob>();
    }
    let mut offers = Vec::new();
    for (slot, priority, is_configured) in &part.offers {
        let mut registrar = Registrar::new(&mut offers);
        let offering = registrar.provide(SLOTS[*slot]).priority(Priority::new(*priority));
        if *is_configured {
            offering.configured(|knob: Live<Knob>| Arc::new(knob.load().level));
        } else {
            offering.value(Arc::new(0));
        }
    }
    let offers = offers.into_iter().map(|offer| Arc::new(offer.terms)).collect();
    Arc::new(Declaration { manifest, scope: ScopeKind::Session, offers })
}

/// One thing that somebody does to settings.
#[derive(Clone, Debug)]
enum Edit {
    Plugin(usize, Option<PluginSettings>),
    Service(Pin, Option<ServiceSettings>),
}

fn config() -> impl Strategy<Value = ConfigTable> {
    let level = prop_oneof![
        4 => Just(serde_json::Value::Null),
        4 => (0..2_u8).prop_map(serde_json::Value::from),
        1 => Just(serde_json::Value::from("high")),
    ];
    level.prop_map(|level| match level {
        serde_json::Value::Null => ConfigTable::new(),
        level => ConfigTable::from_iter([("level".to_owned(), level)]),
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let plugin_entry = (any::<bool>(), config()).prop_map(|(enabled, config)| {
        let other = ConfigTable::new();
        PluginSettings { enabled, config, other }
    });
    let service_entry = (any::<bool>(), option::of(0..4_i64), config());
    let service_entry = service_entry.prop_map(|(enabled, priority, config)| {
        let (priority, other) = (priority.map(Priority::new), ConfigTable::new());
        ServiceSettings { enabled, priority, config, other }
    });
    let pin = (option::of(0..PLUGINS), 0..SLOTS.len()).prop_map(|(number, slot)| match number {
        Some(number) => Pin::new(plugin(number), SLOTS[slot].id()),
        None => Pin::wildcard(SLOTS[slot].id()),
    });
    prop_oneof![
        (0..PLUGINS, option::of(plugin_entry)).prop_map(|(number, entry)| Edit::Plugin(number, entry)),
        (pin, option::of(service_entry)).prop_map(|(pin, entry)| Edit::Service(pin, entry)),
    ]
}

/// Who of the other scope takes part.
fn others() -> impl Strategy<Value = Order> {
    subsequence(vec![0, 1], 0..=2).prop_map(|numbers| {
        let mut order = Order::default();
        numbers.into_iter().for_each(|number| order.come(&other(number)));
        order
    })
}

fn fallen() -> impl Strategy<Value = Option<usize>> {
    option::weighted(0.2, 0..PLUGINS)
}

fn edited(mut settings: RuntimeSettings, edits: Vec<Edit>) -> RuntimeSettings {
    for edit in edits {
        match edit {
            Edit::Plugin(number, Some(entry)) => drop(settings.plugins.insert(plugin(number), entry)),
            Edit::Plugin(number, None) => drop(settings.plugins.remove(&plugin(number))),
            Edit::Service(pin, Some(entry)) => drop(settings.services.insert(pin, entry)),
            Edit::Service(pin, None) => drop(settings.services.remove(&pin)),
        }
    }
    settings
}

/// All of it, as far as it can be compared: a configuration that was read anew is an object of its own.
fn facts(desired: &Desired, current: &Desired) -> impl PartialEq + std::fmt::Debug + use<> {
    let configs = desired.configs.iter().map(|(owner, config)| {
        let is_kept = current.config(owner).is_some_and(|before| Arc::ptr_eq(before, &config.typed));
        let level = config.typed.downcast_ref::<Knob>().map(|knob| knob.level);
        (owner.clone(), config.table.clone(), level, is_kept)
    });
    let slots = desired.slots.iter().map(|(slot, candidates)| (slot.clone(), candidates.to_vec()));
    (
        (desired.falls_short, desired.from_nothing),
        desired.standings.iter().cloned().collect::<Vec<_>>(),
        desired.remarks.to_vec(),
        (*desired.order).clone(),
        slots.collect::<Vec<(SlotId, _)>>(),
        configs.collect::<Vec<(ConfigOwner, _, _, _)>>(),
    )
}

fn lines(steps: Steps) -> impl PartialEq + std::fmt::Debug {
    let Steps { downs, ups, winners, configs, slots, owners } = steps;
    (downs, ups, winners, configs, slots, owners)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn following_on_comes_to_the_same_as_thinking_from_the_beginning(
        parts in vec(part(), 1..=PLUGINS),
        walk in vec((vec(edit(), 0..4), option::weighted(0.3, others()), fallen()), 1..8),
    ) {
        let declarations = parts.iter().enumerate().map(|(number, part)| declaration(number, part));
        let declarations = Arc::new(Roster::new(declarations));
        let settings = Arc::default();
        let (kind, visible, quarantined) = (ScopeKind::Session, Arc::default(), BTreeMap::new());
        let mut demand = Demand { kind, declarations, settings, visible, quarantined };
        let mut current = Arc::new(Desired::of(demand.clone(), &Desired::default(), &mut Vec::new()));

        for (edits, visible, fallen) in walk {
            let mut next = demand.clone();
            next.settings = Arc::new(edited(RuntimeSettings::clone(&demand.settings), edits));
            next.visible = visible.map_or(next.visible, Arc::new);
            next.quarantined.clear();
            next.still_quarantined(&demand);
            next = fallen.map(plugin).iter().fold(next, |next, fallen| next.without(fallen, "it fell".to_owned()));
            let (mut problems, mut same_problems) = (Vec::<Problem>::new(), Vec::<Problem>::new());
            let (steps, desired) = follow_on(next.clone(), &demand, &current, &mut problems);
            let (same_steps, same) = follow_afresh(next.clone(), &current, &mut same_problems);
            prop_assert_eq!(&problems, &same_problems);
            if problems.is_empty() {
                prop_assert_eq!(facts(&desired, &current), facts(&same, &current));
                prop_assert_eq!(lines(steps), lines(same_steps));
                (current, demand) = (Arc::new(desired), next);
            }
        }
    }
}
