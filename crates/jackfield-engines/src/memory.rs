//! Which variable of a program lies where in its memory, and how its bytes are read and written.

mod element;
mod memories;
mod nearest;
mod variable;
mod map;
mod carry;

pub(crate) use self::nearest::nearest;
pub use self::{
    carry::{Carry, CarryReport, ResetReason},
    element::{Element, NumberError, Value},
    map::{MemoryMap, Module, NamedAccessError, UnknownVariable},
    memories::Memories,
    variable::{AccessError, Initial, Reading, Variable},
};
