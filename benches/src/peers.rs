//! What others do for the same: the crates that Jackfield is compared with, each through its own usual way.

pub(crate) mod events;
pub(crate) mod lifecycle;
pub(crate) mod services;
