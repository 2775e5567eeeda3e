//! What Jackfield's own tests share.

pub mod fixtures;
