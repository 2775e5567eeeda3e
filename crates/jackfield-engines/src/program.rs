//! A project's code, compiled and ready to be instantiated any number of times.

mod limits;
mod cache;
mod machine;
mod compile;

pub(crate) use self::machine::Room;
pub use self::{
    cache::CodeCache,
    compile::{Compiler, Program, ProgramError},
    limits::Limits,
};
