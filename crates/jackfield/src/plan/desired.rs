use std::sync::{Arc, OnceLock};

use rpds::{RedBlackTreeMapSync, VectorSync};

use super::{
    Cause, Demand, Remark, Standing, Steps,
    configs::{self, ConfigOwner, Configs, Configurable, ReadConfig},
    difference::{Differences, steps_between},
    order::attach_order,
    place::Order,
    remark::remarks,
    slots::{CandidatePlan, candidates},
    standing::standings,
};
use crate::{
    config::AnyConfig,
    id::{PluginId, SlotId},
    settings::{Problem, RuntimeSettings},
};

pub(super) type Slots = RedBlackTreeMapSync<SlotId, Arc<[CandidatePlan]>>;

/// What should run in one scope, or does: everything that declarations and settings decide. A changed copy shares all
/// that has not changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desired {
    /// What it was made from; nothing while nothing was ever asked for.
    pub(crate) demand: Option<Arc<Demand>>,
    /// Whether it has since fallen short of that.
    pub(super) falls_short: bool,
    /// Whether it was asked of a scope in which nothing ran.
    pub(super) from_nothing: bool,
    /// All plugins of the scope's kind, as they were added.
    pub(crate) standings: VectorSync<Standing>,
    /// What is odd about those that take part.
    pub(crate) remarks: Arc<[Remark]>,
    /// Those that take part, in the order in which they attach, or did.
    pub(crate) order: Arc<Order>,
    /// The candidates of those that take part, highest authority first. No slot is without one.
    pub(crate) slots: Slots,
    /// The configurations, read into their types.
    pub(crate) configs: Configs,
    pub(super) closing: WayOut,
}

/// What closes a scope, once somebody has asked. A copy is made to be changed, and so knows nothing of it.
#[derive(Debug, Default)]
pub(super) struct WayOut(OnceLock<Arc<Steps>>);

impl Clone for WayOut {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Desired {
    /// What is asked of a scope that runs `current`, thought out from the beginning.
    pub(crate) fn of(demand: Demand, current: &Self, problems: &mut Vec<Problem>) -> Self {
        let demand = Arc::new(demand);
        let cast = demand.cast();
        let everybody: Vec<usize> = (0..cast.len()).collect();
        let standings: VectorSync<Standing> =
            standings(&everybody, &demand, |_| unreachable!("there are no others")).into_iter().collect();
        let is_on = |rank: usize| standings[rank].enabled;
        let stays = |plugin: &PluginId| cast.rank(plugin).is_some_and(is_on);
        let going: Vec<PluginId> = current.order.iter().filter(|plugin| !stays(plugin)).cloned().collect();
        let comes = |rank: &usize| is_on(*rank) && !current.order.contains(cast.id(*rank));
        let coming: Vec<usize> = everybody.iter().copied().filter(comes).collect();
        let order = order(&demand, &current.order, &going, &coming);
        let remarks = remarks(&demand, is_on).into();
        let mut desired = Self {
            demand: Some(Arc::clone(&demand)),
            from_nothing: current.demand.is_none(),
            standings,
            remarks,
            order,
            ..Self::default()
        };
        cast.slots().for_each(|slot| desired.decide_slot(slot, &demand));
        for configurable in everybody.iter().flat_map(|rank| Configurable::of_plugin(cast, *rank)) {
            desired.decide_config(configurable, &demand, &current.configs, problems);
        }
        desired
    }

    /// Whether it is all that it was asked for.
    pub(super) fn is_as_asked(&self) -> bool {
        self.demand.is_some() && !self.falls_short
    }

    /// Whether a scope that is opened for `demand` will run this very thing.
    pub(crate) fn is_as_opened_for(&self, demand: &Demand) -> bool {
        self.from_nothing && !self.falls_short && self.demand.as_ref().is_some_and(|asked| asked.is(demand))
    }

    /// The settings in force in the scope.
    pub(crate) fn settings(&self) -> Arc<RuntimeSettings> {
        self.demand.as_ref().map(|demand| Arc::clone(&demand.settings)).unwrap_or_default()
    }

    pub(crate) fn standing(&self, plugin: &PluginId) -> Option<&Standing> {
        self.standings.get(self.demand.as_ref()?.cast().rank(plugin)?)
    }

