//! What a change would do, and why: a value, made by a pure function.
//!
//! What should run is computed from declarations and settings alone (`desired`); what to do is the difference to
//! what does run. Starting is a plan from nothing, closing is a plan to nothing.

use std::sync::Arc;

use serde::Serialize;

use crate::{
    id::{PluginId, SlotId},
    settings::{DocumentPath, Problem, RuntimeSettings},
};

mod cause;
mod place;
mod roster;
mod cycle;
mod demand;
mod standing;
mod order;
mod remark;
mod slots;
mod configs;
mod desired;
mod difference;
mod touched;
mod following;
mod normalise;
mod by_session;
mod world;
mod print;

pub use cause::Cause;
use demand::Demand;
pub use normalise::UnknownReferences;
pub use remark::Remark;
pub use standing::Standing;
pub(crate) use {
    by_session::BySession,
    configs::ConfigOwner,
    desired::Desired,
    place::{Order, Place},
    roster::{Declaration, Roster},
    slots::CandidatePlan,
    world::{Closing, Wishes, World},
};

/// Which of the two lives a plugin leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeKind {
    /// Once, as long as the runtime.
    Global,
    /// Once in every session.
    Session,
}

/// Tells sessions apart, also those of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SessionKey(pub(crate) u64);

/// Which scope something happened in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeName {
    /// The global scope.
    Global,
    /// A session.
    Session {
        /// Its key, which no other session ever has.
        key: SessionKey,
        /// The name it was created with.
        name: Arc<str>,
    },
}

impl ScopeName {
    /// The session's key; `None` for the global scope.
    pub fn session(&self) -> Option<SessionKey> {
        match self {
            Self::Global => None,
            Self::Session { key, .. } => Some(*key),
        }
    }
}

impl std::fmt::Display for ScopeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Session { name, .. } => write!(f, "session `{name}`"),
        }
    }
}

/// What a change would do, and why. Displays as one line a step.
///
/// A value, apart from the runtime that made it: it may be kept, shown, and [applied](crate::PluginRuntime::apply) while
/// that runtime is still at the same generation. A clone shares the steps.
#[derive(Clone, Serialize)]
pub struct Plan {
    /// Scope by scope: the global one, then the sessions in the order of their creation.
    pub scopes: Vec<ScopePlan>,
    /// References in the settings that nothing answers to, and that are passed over.
    pub skipped: Vec<Problem>,
    /// What is odd about the plugins that would take part, and was not said of an earlier change.
    pub remarks: Vec<Remark>,
    /// The generation of the runtime that the plan was made for.
    pub generation: u64,
    #[serde(skip)]
    pub(crate) wishes: Arc<Wishes>,
}

/// What a change would do in one scope. Scopes that run the same share the steps.
#[derive(Clone, Debug, Serialize)]
pub struct ScopePlan {
    /// Which scope.
    pub scope: ScopeName,
    #[serde(flatten)]
    pub(crate) steps: Arc<Steps>,
    #[serde(skip)]
    pub(crate) next: Arc<Desired>,
}

/// What leads a scope from what it runs to what it should run.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Steps {
    /// Who detaches, in this order.
    pub downs: Vec<Step>,
    /// Who attaches, in this order.
    pub ups: Vec<Step>,
    /// Which slots change hands.
    pub winners: Vec<WinnerChange>,
    /// Which configurations change, of those that stay.
    pub configs: Vec<ConfigChange>,
    /// The slots whose candidates are others, or are ranked otherwise, or of another stay of their plugins.
    #[serde(skip)]
    pub(crate) slots: Vec<SlotId>,
    /// Those configurations of plugins that stay which are another object.
    #[serde(skip)]
    pub(crate) owners: Vec<ConfigOwner>,
}

/// One plugin that goes or comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Who.
    pub plugin: PluginId,
    /// Why.
    pub cause: Cause,
    /// The plugin's place: the one that it leaves, or the one that it takes.
    #[serde(skip)]
    pub(crate) place: Place,
}

/// A slot that changes hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WinnerChange {
    /// Which slot.
    pub slot: SlotId,
    /// Who has it now.
    pub from: Option<PluginId>,
    /// Who will have it.
    pub to: Option<PluginId>,
}

/// One value of a configuration that changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigChange {
    /// Whose configuration.
    pub plugin: PluginId,
    /// The slot, if it is the configuration of a service.
    pub slot: Option<SlotId>,
    /// The value's place in the configuration.
    pub path: DocumentPath,
    /// What it is now.
    pub from: Option<serde_json::Value>,
    /// What it will be.
    pub to: Option<serde_json::Value>,
}

impl std::ops::Deref for ScopePlan {
    type Target = Steps;

    fn deref(&self) -> &Steps {
        &self.steps
    }
}

impl Steps {
    /// Whether nobody comes, goes, or is configured anew, and no slot changes hands.
    pub fn is_empty(&self) -> bool {
        self.downs.is_empty() && self.ups.is_empty() && self.winners.is_empty() && self.configs.is_empty()
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("scopes", &self.scopes)
            .field("skipped", &self.skipped)
            .field("remarks", &self.remarks)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// Whether nothing would change but the settings themselves.
    pub fn is_empty(&self) -> bool {
        self.scopes.iter().all(|scope| scope.is_empty())
    }

    /// The settings that the plan leads to, without the references that were passed over.
    pub fn settings(&self) -> &Arc<RuntimeSettings> {
        &self.wishes.settings
    }

    /// A fingerprint: equal plans made for the same generation have the same.
    ///
    /// It is FNV-1a over the plan's JSON, so it is the same on every machine and in every build of one version.
    pub fn hash(&self) -> u64 {
        let text = serde_json::to_string(self).unwrap_or_default(); // values with text keys, which JSON never refuses
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    pub(crate) fn scope(&self, name: &ScopeName) -> Option<&ScopePlan> {
        self.scopes.iter().find(|plan| plan.scope == *name)
    }
}
