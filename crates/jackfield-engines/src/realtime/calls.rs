//! Calls of the program's exported functions from outside.

use crate::instance::{Instance, Trap};
use crate::program::{Call, CallError, Program};
use rtrb::{Consumer, Producer, RingBuffer};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Calls that may be on their way at once: a chord on every channel, between two blocks.
const ROOM: usize = 256;

/// Calls functions that the program exports, such as handlers of notes and controllers: between two blocks or ticks of
/// whatever program plays.
///
/// A handle: clones are the same. A program that takes over is called from its first block on; calls that the one before
/// it has not answered by then are lost with it.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<Option<Playing>>>);

struct Playing {
    program: Program,
    calls: Producer<Call>,
}

impl Calls {
    /// Calls the function `name` before the next block or tick, after those that were called before. Its results are
    /// dropped. If it traps, the program has broken, as if it had trapped by itself.
    ///
    /// # Errors
    ///
    /// When nothing plays, the program has no such function, it takes other arguments, or too many calls wait already.
    /// It is not called then.
    pub fn call(&self, name: &str, arguments: &[f64]) -> Result<(), OutsideCallError> {
        let mut playing = self.lock();
        let playing = playing.as_mut().filter(|playing| !playing.calls.is_abandoned());
        let Playing { program, calls } = playing.ok_or(OutsideCallError::NothingPlays)?;
        let call = program.call(name, arguments)?;
        calls.push(call).map_err(|_| OutsideCallError::Busy { name: name.to_owned() })
    }

    /// The functions that the program offers, with their types; none while nothing plays.
    #[must_use]
    pub fn offered(&self) -> Vec<(String, String)> {
        let playing = self.lock();
        let playing = playing.as_ref().filter(|playing| !playing.calls.is_abandoned());
        let exports = playing.into_iter().flat_map(|playing| playing.program.exports());
        exports.map(|(name, signature)| (name.to_owned(), signature)).collect()
    }

    /// Connects a program that is about to play; the one connected before is called no more.
    #[must_use]
    pub fn connect(&self, program: Program) -> CallTaker {
        let (calls, taker) = RingBuffer::new(ROOM);
        let replaced = self.lock().replace(Playing { program, calls });
        drop(replaced);
        CallTaker(taker)
    }

    // Nothing foreign runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Option<Playing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The audio half of the calls.
pub struct CallTaker(Consumer<Call>);

impl CallTaker {
    /// Makes the calls that have come since the last time. To be called before a block or a tick.
    ///
    /// # Errors
    ///
    /// When one of them traps; those after it wait.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, unless a call traps, and takes no lock. Takes as long as the functions take; 256 calls are
    /// made at most.
    pub fn make(&mut self, instance: &mut Instance) -> Result<(), Trap> {
        for _ in 0..self.0.slots() {
            let Ok(call) = self.0.pop() else { break };
            instance.call(&call)?;
        }
        Ok(())
    }
}

/// A function of the program that plays cannot be called.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OutsideCallError {
    /// No program plays. Play one, and call again.
    #[error("nothing plays that could be called")]
    NothingPlays,
    /// The program has no such function, or it takes something else.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The program has not answered earlier calls yet. Call again when it plays.
    #[error("`{name}` cannot be called now: {ROOM} calls wait for the program to play")]
    Busy {
        /// The function.
        name: String,
    },
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calls").field(&self.offered()).finish()
    }
}

impl fmt::Debug for CallTaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallTaker").finish_non_exhaustive()
    }
}
