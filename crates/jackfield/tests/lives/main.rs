//! The lives of plugins, services, scopes and settings: what begins, changes and ends, in which order, and what is
//! said of it. The numbers are those of `docs/behaviour`.
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod cast;
mod log;

mod changes;
mod configuration;
mod contexts;
mod documents;
mod errors;
mod forms;
mod init;
mod logging;
mod rollback;
mod services;
mod sessions;
mod shutdown;
mod testing;
mod unknown_references;
