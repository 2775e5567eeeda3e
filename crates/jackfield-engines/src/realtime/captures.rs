//! Whole variables, as they are between two blocks.

use crate::memory::{AccessError, Memories, MemoryMap, Reading, UnknownVariable, Variable};
use rtrb::{Consumer, Producer, RingBuffer};
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The largest variable that can be captured: copying it takes the audio thread some 50 µs.
const LARGEST: u64 = 1 << 20;

/// How often is looked whether a capture has come back. The audio thread wakes nobody.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long is waited for it. Blocks and ticks come much faster; if this passes, nothing plays.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes whole variables, also arrays, from the program that plays.
///
/// A handle: clones are the same. Captures are taken one after the other.
#[derive(Clone, Default)]
pub struct Captures {
    board: Arc<Mutex<Board>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Board {
    playing: Option<Playing>,
    asked: u64,
}

struct Playing {
    map: Arc<MemoryMap>,
    wanted: Producer<Box<Capture>>,
    taken: Consumer<Box<Capture>>,
}

/// A place in one of the memories, and room for what is there.
struct Capture {
    number: u64,
    memory: u32,
    start: usize,
    bytes: Vec<u8>,
}

impl Captures {
    /// Takes the variable `id` as it is after a block or a tick, all its elements at the same moment.
    ///
    /// # Errors
    ///
    /// When nothing plays, the program has no such variable, or it is larger than a megabyte.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what nobody waits for is thrown away.
    pub async fn take(&self, id: &str) -> Result<Reading, CaptureError> {
        self.window(id, ..).await
    }

    /// Takes these elements of the array `id`, as [`take`](Self::take) takes all of them: a part of a large one, or the
    /// newest of a buffer that goes round.
    ///
    /// # Errors
    ///
    /// When nothing plays, the program has no such variable or not so many elements, or they take more than a megabyte.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what nobody waits for is thrown away.
    pub async fn window(
        &self,
        id: &str,
        elements: impl RangeBounds<u32> + Send,
    ) -> Result<Reading, CaptureError> {
        let elements = (elements.start_bound().cloned(), elements.end_bound().cloned());
        let _turn = self.turn.lock().await;
        let (window, number) = self.ask(id, elements)?;
        let look = async {
            loop {
                if let Some(bytes) = self.look(number) {
                    return bytes;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let bytes = tokio::time::timeout(PATIENCE, look).await.map_err(|_| CaptureError::NothingPlays)?;
        let place = Variable { memory: 0, byte_address: 0, ..window };
        Ok(place.reading(&bytes)?)
    }

    /// Connects a program that is about to play; the one connected before is asked no more.
    #[must_use]
    pub fn connect(&self, map: Arc<MemoryMap>) -> CaptureTaker {
        let ((wanted, requests), (done, taken)) = (RingBuffer::new(2), RingBuffer::new(2));
        let replaced = self.lock().playing.replace(Playing { map, wanted, taken });
        drop(replaced);
        CaptureTaker { requests, done }
    }

    fn ask(&self, id: &str, elements: (Bound<u32>, Bound<u32>)) -> Result<(Variable, u64), CaptureError> {
        let mut board = self.lock();
        let Board { playing, asked } = &mut *board;
        let playing = playing.as_mut().ok_or(CaptureError::NothingPlays)?;
        let variable = window(playing.map.variable(id)?, elements)?;
        let length = variable.end() - u64::from(variable.byte_address);
        if length > LARGEST {
            return Err(CaptureError::TooLarge { id: id.to_owned(), bytes: length, most: LARGEST });
        }
        *asked += 1;
        let start = variable.byte_address as usize;
        let (number, memory, bytes) = (*asked, variable.memory, vec![0; length as usize]);
        let capture = Box::new(Capture { number, memory, start, bytes });
        match playing.wanted.push(capture) {
            Ok(()) => Ok((variable, *asked)),
            Err(_) => Err(CaptureError::NothingPlays), // those before it have not been taken
        }
    }

    fn look(&self, number: u64) -> Option<Vec<u8>> {
        let mut board = self.lock();
        let taken = &mut board.playing.as_mut()?.taken;
        while let Ok(capture) = taken.pop() {
            if capture.number == number {
                return Some(capture.bytes);
            }
        }
        None
    }

    // Nothing foreign runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a variable that these elements are.
fn window(variable: &Variable, elements: (Bound<u32>, Bound<u32>)) -> Result<Variable, AccessError> {
    let first = match elements.0 {
        Bound::Included(first) => first,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let behind = match elements.1 {
        Bound::Included(last) => last.saturating_add(1),
        Bound::Excluded(behind) => behind,
        Bound::Unbounded => variable.elements,
    };
    let missing = |index| AccessError::NoSuchElement { index, elements: variable.elements };
    if behind > variable.elements {
        return Err(missing(behind - 1));
    }
    let count = behind.checked_sub(first).filter(|count| *count > 0).ok_or_else(|| missing(first))?;
    let byte_address = variable.byte_address + first * variable.element.size();
    Ok(Variable { byte_address, elements: count, ..variable.clone() })
}

/// The audio half of the captures.
pub struct CaptureTaker {
    requests: Consumer<Box<Capture>>,
    done: Producer<Box<Capture>>,
}

impl CaptureTaker {
    /// Takes what was asked for. To be called after a block or a tick.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, frees nothing, takes no lock; copies a megabyte at most.
    pub fn take(&mut self, memories: &(impl Memories + ?Sized)) {
        if self.done.is_full() {
            return; // whoever asked has gone, and the next one will clear it
        }
        let Ok(mut capture) = self.requests.pop() else { return };
        let end = capture.start.checked_add(capture.bytes.len());
        let memory = memories.bytes(capture.memory);
        if let Some(found) = end.zip(memory).and_then(|(end, memory)| memory.get(capture.start..end)) {
            capture.bytes.copy_from_slice(found);
        }
        // There is room.
        self.done.push(capture).ok();
    }
}

/// A variable could not be captured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// No program plays, or the one that does has stopped. Play one, and ask again.
    #[error("nothing plays that could be looked at")]
    NothingPlays,
    /// The program has no such variable.
    #[error(transparent)]
    Unknown(#[from] UnknownVariable),
    /// It has one that is too large to be copied between two blocks.
    #[error("`{id}` takes {bytes} bytes, and {most} can be captured at most")]
    TooLarge {
        /// The variable.
        id: String,
        /// Its size.
        bytes: u64,
        /// What can be captured.
        most: u64,
    },
    /// The map does not belong to the program.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl fmt::Debug for Captures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captures").finish_non_exhaustive()
    }
}

impl fmt::Debug for CaptureTaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureTaker").finish_non_exhaustive()
    }
}
