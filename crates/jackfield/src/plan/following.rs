//! What is asked of a scope that runs something already.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Demand, Desired, Steps,
    configs::Configurable,
    desired::order,
    difference::{Differences, steps_between},
    place::Order,
    remark::remarks,
    standing::standings,
    touched::{Touched, concerned},
};
use crate::{id::PluginId, settings::Problem};

/// What a scope that runs `current` should run, which is the very same if it was asked for that, and what leads there.
pub(super) fn follow(
    demand: Demand,
    current: &Arc<Desired>,
    problems: &mut Vec<Problem>,
) -> (Arc<Steps>, Arc<Desired>) {
    // Unless it falls short of it, all that it holds follows from what it was asked for.
    let asked = current.demand.as_ref().filter(|_| !current.falls_short);
    let (steps, next) = match asked.filter(|asked| asked.is_of_the_same_plugins(&demand)) {
        Some(asked) if asked.is(&demand) => return (Arc::default(), Arc::clone(current)),
        Some(asked) => follow_on(demand, asked, current, problems),
        None => follow_afresh(demand, current, problems),
    };
    (Arc::new(steps), Arc::new(next))
}

/// Everything is thought out from the beginning.
fn follow_afresh(demand: Demand, current: &Desired, problems: &mut Vec<Problem>) -> (Steps, Desired) {
    let next = Desired::of(demand, current, problems);
    (steps_between(current, &next, &Differences::anywhere(current, &next)), next)
}

/// Only that is thought out which `demand` may lead to something else for than what was `asked` of `current`, and what
/// hangs on it. It comes to the same, for the cost of what changes.
fn follow_on(
    demand: Demand,
    asked: &Demand,
    current: &Desired,
    problems: &mut Vec<Problem>,
) -> (Steps, Desired) {
    let demand = Arc::new(demand);
    let cast = demand.cast();
    let Touched { plugins, mut slots, mut configs } = Touched::between(asked, &demand);
    let mut next =
        Desired { demand: Some(Arc::clone(&demand)), from_nothing: false, ..Desired::clone(current) };

    let concerned = concerned(&plugins, cast, &current.standings);
    let decided = standings(&concerned, &demand, |other| current.standings[other].enabled);
    let (mut going, mut coming) = (Vec::new(), Vec::new());
    for (rank, standing) in concerned.iter().copied().zip(decided) {
        let before = &current.standings[rank];
        match (before.enabled, standing.enabled) {
            (true, false) => going.push(rank),
            (false, true) => coming.push(rank),
            _ => {}
        }
        if *before != standing {
            next.standings.set_mut(rank, standing);
        }
    }
    for rank in going.iter().chain(&coming) {
        slots.extend(cast.plugin(*rank).offers.iter().map(|offer| offer.slot.clone()));
        configs.extend(Configurable::of_plugin(cast, *rank));
    }
    if !concerned.is_empty() {
        next.remarks = remarks(&demand, |rank| next.standings[rank].enabled).into();
    }
    let ids = |ranks: &[usize]| ranks.iter().map(|rank| cast.id(*rank).clone()).collect::<Vec<_>>();
    let (leaving, arriving) = (ids(&going), ids(&coming));
    next.order = order(&demand, &current.order, &leaving, &coming);
    slots.iter().for_each(|slot| next.decide_slot(slot, &demand));
    configs.iter().for_each(|which| next.decide_config(*which, &demand, &current.configs, problems));

    let owners = configs.iter().filter_map(|which| Some(which.spec(cast)?.1)).collect();
    let (going, coming) = (placed(leaving, &current.order), placed(arriving, &next.order));
    let steps = steps_between(current, &next, &Differences { going, coming, slots, owners });
    (steps, next)
}

fn placed(plugins: Vec<PluginId>, order: &Order) -> BTreeMap<super::Place, PluginId> {
    plugins.into_iter().filter_map(|plugin| Some((order.place_of(&plugin)?, plugin))).collect()
}

impl Desired {
    /// The same without `fallen`, who failed with these reasons, and without those who need them.
    pub(crate) fn without(self: &Arc<Self>, fallen: &BTreeMap<PluginId, String>) -> Arc<Self> {
        let Some(demand) = &self.demand else { return Arc::clone(self) };
        let less =
            |demand: Demand, (plugin, reason): (&PluginId, &String)| demand.without(plugin, reason.clone());
        let demand = fallen.iter().fold(Demand::clone(demand), less);
        // Fewer plugins want fewer configurations, and these have been read.
        let (_, next) = follow(demand, self, &mut Vec::new());
        next
    }
}

#[cfg(test)]
mod tests;
