//! The kit for authors of plugins.
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod diary;
mod harness;
mod stubs;
