//! What hooks were called, held against what should have happened.

use std::collections::{BTreeMap, BTreeSet};

use jackfield::ScopePlan;

use crate::{
    cast::{Cast, SLOTS, plugin},
    expected::Expected,
    oracle,
    stage::{Act, Fired, Log},
    steps::At,
};

fn played(log: &Log, scope: &str) -> Vec<(usize, Act)> {
    log.iter().filter(|(at, ..)| at == scope).map(|(_, plugin, act)| (*plugin, act.clone())).collect()
}

pub(crate) fn expect_script(log: &Log, scope: &str, script: &[(usize, Act)]) {
    assert_eq!(played(log, scope), script, "in {scope}");
}

/// The story of a scope in which somebody fell: each plugin's own, and the order of those who came.
pub(crate) fn expect_parts(
    log: &Log,
    scope: &str,
    cast: &Cast,
    before: &Expected,
    planned: &Expected,
    after: &Expected,
) {
    let played = played(log, scope);
    let everybody: BTreeSet<usize> = before.order.iter().chain(&planned.order).copied().collect();
    assert!(played.iter().all(|(plugin, _)| everybody.contains(plugin)), "in {scope}: {played:?}");
    for plugin in everybody {
        let of_services = |act: &Act| matches!(act, Act::Begin(_) | Act::End(_));
        let mine = played.iter().filter(|(it, act)| *it == plugin && !of_services(act));
        let mut mine: Vec<Act> = mine.map(|(_, act)| act.clone()).collect();
        let told = before.told(cast, planned, plugin);
        let script = match (before.order.contains(&plugin), after.order.contains(&plugin)) {
            (true, true) => vec![told],
            (false, true) => vec![Act::Attach],
            (true, false) => {
                // It may have been told before somebody fell whom it needs.
                mine.retain(|act| *act != told);
                vec![Act::Detach]
            }
            (false, false) if mine.is_empty() => Vec::new(),
            (false, false) => vec![Act::Attach, Act::Detach],
        };
        assert_eq!(mine, script, "of {plugin} in {scope}: {played:?}");
    }
    let came: Vec<usize> =
        played.iter().filter(|(_, act)| *act == Act::Attach).map(|(plugin, _)| *plugin).collect();
    let mut order = planned.order.clone();
    order.retain(|plugin| came.contains(plugin));
    assert_eq!(came, order, "in {scope}");
}

/// What a plan says is what leads from `before` to `after`.
pub(crate) fn expect_plan(cast: &Cast, plan: &ScopePlan, before: &Expected, after: &Expected) {
    let who = |steps: &[jackfield::Step]| steps.iter().map(|step| plugin(&step.plugin)).collect::<Vec<_>>();
    assert_eq!(who(&plan.downs), before.going(after), "{plan:?}");
    let mut coming = after.going(before);
    coming.reverse();
    assert_eq!(who(&plan.ups), coming, "{plan:?}");

    let slots = (0..SLOTS.len()).filter(|slot| before.winner(*slot) != after.winner(*slot));
    let winners = slots.map(|slot| (SLOTS[slot].id(), before.winner(slot), after.winner(slot)));
    let told = plan.winners.iter().map(|change| {
        let (from, to) = (change.from.as_ref().map(plugin), change.to.as_ref().map(plugin));
        (change.slot.clone(), from, to)
    });
    assert_eq!(told.collect::<Vec<_>>(), winners.collect::<Vec<_>>());

    let mut configs = BTreeSet::new();
    for plugin in before.order.iter().copied().filter(|plugin| after.order.contains(plugin)) {
        let part = &cast.parts[plugin];
        let own = |doc| oracle::level(oracle::own_says(doc, plugin));
        if part.config && own(&before.doc) != own(&after.doc) {
            configs.insert((plugin, None));
        }
        for (slot, _) in part.offers.iter().filter(|(_, offer)| offer.kind.is_configured()) {
            let says = |doc| oracle::level(oracle::service_says(doc, plugin, *slot));
            if says(&before.doc) != says(&after.doc) {
                configs.insert((plugin, Some(SLOTS[*slot].id())));
            }
        }
    }
    let told = plan.configs.iter().map(|change| (plugin(&change.plugin), change.slot.clone()));
    assert_eq!(told.collect::<BTreeSet<_>>(), configs);
}

/// Who was told of a change that was taken back was told that as well, unless it was the one who failed.
pub(crate) fn expect_told_back(log: &Log, fired: &Fired) {
    let mut told: BTreeMap<(String, usize), Vec<(u8, u8)>> = BTreeMap::new();
    for (scope, plugin, act) in log {
        if let Act::Told(old, new) = act {
            told.entry((scope.clone(), *plugin)).or_default().push((*old, *new));
        }
    }
    for ((scope, plugin), levels) in told {
        if !fired.contains(&(scope.clone(), plugin, At::Told)) {
            let [(old, new), back] = levels[..] else { panic!("{plugin} was told {levels:?} in {scope}") };
            assert_eq!((new, old), back, "{plugin} in {scope}");
        }
    }
}
