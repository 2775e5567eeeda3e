//! A project's code, compiled and ready to be instantiated any number of times.

mod compile;
mod limits;
mod machine;

pub(crate) use self::machine::room;
pub use self::{
    compile::{Program, ProgramError},
    limits::Limits,
};
