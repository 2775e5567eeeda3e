//! Which variable of a program lies where in its memory, and how its bytes are read and written.

mod element;
mod map;
mod nearest;
mod variable;

pub(crate) use self::nearest::nearest;
pub use self::{
    element::{Element, Value},
    map::{MemoryMap, Module, NamedAccessError, UnknownVariable},
    variable::{AccessError, Initial, Reading, Variable},
};
