//! What Jackfield's own tests share.
//!
//! * [`check_arrows`]: holds a crate's modules to their reading order. One test in each crate.
//! * [`modules_naming`]: which modules of a crate know a certain path.
//! * [`check_examples`]: runs a crate's examples and compares what they print with what they say.
//! * [`check_public_api`]: what a crate shows to others, compared with a committed text.
//! * [`fixtures`]: real compiled programs, with what they are known to do.
//! * [`Probe`], [`Diary`], [`Fault`]: from Jackfield's own kit for authors of plugins.
//! * [`realtime`], [`asks_nothing`]: what runs as on an audio thread, and is caught at asking the system for anything.
//! * [`peak_memory`]: the most memory that a program had.
//! * [`requirements`]: which test holds which promise of `docs/behaviour`.
//! * [`workspace`]: which of the workspace's crates uses which.

mod code;

mod arrows;
mod examples;
mod public_api;
pub mod fixtures;
mod peak;
mod realtime;
pub mod requirements;
pub mod workspace;

pub use jackfield::testing::{Diary, Fault, Probe};

pub use crate::{
    arrows::{arrows, check_arrows, modules_naming},
    code::code_of,
    examples::check_examples,
    peak::peak_memory,
    public_api::{check_public_api, public_api},
    realtime::{asks_nothing, is_watched, realtime},
};
