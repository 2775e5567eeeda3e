//! A project's code, compiled and ready to be instantiated any number of times.

mod limits;
mod cache;
mod machine;
mod export;
mod compile;

pub use self::{
    cache::CodeCache,
    compile::{Compiler, Program, ProgramError},
    export::{ArgumentError, Call, CallError, Export, MOST_ARGUMENTS},
    limits::Limits,
};
pub(crate) use self::{export::Exports, machine::Room};
