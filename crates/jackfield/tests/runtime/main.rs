//! One runtime, scenario by scenario: what settings, plugins, services and sessions do, seen from outside.
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod identifiers;
mod settings;
mod enablement;
mod plugins;
mod registering;
mod resolving;
mod slots;
mod pins_and_wildcards;
mod configuration;
mod lazies;
mod lifecycle;
mod services;
mod changes;
mod overlays;
mod plugins_come_and_go;
mod undo;
mod quarantine;
