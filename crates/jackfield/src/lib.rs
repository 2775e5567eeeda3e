//! Compose an application from plugins, and change your mind while it runs.
//!
//! An application is a list of [plugins](Plugin). [Settings](RuntimeSettings) say which of them take part, which one
//! wins a contested service, and how each is configured; and the running program is made to follow the settings, as
//! one transaction, without a restart.
//!
//! * [`PluginRuntime`]: the lifecycle engine. A handle; clone it freely.
//! * [`Plugin`], [`GlobalPlugin`]: the smallest thing that settings can switch. One value, shared by all sessions.
//! * [`Slot`]: a named place for a service, for which plugins compete. A constant; costs nothing.
//! * [`Session`]: one isolated use, with services and a [`Bus`] of its own. Dropping it closes it.
//! * [`RuntimeSettings`]: the desired state, as a plain value, from TOML or JSON.
//! * [`Plan`]: what a change would do, and why, before it is made. [`Report`]: what it did.
//! * [`Watch`]: a handle that follows a slot through every change.
//! * [`Live`]: a typed, validated configuration that follows the settings.
//! * `testing`, behind the feature of that name: scopes made by hand, and what else authors of plugins test them with.
//!
//! ```
//! use jackfield::prelude::*;
//!
//! trait Greeter: Send + Sync {
//!     fn greet(&self, name: &str) -> String;
//! }
//! const GREETER: Slot<dyn Greeter> = Slot::new("chat.greeter");
//!
//! #[derive(Default, Deserialize, JsonSchema, PartialEq)]
//! #[serde(default, deny_unknown_fields)]
//! struct FormalConfig {
//!     title: Option<String>,
//! }
//!
//! struct Butler(Live<FormalConfig>);
//! impl Greeter for Butler {
//!     fn greet(&self, name: &str) -> String {
//!         match &self.0.load().title {
//!             Some(title) => format!("Good evening, {title} {name}."),
//!             None => format!("Good evening, {name}."),
//!         }
//!     }
//! }
//!
//! struct Formal;
//! impl Plugin for Formal {
//!     fn manifest(&self) -> Manifest {
//!         Manifest::new("formal")
//!     }
//!     fn register(&self, services: &mut Registrar<'_>) {
//!         services.provide(GREETER).configured(|config| Arc::new(Butler(config)));
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let runtime = PluginRuntime::builder().plugin(Formal).init().await?;
//! let session = runtime.create_session("ada").await?;
//! assert_eq!(session.resolve(GREETER)?.greet("Ada"), "Good evening, Ada.");
//!
//! let next = RuntimeSettings::from_toml("services.'formal:chat.greeter'.config.title = 'Countess'")?;
//! let report = runtime.update_settings(next).await?;
//! println!("{report}"); // ~ formal   (settings)   chat.greeter title: default → "Countess"
//! assert_eq!(session.resolve(GREETER)?.greet("Ada"), "Good evening, Countess Ada.");
//! runtime.shutdown().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The core knows no file, socket, device or WebAssembly. It needs Tokio: one task of it, the *driver*, makes all
//! changes, so that a caller who goes away leaves no half-made one; readers never wait for it.

mod foreign;
mod error;
mod id;
mod slot;
mod priority;
mod event;
mod request;
mod settings;
mod config;
mod registry;
mod manifest;
mod plan;
mod scope;
mod context;
mod service;
mod plugin;
mod declare;
mod report;
mod view;
mod why;
mod driver;
mod session;
mod runtime;
#[cfg(feature = "testing")]
pub mod testing;

pub use crate::{
    config::{ConfigSpec, Configuration, Live},
    context::{Context, ContextHandler, GlobalContext, NoSuchConfig, SessionContext, SettingsChange},
    declare::AddError,
    driver::FailurePolicy,
    error::{BoxError, HookError, PluginResult},
    event::{
        Binding, Bus, BusClosed, Emission, EmitError, Envelope, EventBinding, HandlerOptions, HandlerOrigin,
        IntoReply, Listener, MessageKind, Observed, Outcome, Stage, Subscription, Topic,
    },
    id::{InvalidId, InvalidPin, Namespace, Pin, PluginId, SlotId, nearest},
    manifest::{FeatureFlag, Manifest},
    plan::{
        Cause, ConfigChange, Plan, Remark, ScopeKind, ScopeName, ScopePlan, SessionKey, Standing, Step,
        Steps, UnknownReferences, WinnerChange,
    },
    plugin::{AnyPlugin, GlobalPlugin, IntoPlugin, PerRuntime, PerSession, Plugin},
    priority::Priority,
    registry::{CandidateInfo, Kind, Offering, Reader, Registrar, Registry, ResolveError, Resolver, Watch},
    report::{ChangeError, Failure, Hook, Report},
    request::{Inquiry, Remedy, Request, RequestError},
    runtime::{InitError, PluginRuntime, RuntimeBuilder, SettingsStream, ShutdownError},
    scope::Scope,
    service::Service,
    session::{NewSession, Session},
    settings::{
        ConfigTable, DocumentPath, Migrations, PluginSettings, Position, Problem, Problems, RuntimeSettings,
        ServiceSettings, locate_in_toml,
    },
    slot::Slot,
    view::{CandidateStatus, PluginInfo, RuntimeStatus, ScopeStatus, SlotStatus},
    why::{Reason, Why},
};

/// What a first plugin needs, and nothing else.
pub mod prelude {
    pub use std::sync::Arc;

    pub use schemars::JsonSchema;
    pub use serde::Deserialize;

    pub use crate::{
        BoxError, Envelope, FeatureFlag, GlobalContext, GlobalPlugin, Live, Manifest, Plugin, PluginId,
        PluginResult, PluginRuntime, Priority, Registrar, RuntimeSettings, Session, SessionContext,
        SettingsChange, Slot,
    };
}
