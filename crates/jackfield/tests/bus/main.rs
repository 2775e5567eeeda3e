//! Events and requests on one bus.
#![allow(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

mod dispatch;
mod order;
mod failures;
mod lifetime;
mod reentrancy;
mod observers;
mod topics;
mod bindings;
mod answers;
