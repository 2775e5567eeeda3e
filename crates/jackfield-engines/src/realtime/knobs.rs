//! Values that people want certain variables of the program to have, and how they get there.

use crate::memory::{Initial, Memories, MemoryMap, NumberError, UnknownVariable, Value, Variable};
use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Changes that may be on their way at once, besides one for every knob that is set when an engine starts.
const ROOM: usize = 1024;

/// A write to one of the program's memories, worked out beforehand so that the audio thread has nothing to look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poke {
    memory: u32,
    address: u32,
    width: u8,
    bits: u64,
}

impl Poke {
    fn new(variable: &Variable, value: Value) -> Self {
        let width = u8::try_from(variable.element.size()).unwrap_or(u8::MAX);
        let Variable { memory, byte_address: address, .. } = *variable;
        Self { memory, address, width, bits: value.bits() }
    }

    /// Writes it, little endian; outside `memories` it writes nothing.
    ///
    /// # Realtime
    ///
    /// Allocates nothing.
    pub fn apply(self, memories: &mut (impl Memories + ?Sized)) {
        let (from, width) = (self.address as usize, usize::from(self.width));
        let bytes = self.bits.to_le_bytes();
        let (to, memory) = (from.checked_add(width), memories.bytes_mut(self.memory));
        let place = to.zip(memory).and_then(|(to, memory)| memory.get_mut(from..to));
        if let (Some(place), Some(bytes)) = (place, bytes.get(..width)) {
            place.copy_from_slice(bytes);
        }
    }
}

/// The knobs of a session: for each variable that somebody wants to have a value, that value.
///
/// A handle: clones are the same knobs. They outlive programs and engines; whatever program starts gets the
/// values that it has variables for. While one plays, a change reaches it at the next block.
#[derive(Clone, Default)]
pub struct Knobs(Arc<Mutex<Board>>);

#[derive(Default)]
struct Board {
    wanted: BTreeMap<String, f64>,
    playing: Option<Playing>,
}

struct Playing {
    map: Arc<MemoryMap>,
    pokes: Producer<Poke>,
}

impl Knobs {
    /// No knob is set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wants the variable `id` to have the value `number`, now and in programs to come.
    ///
    /// # Errors
    ///
    /// When the program that plays has no such variable, or it cannot have that value; nothing is changed
    /// then. Before the first program only the number itself can be wrong.
    pub fn set(&self, id: &str, number: f64) -> Result<(), KnobError> {
        let mut board = self.lock();
        check_finite(id, number)?;
        if let Some(playing) = &mut board.playing {
            let poke = poke(&playing.map, id, number)?;
            playing.send(id, poke)?;
        }
        board.wanted.insert(id.to_owned(), number);
        Ok(())
    }

    /// Leaves the variable `id` to the program again: it gets its default back.
    ///
    /// # Errors
    ///
    /// When the program that plays cannot be told at the moment. The knob is unset all the same.
    pub fn unset(&self, id: &str) -> Result<(), KnobError> {
        let mut board = self.lock();
        if board.wanted.remove(id).is_none() {
            return Ok(());
        }
        board.restore(id)
    }

    /// Makes `wanted` the whole of what is wanted: sets what is in it and unsets the rest.
    ///
    /// What cannot be done is left out, each with its reason; but it is remembered, because another program
    /// may have such a variable.
    pub fn replace(&self, wanted: BTreeMap<String, f64>) -> Vec<KnobError> {
        let mut board = self.lock();
        let before = std::mem::replace(&mut board.wanted, wanted);
        let mut problems = Vec::new();
        for id in before.into_keys() {
            if !board.wanted.contains_key(&id) {
                problems.extend(board.restore(&id).err());
            }
        }
        let Board { wanted, playing } = &mut *board;
        for (id, number) in &*wanted {
            let sent = check_finite(id, *number).and_then(|()| match playing {
                Some(playing) => poke(&playing.map, id, *number).and_then(|poke| playing.send(id, poke)),
                None => Ok(()),
            });
            problems.extend(sent.err());
        }
        wanted.retain(|_, number| number.is_finite());
        problems
    }

    /// What is wanted now, by variable.
    #[must_use]
    pub fn wanted(&self) -> BTreeMap<String, f64> {
        self.lock().wanted.clone()
    }

