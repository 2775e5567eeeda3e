//! What runs, as plain values: for status lines, command lines and pages.

use serde::Serialize;

use crate::{
    id::{PluginId, SlotId},
    plan::{Desired, ScopeKind, ScopeName, Standing, World},
    priority::Priority,
};

/// What a runtime runs at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuntimeStatus {
    /// Goes up by one with every change.
    pub generation: u64,
    /// All plugins, in the order in which they were added.
    pub plugins: Vec<PluginInfo>,
    /// The global scope, then the sessions in the order of their creation.
    pub scopes: Vec<ScopeStatus>,
}

/// What is known of a plugin before it runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PluginInfo {
    /// Its name.
    pub plugin: PluginId,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<&'static str>,
    /// Where it lives.
    pub scope: ScopeKind,
    /// What it needs.
    pub dependencies: Vec<PluginId>,
    /// The slots for which it offers a candidate.
    pub offers: Vec<SlotId>,
}

/// What runs in one scope.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScopeStatus {
    /// Which scope.
    pub scope: ScopeName,
    /// Who takes part and why, or why not, in the order in which they were added.
    pub plugins: Vec<Standing>,
    /// Who is attached, in the order in which they attached.
    pub attached: Vec<PluginId>,
    /// The slots with a candidate, by name.
    pub slots: Vec<SlotStatus>,
}

/// Who competes for a slot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlotStatus {
    /// Which slot.
    pub slot: SlotId,
    /// Who has it.
    pub winner: Option<PluginId>,
    /// All candidates, highest authority first.
    pub candidates: Vec<CandidateStatus>,
}

/// One candidate for a slot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CandidateStatus {
    /// Whose it is.
    pub plugin: PluginId,
    /// The priority in force.
    pub priority: Priority,
    /// Whether it takes part.
    pub enabled: bool,
}

impl RuntimeStatus {
    pub(crate) fn of(world: &World) -> Self {
        let plugins = world.wishes.declarations.iter().map(|declaration| PluginInfo {
            plugin: declaration.manifest.id().clone(),
            about: declaration.manifest.description(),
            scope: declaration.scope,
            dependencies: declaration.manifest.dependencies().to_vec(),
            offers: declaration.offers.iter().map(|offer| offer.slot.clone()).collect(),
        });
        let global = ScopeStatus::of(&ScopeName::Global, &world.global);
        let sessions =
            world.sessions.values().map(|session| ScopeStatus::of(&session.name, &session.current));
        Self {
            generation: world.generation,
            plugins: plugins.collect(),
            scopes: std::iter::once(global).chain(sessions).collect(),
        }
    }
}

impl ScopeStatus {
    fn of(scope: &ScopeName, desired: &Desired) -> Self {
        let slots = desired.slots.iter().map(|(slot, candidates)| SlotStatus {
            slot: slot.clone(),
            winner: desired.winner(slot).cloned(),
            candidates: candidates
                .iter()
                .map(|candidate| CandidateStatus {
                    plugin: candidate.plugin.clone(),
                    priority: candidate.priority,
                    enabled: candidate.enabled,
                })
                .collect(),
        });
        Self {
            scope: scope.clone(),
            plugins: desired.standings.iter().cloned().collect(),
            attached: desired.order.iter().cloned().collect(),
            slots: slots.collect(),
        }
    }
}
