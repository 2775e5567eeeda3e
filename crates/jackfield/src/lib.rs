//! Compose an application from plugins, and change your mind while it runs.

mod error;
mod event;
mod priority;

pub use crate::{error::BoxError, priority::Priority};
