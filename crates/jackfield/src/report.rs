//! What a change did, and what it failed with.

use std::fmt;

use crate::{
    declare::AddError,
    error::HookError,
    foreign::discard,
    id::{PluginId, SlotId},
    plan::{Plan, ScopeName},
    settings::Problems,
};

/// A part of a plugin's life in which something can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Hook {
    /// Declaring services.
    Register,
    /// Building services.
    Build,
    /// Attaching.
    Attach,
    /// Being told of new settings.
    SettingsChanged,
    /// Detaching.
    Detach,
    /// Ending what was kept: guards, subscriptions, tasks.
    Release,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Register => "register",
            Self::Build => "build",
            Self::Attach => "attach",
            Self::SettingsChanged => "settings_changed",
            Self::Detach => "detach",
            Self::Release => "release",
        })
    }
}

/// One plugin's failure in one scope.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Failure {
    /// Where.
    pub scope: ScopeName,
    /// Who.
    pub plugin: PluginId,
    /// Whose hook it was, if not the plugin's own: the service in this slot.
    pub slot: Option<SlotId>,
    /// When.
    pub hook: Hook,
    /// With what.
    pub error: HookError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, plugin, slot, hook, error } = self;
        match slot {
            None => write!(f, "plugin `{plugin}` failed to {hook} in {scope}: {error}"),
            Some(slot) => {
                write!(f, "service `{slot}` of plugin `{plugin}` failed to {hook} in {scope}: {error}")
            }
        }
    }
}

/// What a change did.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was carried out.
    pub plan: Plan,
    /// The generation of the runtime after the change.
    pub generation: u64,
    /// What went wrong without standing in the way of the change: in a closing, everything that did.
    pub failures: Vec<Failure>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)?;
        self.failures.iter().try_for_each(|failure| write!(f, "\n! {failure}"))
    }
}

/// Why a change was not made. The variants tell apart what is left of it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The settings are wrong; nothing has happened. Mend them and try again.
    #[error("the settings were refused:\n{0}")]
    Refused(Problems),
    /// A plugin failed, and everything is as it was before. Mend the plugin, or leave it out.
    #[error("the change was taken back:\n{}", lines(.failures))]
    Reverted {
        /// What failed.
        failures: Vec<Failure>,
    },
    /// A plugin failed, and everything is as it was before except for the plugins in `lost`, which did not come
    /// back. The next change tries them again.
    #[error("the change was taken back:\n{}\nand did not come back:\n{}", lines(.failures), lines(.lost))]
    Degraded {
        /// What failed.
        failures: Vec<Failure>,
        /// Who is not back, and why.
        lost: Vec<Failure>,
    },
    /// The world has moved since the plan was made; nothing has happened. Plan again.
    #[error("the plan was made for generation {planned}, and the runtime is at {now}; plan again")]
    Stale {
        /// The generation that the plan was made for.
        planned: u64,
        /// The generation of the runtime.
        now: u64,
    },
    /// The plan was made by another runtime; nothing has happened. Plan with this one.
    #[error("the plan was made by another runtime")]
    ForeignPlan,
    /// Newer settings came before these were looked at; nothing has happened. Theirs is the answer that counts.
    #[error("newer settings came before these were looked at")]
    Superseded,
    /// The plugin cannot be added; nothing has happened.
    #[error("the plugin cannot be added: {0}")]
    Plugin(AddError),
    /// There is no such plugin to remove.
    #[error("there is no plugin `{plugin}`")]
    NoSuchPlugin {
        /// The id asked for.
        plugin: PluginId,
    },
    /// The runtime has been shut down.
    #[error("the runtime has been shut down")]
    Closed,
    /// The session is closed, or belongs to another runtime.
    #[error("there is no such session")]
    NoSuchSession,
    /// A hook asked to await a change, that is, to wait for itself. Use
    /// [`request_change`](crate::Context::request_change) in hooks.
    #[error("a hook cannot await a change; ask for it with `cx.request_change`")]
    WithinHook,
}

impl ChangeError {
    /// Drops it where nobody reads it.
    pub(crate) fn forget(self) {
        match self {
            Self::Reverted { failures } => forget(failures),
            Self::Degraded { failures, lost } => [failures, lost].into_iter().for_each(forget),
            _ => {}
        }
    }
}

/// Drops failures that nobody reads, one by one: their errors are other people's values.
pub(crate) fn forget(failures: Vec<Failure>) {
    failures.into_iter().for_each(discard);
}

fn lines(failures: &[Failure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
