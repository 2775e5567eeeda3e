//! In which order plugins attach: what they need first, and otherwise as they were added.

use std::collections::BTreeSet;

use super::{cycle::Needs, roster::Cast};

/// The order of the plugins of these ranks, which ascend; what they need besides each other is attached already, or never will be. A cycle is entered
/// at the member that was added first, once all is there that its members need from outside.
pub(super) fn attach_order(cast: &Cast, plugins: &[usize]) -> Vec<usize> {
    let needs = Needs::among(cast, plugins);
    let mut missing: Vec<usize> = Vec::with_capacity(plugins.len());
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); plugins.len()];
    for place in 0..plugins.len() {
        let needed: Vec<usize> = needs.of(place).iter().copied().filter(|other| *other != place).collect();
        missing.push(needed.len());
        needed.into_iter().for_each(|dependency| dependents[dependency].push(place));
    }

    let mut ready: BTreeSet<usize> = (0..plugins.len()).filter(|place| missing[*place] == 0).collect();
    let mut left: BTreeSet<usize> = (0..plugins.len()).collect();
    let mut order = Vec::with_capacity(plugins.len());
    let mut cycles = None;
    let mut enter_a_cycle = |left: &BTreeSet<usize>| {
        let cycles = cycles.get_or_insert_with(|| needs.cycles());
        let inside = |place: usize, needed: usize| !left.contains(&needed) || cycles[needed] == cycles[place];
        left.iter().copied().find(|place| needs.of(*place).iter().all(|needed| inside(*place, *needed)))
    };
    while let Some(place) = ready.pop_first().or_else(|| enter_a_cycle(&left)) {
        left.remove(&place);
        order.push(plugins[place]);
        for dependent in &dependents[place] {
            missing[*dependent] = missing[*dependent].saturating_sub(1);
            if missing[*dependent] == 0 && left.contains(dependent) {
                ready.insert(*dependent);
            }
        }
    }
    order
}
