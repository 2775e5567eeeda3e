//! What a WebAssembly binary asks of its host and offers to it, read without compiling it.

mod adapter;
mod bounded;
mod contract;
mod outline;
mod unshare;

pub use self::contract::{ContractError, Generation};
pub(crate) use self::{
    adapter::adapter,
    bounded::always_ends,
    contract::{BUFFER, Contract},
    outline::{ImportedMemory, Malformed, Outline, Signature},
    unshare::unshared,
};