    pub(crate) fn config(&self, owner: &ConfigOwner) -> Option<&AnyConfig> {
        self.configs.get(owner).map(|config| &*config.typed)
    }

    /// The candidates for `slot` of those that take part, highest authority first.
    pub(crate) fn candidates(&self, slot: &SlotId) -> &[CandidatePlan] {
        self.slots.get(slot).map_or(&[], |candidates| candidates)
    }

    /// Who has `slot`.
    pub(crate) fn winner(&self, slot: &SlotId) -> Option<&PluginId> {
        let winner = self.candidates(slot).iter().find(|candidate| candidate.enabled)?;
        Some(&winner.plugin)
    }

    /// Whether the candidate of `plugin` for `slot` takes part.
    pub(crate) fn takes_part(&self, plugin: &PluginId, slot: &SlotId) -> bool {
        self.candidates(slot).iter().any(|candidate| candidate.plugin == *plugin && candidate.enabled)
    }

    /// What closes a scope that runs this.
    pub(super) fn closing(&self) -> &Arc<Steps> {
        let steps = || {
            let nothing = Self::default();
            Arc::new(steps_between(self, &nothing, &Differences::anywhere(self, &nothing)))
        };
        self.closing.0.get_or_init(steps)
    }

    /// Leaves `plugin` out, which could not be brought back.
    pub(crate) fn lose(&mut self, plugin: &PluginId, cause: Cause) {
        self.falls_short = true;
        self.closing = WayOut::default();
        Arc::make_mut(&mut self.order).go(plugin);
        let is_its = |candidate: &CandidatePlan| candidate.plugin == *plugin;
        let its: Vec<SlotId> = self
            .slots
            .iter()
            .filter(|(_, candidates)| candidates.iter().any(is_its))
            .map(|(slot, _)| slot.clone())
            .collect();
        for slot in its {
            let left: Vec<CandidatePlan> =
                self.candidates(&slot).iter().filter(|candidate| !is_its(candidate)).cloned().collect();
            self.set_slot(&slot, left);
        }
        let rank = self.demand.as_ref().and_then(|demand| demand.cast().rank(plugin));
        if let Some(standing) = rank.and_then(|rank| self.standings.get_mut(rank)) {
            standing.enabled = false;
            standing.cause = cause;
        }
    }

    pub(super) fn decide_slot(&mut self, slot: &SlotId, demand: &Demand) {
        let candidates = candidates(slot, demand.cast(), &self.order, &demand.settings);
        self.set_slot(slot, candidates);
    }

    fn set_slot(&mut self, slot: &SlotId, candidates: Vec<CandidatePlan>) {
        if self.candidates(slot) == candidates {
            return; // so that it stays shared
        }
        if candidates.is_empty() {
            self.slots.remove_mut(slot);
        } else {
            self.slots.insert_mut(slot.clone(), candidates.into());
        }
    }

    /// `before` are the configurations of what runs.
    pub(super) fn decide_config(
        &mut self,
        which: Configurable,
        demand: &Demand,
        before: &Configs,
        problems: &mut Vec<Problem>,
    ) {
        let Some((spec, owner)) = which.spec(demand.cast()) else { return };
        let is_on = self.standings[which.rank].enabled;
        match configs::read(&owner, spec, is_on, &demand.settings, before.get(&owner), problems) {
            Some(config) => {
                let is_there = |now: &Arc<ReadConfig>| Arc::ptr_eq(now, &config);
                if !self.configs.get(&owner).is_some_and(is_there) {
                    self.configs.insert_mut(owner, config);
                }
            }
            None => _ = self.configs.remove_mut(&owner),
        }
    }
}

/// Those who stay keep their place; those who come, by rank, follow in the order of their needs.
pub(super) fn order(
    demand: &Demand,
    before: &Arc<Order>,
    going: &[PluginId],
    coming: &[usize],
) -> Arc<Order> {
    if going.is_empty() && coming.is_empty() {
        return Arc::clone(before);
    }
    let (cast, mut order) = (demand.cast(), Order::clone(before));
    going.iter().for_each(|plugin| order.go(plugin));
    attach_order(cast, coming).into_iter().for_each(|rank| order.come(cast.id(rank)));
    Arc::new(order)
}
