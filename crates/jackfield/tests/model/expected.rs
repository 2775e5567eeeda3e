//! What one scope should be like, and how it gets from one state to the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    actor::Thing,
    cast::{Cast, Doc},
    oracle::{self, Candidates},
    stage::Act,
};

#[derive(Clone, Default)]
pub(crate) struct Expected {
    /// The settings it follows.
    pub(crate) doc: Doc,
    /// Who is attached, in order.
    pub(crate) order: Vec<usize>,
    pub(crate) candidates: Candidates,
    /// The services that were seen, by slot and plugin, which must stay as long as their plugin does.
    pub(crate) things: BTreeMap<(usize, usize), Arc<Thing>>,
    /// The services that are attached, by plugin and slot, of those that have a life of their own.
    pub(crate) begun: BTreeSet<(usize, usize)>,
    /// Who is left out because it failed, and what settings said of it then.
    pub(crate) out: BTreeMap<usize, Doc>,
}

impl Expected {
    /// What a scope should be like once it follows `doc`, if nobody fails.
    pub(crate) fn next(&self, cast: &Cast, doc: &Doc, global: bool, visible: &BTreeSet<usize>) -> Self {
        let mut out = self.out.clone();
        out.retain(|plugin, said| doc.entries(*plugin) == *said && cast.here.contains(plugin));
        let on = oracle::enabled(cast, doc, global, visible, |plugin| out.contains_key(&plugin));
        let mut order: Vec<usize> = self.order.iter().copied().filter(|plugin| on.contains(plugin)).collect();
        let coming = on.iter().copied().filter(|plugin| !order.contains(plugin)).collect();
        order.extend(oracle::order(cast, &coming));
        let things = self.things.clone();
        Self { doc: doc.clone(), order, things, out, ..Self::default() }.settled(cast)
    }

    /// The same without those who fell, and those who need them, where `visible` is all that is left to be seen.
    pub(crate) fn without(
        mut self,
        cast: &Cast,
        fallen: &BTreeSet<usize>,
        global: bool,
        visible: &BTreeSet<usize>,
    ) -> Self {
        self.out.extend(fallen.iter().map(|plugin| (*plugin, self.doc.entries(*plugin))));
        let on = oracle::enabled(cast, &self.doc, global, visible, |plugin| self.out.contains_key(&plugin));
        self.order.retain(|plugin| on.contains(plugin));
        self.settled(cast)
    }

    fn settled(mut self, cast: &Cast) -> Self {
        let on = self.order.iter().copied().collect();
        self.candidates = oracle::candidates(cast, &self.doc, &on);
        self.things.retain(|(_, plugin), _| on.contains(plugin));
        self.begun = self.must_have_begun(cast);
        self
    }

    /// The services that must be attached: those that take part, as soon as they are built.
    pub(crate) fn must_have_begun(&self, cast: &Cast) -> BTreeSet<(usize, usize)> {
        let taking_part = self.candidates.iter().flat_map(|(slot, candidates)| {
            candidates.iter().filter(|it| it.enabled).map(|candidate| (candidate.plugin, *slot))
        });
        let must = |(plugin, slot): &(usize, usize)| {
            let kind = cast.parts[*plugin].offers[slot].kind;
            kind.is_stateful() && (!kind.is_lazy() || self.things.contains_key(&(*slot, *plugin)))
        };
        taking_part.filter(must).collect()
    }

    /// A service was looked up, and so it stands. If it was not there before, it has begun.
    pub(crate) fn saw(&mut self, cast: &Cast, slot: usize, thing: &Arc<Thing>) -> &Arc<Thing> {
        let kind = cast.parts[thing.plugin].offers[&slot].kind;
        if kind.is_stateful() && !self.things.contains_key(&(slot, thing.plugin)) {
            self.begun.insert((thing.plugin, slot));
        }
        self.things.entry((slot, thing.plugin)).or_insert_with(|| Arc::clone(thing))
    }

    /// Takes those away who could not be brought back. Nobody moves up for that.
    pub(crate) fn lose(&mut self, lost: &[usize]) {
        self.order.retain(|plugin| !lost.contains(plugin));
        for candidates in self.candidates.values_mut() {
            candidates.retain(|candidate| !lost.contains(&candidate.plugin));
        }
        self.candidates.retain(|_, candidates| !candidates.is_empty());
        self.things.retain(|(_, plugin), _| !lost.contains(plugin));
        self.begun.retain(|(plugin, _)| !lost.contains(plugin));
    }

    pub(crate) fn winner(&self, slot: usize) -> Option<usize> {
        self.candidates.get(&slot)?.iter().find(|candidate| candidate.enabled).map(|it| it.plugin)
    }

    fn begun_of(&self, plugin: usize) -> impl DoubleEndedIterator<Item = usize> {
        self.begun.range((plugin, 0)..=(plugin, usize::MAX)).map(|(_, slot)| *slot)
    }

    /// Who of those that were here before goes, in order.
    pub(crate) fn going(&self, after: &Self) -> Vec<usize> {
        self.order.iter().rev().copied().filter(|plugin| !after.order.contains(plugin)).collect()
    }

    /// Everything that happens between this and `after`, where nobody fails.
    ///
    /// Who goes does so in reverse order, and its services after it; then services end that settings disable, and
    /// begin that they enable; who comes follows in order, its services first; and who stays is told once.
    pub(crate) fn script(&self, cast: &Cast, after: &Self) -> Vec<(usize, Act)> {
        let mut script = Vec::new();
        for plugin in self.going(after) {
            script.push((plugin, Act::Detach));
            script.extend(self.begun_of(plugin).rev().map(|slot| (plugin, Act::End(slot))));
        }
        let staying = || self.order.iter().copied().filter(|plugin| after.order.contains(plugin));
        for plugin in staying().rev() {
            let ending = self.begun_of(plugin).rev().filter(|slot| !after.begun.contains(&(plugin, *slot)));
            script.extend(ending.map(|slot| (plugin, Act::End(slot))));
        }
        for plugin in staying() {
            let beginning = after.begun_of(plugin).filter(|slot| !self.begun.contains(&(plugin, *slot)));
            script.extend(beginning.map(|slot| (plugin, Act::Begin(slot))));
        }
        for plugin in after.going(self).into_iter().rev() {
            script.extend(after.begun_of(plugin).map(|slot| (plugin, Act::Begin(slot))));
            script.push((plugin, Act::Attach));
        }
        script.extend(staying().map(|plugin| (plugin, self.told(cast, after, plugin))));
        script
    }

    /// What who stays is told.
    pub(crate) fn told(&self, cast: &Cast, after: &Self, plugin: usize) -> Act {
        let level = |doc| if cast.parts[plugin].config { oracle::own_level(doc, plugin) } else { 0 };
        Act::Told(level(&self.doc), level(&after.doc))
    }
}
