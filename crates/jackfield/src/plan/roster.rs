//! All plugins of a runtime, and what follows from that alone: computed once per list of plugins.

use std::{collections::HashMap, sync::Arc};

use super::{ScopeKind, cycle::Needs};
use crate::{
    id::{PluginId, SlotId},
    manifest::Manifest,
    registry::Terms,
};

/// What is known of a plugin before it runs.
#[derive(Clone)]
pub(crate) struct Declaration {
    pub(crate) manifest: Manifest,
    pub(crate) scope: ScopeKind,
    pub(crate) offers: Vec<Arc<Terms>>,
}

/// All plugins of a runtime, in the order in which they were added.
#[derive(Default)]
pub(crate) struct Roster {
    all: Vec<Arc<Declaration>>,
    global: Cast,
    session: Cast,
    /// Those who have, or some of whose slots have, had other names.
    renamed: Vec<Arc<Declaration>>,
}

/// The plugins of one kind of scope. Each has a rank: how many of them were added before it.
#[derive(Default)]
pub(crate) struct Cast {
    members: Vec<Arc<Declaration>>,
    ranks: HashMap<PluginId, usize>,
    /// For each, the ranks of those it needs, as its manifest lists them; `None` for those who are not of this kind.
    needs: Vec<Box<[Option<usize>]>>,
    /// For each, the ranks of those who need it.
    needed_by: Vec<Vec<usize>>,
    /// Who needs a plugin that is not of this kind, or is nowhere.
    needing_others: HashMap<PluginId, Vec<usize>>,
    /// Who offers a slot: ranks, and which of the plugin's offers it is.
    offering: HashMap<SlotId, Vec<(usize, usize)>>,
    /// The ranks of those of whom something odd may be to say.
    suspects: Vec<usize>,
}

impl Roster {
    pub(crate) fn new(declarations: impl IntoIterator<Item = Arc<Declaration>>) -> Self {
        let all: Vec<_> = declarations.into_iter().collect();
        let of_kind = |kind| Cast::new(all.iter().filter(|plugin| plugin.scope == kind).cloned().collect());
        let (global, session) = (of_kind(ScopeKind::Global), of_kind(ScopeKind::Session));
        let has_former_names = |plugin: &&Arc<Declaration>| {
            let of_slots = plugin.offers.iter().any(|offer| !offer.former.is_empty());
            of_slots || !plugin.manifest.former_ids().is_empty()
        };
        let renamed = all.iter().filter(has_former_names).cloned().collect();
        Self { all, global, session, renamed }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Declaration>> {
        self.all.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The plugin of this name, of whichever kind.
    pub(crate) fn find(&self, plugin: &PluginId) -> Option<&Arc<Declaration>> {
        [&self.global, &self.session].into_iter().find_map(|cast| Some(&cast.members[cast.rank(plugin)?]))
    }

    /// Whether `plugin`, which is one of them, offers `slot`.
    pub(super) fn offers(&self, plugin: &Declaration, slot: &SlotId) -> bool {
        let cast = self.cast(plugin.scope);
        let rank = cast.rank(plugin.manifest.id());
        rank.is_some_and(|rank| cast.offers_of(slot).binary_search_by_key(&rank, |(rank, _)| *rank).is_ok())
    }

    pub(super) fn renamed(&self) -> &[Arc<Declaration>] {
        &self.renamed
    }

    pub(crate) fn cast(&self, kind: ScopeKind) -> &Cast {
        match kind {
            ScopeKind::Global => &self.global,
            ScopeKind::Session => &self.session,
        }
    }
}

impl Cast {
    fn new(members: Vec<Arc<Declaration>>) -> Self {
        let mut cast = Self::default();
        for (rank, plugin) in members.iter().enumerate() {
            cast.ranks.insert(plugin.manifest.id().clone(), rank);
            for (number, offer) in plugin.offers.iter().enumerate() {
                cast.offering.entry(offer.slot.clone()).or_default().push((rank, number));
            }
        }
        cast.needed_by.resize_with(members.len(), Vec::new);
        for (rank, plugin) in members.iter().enumerate() {
            let dependencies = plugin.manifest.dependencies();
            let needs: Box<[_]> = dependencies.iter().map(|id| cast.rank(id)).collect();
            for (id, needed) in dependencies.iter().zip(&needs) {
                match needed {
                    Some(needed) => cast.needed_by[*needed].push(rank),
                    None => cast.needing_others.entry(id.clone()).or_default().push(rank),
                }
            }
            cast.needs.push(needs);
        }
        cast.members = members;
        cast.suspects = cast.find_suspects();
        cast
    }

    /// Whoever needs itself, by whatever way, and whoever takes part without what it needs.
    fn find_suspects(&self) -> Vec<usize> {
        let everybody: Vec<usize> = (0..self.len()).collect();
        let mut suspects = Needs::among(self, &everybody).members().concat();
        suspects.extend((0..self.len()).filter(|rank| {
            let manifest = &self.members[*rank].manifest;
            manifest.is_locked() && !manifest.dependencies().is_empty()
        }));
        suspects.sort_unstable();
        suspects.dedup();
        suspects
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn rank(&self, plugin: &PluginId) -> Option<usize> {
        self.ranks.get(plugin).copied()
    }

    pub(super) fn plugin(&self, rank: usize) -> &Declaration {
        &self.members[rank]
    }

    pub(super) fn id(&self, rank: usize) -> &PluginId {
        self.members[rank].manifest.id()
    }

    /// What the plugin of this rank needs; with a rank, if it is of this kind.
    pub(super) fn needs(&self, rank: usize) -> impl Iterator<Item = (&PluginId, Option<usize>)> {
        self.members[rank].manifest.dependencies().iter().zip(self.needs[rank].iter().copied())
    }

    pub(super) fn needed_by(&self, rank: usize) -> &[usize] {
        &self.needed_by[rank]
    }

    /// The ranks of those who need `plugin`, which is not of this kind.
    pub(super) fn needing_other(&self, plugin: &PluginId) -> &[usize] {
        self.needing_others.get(plugin).map_or(&[], Vec::as_slice)
    }

    pub(super) fn suspects(&self) -> &[usize] {
        &self.suspects
    }

    /// The slots that somebody offers.
    pub(super) fn slots(&self) -> impl Iterator<Item = &SlotId> {
        self.offering.keys()
    }

    /// Who offers `slot`, in the order in which they were added.
    pub(crate) fn offering(&self, slot: &SlotId) -> impl Iterator<Item = (&Declaration, &Terms)> {
        self.offers_of(slot).iter().map(|(rank, number)| {
            let plugin = &*self.members[*rank];
            (plugin, &*plugin.offers[*number])
        })
    }

    /// The same as ranks, and which of the plugin's offers it is.
    pub(super) fn offers_of(&self, slot: &SlotId) -> &[(usize, usize)] {
        self.offering.get(slot).map_or(&[], Vec::as_slice)
    }
}
