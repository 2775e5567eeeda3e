//! One running copy of a program, with a memory of its own.

mod interrupt;
mod run;
mod start;
mod trap;

pub use self::{
    interrupt::Interrupt,
    run::Instance,
    start::{Start, StartError},
    trap::{Trap, TrapKind},
};
