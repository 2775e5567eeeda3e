//! Compose an application from plugins, and change your mind while it runs.

mod error;
mod priority;
mod event;

pub use crate::{error::BoxError, priority::Priority};
