//! What Jackfield's own tests share.
//!
//! * [`check_arrows`]: holds a crate's modules to their reading order. One test in each crate.
//! * [`modules_naming`]: which modules of a crate know a certain path.
//! * [`workspace`]: which of the workspace's crates uses which.

mod code;

mod arrows;
pub mod workspace;

pub use crate::{
    arrows::{arrows, check_arrows, modules_naming},
    code::code_of,
};
