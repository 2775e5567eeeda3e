//! What in a scope another demand may lead to something else for.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
};

use rpds::VectorSync;

use super::{Cause, Demand, Standing, configs::Configurable, roster::Cast, standing::base};
use crate::id::{Pin, SlotId};

/// What two demands on the same plugins may say different things about.
#[derive(Default)]
pub(super) struct Touched {
    /// The ranks of those whose standing may be another, whatever becomes of the others.
    pub(super) plugins: BTreeSet<usize>,
    pub(super) slots: BTreeSet<SlotId>,
    pub(super) configs: BTreeSet<Configurable>,
}

impl Touched {
    pub(super) fn between(old: &Demand, new: &Demand) -> Self {
        let (cast, mut touched) = (new.cast(), Self::default());
        let fallen = differing(&old.quarantined, &new.quarantined);
        touched.plugins.extend(fallen.filter_map(|plugin| cast.rank(plugin)));
        let others = old.visible.differing(&new.visible);
        touched.plugins.extend(others.flat_map(|other| cast.needing_other(other)));
        let (old, new) = (&*old.settings, &*new.settings);
        for rank in differing(&old.plugins, &new.plugins).filter_map(|plugin| cast.rank(plugin)) {
            touched.configs.insert(Configurable { rank, offer: None });
            let manifest = &cast.plugin(rank).manifest;
            if base(manifest, old) != base(manifest, new) {
                touched.plugins.insert(rank);
            }
        }
        for pin in differing(&old.services, &new.services) {
            touched.slots.insert(pin.slot().clone());
            touched.configs.extend(configured_by(pin, cast));
        }
        touched
    }
}

/// The configurations that `pin` may be about.
fn configured_by(pin: &Pin, cast: &Cast) -> impl Iterator<Item = Configurable> {
    let of = pin.plugin().map(|plugin| cast.rank(plugin));
    let offers = cast.offers_of(pin.slot()).iter().copied();
    let its = offers.filter(move |(rank, _)| of.is_none_or(|of| of == Some(*rank)));
    its.map(|(rank, number)| Configurable { rank, offer: Some(number) })
}

/// The ranks of those whose standing has to be thought out again if that of `plugins` has: whoever needs them, and so
/// on. With them go those that are off for want of something and needed by them, because who goes when decides who is
/// named as the cause.
pub(super) fn concerned(
    plugins: &BTreeSet<usize>,
    cast: &Cast,
    standings: &VectorSync<Standing>,
) -> Vec<usize> {
    let mut concerned = plugins.clone();
    spread(&mut concerned, |rank, reach| cast.needed_by(rank).iter().copied().for_each(reach));
    let wants = |rank: usize| matches!(standings[rank].cause, Cause::Needs { .. });
    spread(&mut concerned, |rank, reach| {
        cast.needs(rank).filter_map(|(_, needed)| needed).filter(|needed| wants(*needed)).for_each(reach);
    });
    concerned.into_iter().collect()
}

/// Adds whoever can be reached from the members, over as many steps as it takes.
fn spread(members: &mut BTreeSet<usize>, step: impl Fn(usize, &mut dyn FnMut(usize))) {
    let mut fresh: Vec<usize> = members.iter().copied().collect();
    while let Some(member) = fresh.pop() {
        step(member, &mut |reached| {
            if members.insert(reached) {
                fresh.push(reached);
            }
        });
    }
}

/// The keys under which two maps do not say the same, by one walk along both.
fn differing<'a, K: Ord, V: PartialEq>(
    old: &'a BTreeMap<K, V>,
    new: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = &'a K> {
    let pairs = Pairs { old: old.iter().peekable(), new: new.iter().peekable() };
    pairs.filter(|(_, old, new)| old != new).map(|(key, _, _)| key)
}

/// All keys of two maps, each with what either says.
struct Pairs<I: Iterator> {
    old: Peekable<I>,
    new: Peekable<I>,
}

impl<'a, K: Ord + 'a, V: 'a, I: Iterator<Item = (&'a K, &'a V)>> Iterator for Pairs<I> {
    type Item = (&'a K, Option<&'a V>, Option<&'a V>);

    fn next(&mut self) -> Option<Self::Item> {
        let first = match (self.old.peek(), self.new.peek()) {
            (Some((old, _)), Some((new, _))) => old.cmp(new),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        let old = if first.is_le() { self.old.next() } else { None };
        let new = if first.is_ge() { self.new.next() } else { None };
        let (key, _) = old.or(new)?;
        Some((key, old.map(|(_, value)| value), new.map(|(_, value)| value)))
    }
}
