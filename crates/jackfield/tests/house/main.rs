//! What holds for the crate as a whole.
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod arrows;
mod examples;
mod public_api;
mod compile_fail;
