//! What Jackfield's own tests share.
//!
//! * [`check_arrows`]: holds a crate's modules to their reading order. One test in each crate.
//! * [`modules_naming`]: which modules of a crate know a certain path.
//! * [`check_examples`]: runs a crate's examples and compares what they print with what they say.
//! * [`fixtures`]: real compiled programs, with what they are known to do.
//! * [`Probe`]: a plugin that writes its life into a [`Diary`], and fails when told to.
//! * [`requirements`]: which test holds which promise of `docs/behaviour`.
//! * [`workspace`]: which of the workspace's crates uses which.

mod code;

mod arrows;
mod examples;
pub mod fixtures;
mod probe;
pub mod requirements;
pub mod workspace;

pub use crate::{
    arrows::{arrows, check_arrows, modules_naming},
    code::code_of,
    examples::check_examples,
    probe::{Diary, Fault, Probe},
};