    /// Connects a program that is about to play: its receiver has every wanted value in it already, and
    /// later ones follow. The one connected before hears no more.
    ///
    /// Answers with what this program has no place for.
    pub fn connect(&self, map: Arc<MemoryMap>) -> (KnobReceiver, Vec<KnobError>) {
        let mut board = self.lock();
        let (pokes, receiver) = RingBuffer::new(ROOM + board.wanted.len());
        let mut playing = Playing { map, pokes };
        let mut problems = Vec::new();
        for (id, number) in &board.wanted {
            let sent = poke(&playing.map, id, *number).and_then(|poke| playing.send(id, poke));
            problems.extend(sent.err());
        }
        board.playing = Some(playing);
        (KnobReceiver(receiver), problems)
    }

    // Nothing foreign runs under this lock, and each change under it is complete before the next.
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn restore(&mut self, id: &str) -> Result<(), KnobError> {
        let Some(playing) = &mut self.playing else { return Ok(()) };
        // A knob that no variable goes with was reported when it was set.
        let Ok(variable) = knob(&playing.map, id) else { return Ok(()) };
        let poke = Poke::new(variable, variable.element.value_of(default_of(variable)));
        playing.send(id, poke)
    }
}

impl Playing {
    fn send(&mut self, id: &str, poke: Poke) -> Result<(), KnobError> {
        // Nobody at the other end: it will get the value when it connects.
        if self.pokes.is_abandoned() || self.pokes.push(poke).is_ok() {
            return Ok(());
        }
        Err(KnobError::Busy { id: id.to_owned() })
    }
}

/// The audio half of the knobs.
pub struct KnobReceiver(Consumer<Poke>);

impl KnobReceiver {
    /// Writes all changes that have come since the last time. To be called between two blocks.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, takes no lock; bounded by the ring's size.
    pub fn apply(&mut self, memories: &mut (impl Memories + ?Sized)) {
        for _ in 0..self.0.slots() {
            let Ok(poke) = self.0.pop() else { return };
            poke.apply(memories);
        }
    }

    /// Whether a change is waiting.
    ///
    /// # Realtime
    ///
    /// One atomic read.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.0.is_empty()
    }
}

/// A knob cannot be set.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KnobError {
    /// The program has no such variable.
    #[error(transparent)]
    Unknown(#[from] UnknownVariable),
    /// It has one, but not a single number.
    #[error("`{id}` is {what}, and only single numbers can be set")]
    NotANumber {
        /// The variable.
        id: String,
        /// What it is.
        what: &'static str,
    },
    /// The variable's type has no such number.
    #[error("`{id}` {problem}")]
    Number {
        /// The variable.
        id: String,
        /// What is wrong with the number.
        problem: NumberError,
    },
    /// The program has not taken up earlier changes yet. Try again when it plays.
    #[error("`{id}` cannot be changed now: too many changes wait for the program to play")]
    Busy {
        /// The variable.
        id: String,
    },
}

impl KnobError {
    /// The knob that cannot be set.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Unknown(unknown) => &unknown.id,
            Self::NotANumber { id, .. } | Self::Number { id, .. } | Self::Busy { id } => id,
        }
    }
}

fn poke(map: &MemoryMap, id: &str, number: f64) -> Result<Poke, KnobError> {
    let variable = knob(map, id)?;
    let value = variable.element.exactly(number);
    Ok(Poke::new(variable, value.map_err(|problem| KnobError::Number { id: id.to_owned(), problem })?))
}

fn knob<'a>(map: &'a MemoryMap, id: &str) -> Result<&'a Variable, KnobError> {
    let variable = map.variable(id)?;
    let what = match (variable.elements, variable.pointer) {
        (_, true) => "a pointer",
        (1, false) => return Ok(variable),
        (_, false) => "an array",
    };
    Err(KnobError::NotANumber { id: id.to_owned(), what })
}

fn check_finite(id: &str, number: f64) -> Result<(), KnobError> {
    let problem = NumberError::NotFinite { number };
    if number.is_finite() { Ok(()) } else { Err(KnobError::Number { id: id.to_owned(), problem }) }
}

/// What the map says the variable starts with; the compiler leaves out what is 0.
fn default_of(variable: &Variable) -> f64 {
    match &variable.default {
        Some(Initial::One(number)) => *number,
        Some(Initial::Elements(elements)) => elements.first().map_or(0.0, |(_, number)| *number),
        None => 0.0,
    }
}

impl fmt::Debug for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Knobs").field(&self.wanted()).finish()
    }
}

impl fmt::Debug for KnobReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnobReceiver").finish_non_exhaustive()
    }
}
