use std::borrow::Cow;

/// A call ended early. What the program had stored by then stays, and it may be called again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{function}` ended early: {kind}")]
pub struct Trap {
    /// The function that was called: `buffer`, `cycle`, ….
    pub function: Cow<'static, str>,
    /// What happened.
    pub kind: TrapKind,
}

/// Why a call ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TrapKind {
    /// It was ended from outside, usually because it took too long.
    #[error("it took too long and was interrupted")]
    Interrupted,
    /// A wild pointer.
    #[error("memory access out of bounds")]
    OutOfBounds,
    /// A float that no integer stands for: not a number, infinite, or too large.
    #[error("a float that is not a number or out of range was made an integer")]
    BadConversion,
    /// A division of whole numbers by zero.
    #[error("whole number divided by zero")]
    DivisionByZero,
    /// A whole number, or a float made one, that is too large.
    #[error("a whole number overflowed")]
    Overflow,
    /// Functions that call each other without end.
    #[error("functions called each other too deeply")]
    StackOverflow,
    /// The program itself says that this must not happen.
    #[error("it reached an `unreachable` instruction")]
    Unreachable,
    /// A call through a table that leads nowhere.
    #[error("a call through a table led nowhere")]
    BadIndirectCall,
    /// The call was made for another program, which has other functions.
    #[error("it is a function of another program")]
    OtherProgram,
    /// Anything else.
    #[error("the machine gave up on it")]
    Other,
}

impl TrapKind {
    pub(super) fn of(error: &wasmtime::Error) -> Self {
        match error.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::Interrupt) => Self::Interrupted,
            Some(wasmtime::Trap::MemoryOutOfBounds) => Self::OutOfBounds,
            Some(wasmtime::Trap::BadConversionToInteger) => Self::BadConversion,
            Some(wasmtime::Trap::IntegerDivisionByZero) => Self::DivisionByZero,
            Some(wasmtime::Trap::IntegerOverflow) => Self::Overflow,
            Some(wasmtime::Trap::StackOverflow) => Self::StackOverflow,
            Some(wasmtime::Trap::UnreachableCodeReached) => Self::Unreachable,
            Some(
                wasmtime::Trap::TableOutOfBounds
                | wasmtime::Trap::IndirectCallToNull
                | wasmtime::Trap::BadSignature,
            ) => Self::BadIndirectCall,
            _ => Self::Other,
        }
    }
}
