//! Compose an application from plugins, and change your mind while it runs.

mod config;
mod context;
mod declare;
mod driver;
mod error;
mod event;
mod id;
mod manifest;
mod plan;
mod plugin;
mod priority;
mod registry;
mod report;
mod runtime;
mod scope;
mod session;
mod settings;
mod slot;
mod view;

pub use crate::{
    config::{ConfigSpec, Configuration, Live},
    context::{Context, GlobalContext, NoSuchConfig, SessionContext, SettingsChange},
    declare::AddError,
    error::BoxError,
    id::{InvalidId, InvalidPin, Namespace, Pin, PluginId, SlotId, nearest},
    manifest::{FeatureFlag, Manifest},
    plan::{
        Cause, ConfigChange, Plan, ScopeKind, ScopeName, ScopePlan, SessionKey, Standing, Step,
        UnknownReferences, WinnerChange,
    },
    plugin::{AnyPlugin, GlobalPlugin, IntoPlugin, PerRuntime, PerSession, Plugin, PluginResult},
    priority::Priority,
    registry::{CandidateInfo, Kind, Offering, Registrar, Registry, ResolveError, Resolver},
    report::{ChangeError, Failure, Hook, HookError, Report},
    runtime::{InitError, PluginRuntime, RuntimeBuilder, SettingsStream, ShutdownError},
    scope::Scope,
    session::Session,
    settings::{
        ConfigTable, DocumentPath, PluginSettings, Position, Problem, Problems, RuntimeSettings,
        ServiceSettings, locate_in_toml,
    },
    slot::Slot,
    view::{CandidateStatus, PluginInfo, RuntimeStatus, ScopeStatus, SlotStatus},
};
