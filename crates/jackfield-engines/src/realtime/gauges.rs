//! What certain variables of the program hold, and how others get to know.

use crate::memory::{Memories, MemoryMap, UnknownVariable, Value, Variable};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many variables can be looked at at the same time, in one session.
const ROOM: usize = 64;

/// The gauges of a session: for each variable that somebody looks at, what it holds now.
///
/// A handle: clones are the same gauges. They outlive programs and engines: whatever program plays is read where it has
/// such a variable. It is read after every block or tick, without anybody waiting for anybody.
#[derive(Clone, Default)]
pub struct Gauges(Arc<Mutex<Board>>);

#[derive(Default)]
struct Board {
    /// Who is looked at, and by how many.
    watched: BTreeMap<String, (usize, usize)>,
    map: Option<Arc<MemoryMap>>,
    dials: Arc<Dials>,
}

/// A place in memory and what was there last, one of them for each variable.
struct Dials {
    all: [Dial; ROOM],
    /// How many of them are in use, or have been: nobody looks at those behind.
    used: AtomicUsize,
}

#[derive(Default)]
struct Dial {
    /// What to read; 0 is nothing.
    place: AtomicU64,
    /// What was read, and that something was: a gauge that has not been read shows nothing.
    bits: AtomicU64,
    reads: AtomicU64,
}

impl Gauges {
    /// Nobody looks at anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the variable `id`, of this program and of those to come, until the gauge is dropped.
    ///
    /// # Errors
    ///
    /// When the program that plays has no such variable, it is an array, or 64 variables are looked at already.
    pub fn watch(&self, id: &str) -> Result<Gauge, GaugeError> {
        let mut board = self.lock();
        if let Some(map) = &board.map {
            single(map, id)?;
        }
        match board.watched.get_mut(id) {
            Some((_, watchers)) => *watchers += 1,
            None => {
                let is_free = |dial: &usize| board.watched.values().all(|(used, _)| used != dial);
                let dial = (0..ROOM).find(is_free).ok_or(GaugeError::TooMany { most: ROOM })?;
                board.watched.insert(id.to_owned(), (dial, 1));
                board.turn(id, dial);
            }
        }
        Ok(Gauge { gauges: self.clone(), id: id.to_owned() })
    }

    /// Connects a program that is about to play; the one connected before is read no more.
    #[must_use]
    pub fn connect(&self, map: Arc<MemoryMap>) -> GaugeReader {
        let mut board = self.lock();
        // New dials: the program before may be read for a moment longer, and must not be read in the new one's places.
        board.dials = Arc::new(Dials::default());
        board.map = Some(map);
        let watched: Vec<(String, usize)> =
            board.watched.iter().map(|(id, (dial, _))| (id.clone(), *dial)).collect();
        for (id, dial) in watched {
            board.turn(&id, dial);
        }
        GaugeReader(Arc::clone(&board.dials))
    }

    // Nothing foreign runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    /// Has a dial read the variable `id`, or nothing if this program has none.
    fn turn(&self, id: &str, dial: usize) {
        let variable = self.map.as_ref().and_then(|map| single(map, id).ok());
        self.dials.all[dial].place.store(variable.map_or(0, place_of), Ordering::Release);
        self.dials.used.fetch_max(dial + 1, Ordering::Release);
    }
}

/// Somebody who looks at one variable.
#[derive(Debug)]
#[must_use = "dropping it ends the looking"]
pub struct Gauge {
    gauges: Gauges,
    id: String,
}

impl Gauge {
    /// The variable.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it holds, as it was after the latest block or tick. `None` before the first one, and while a program plays that
    /// has no such variable. Costs a short lock and a search by name.
    #[must_use]
    pub fn read(&self) -> Option<Value> {
        let board = self.gauges.lock();
        let (dial, _) = board.watched.get(&self.id)?;
        let element = single(board.map.as_ref()?, &self.id).ok()?.element;
        let dial = &board.dials.all[*dial];
        (dial.reads.load(Ordering::Acquire) > 0)
            .then(|| element.read(&dial.bits.load(Ordering::Relaxed).to_le_bytes()))?
    }
}

impl Gauges {
    /// Follows these variables, of this program and of those to come: what they hold, at most once every `every`, and
    /// only when one of them has changed.
    ///
    /// # Errors
    ///
    /// When one of them cannot be watched.
    pub fn follow<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a str>,
        every: Duration,
    ) -> Result<Followed, GaugeError> {
        let gauges = ids.into_iter().map(|id| self.watch(id)).collect::<Result<Vec<_>, _>>()?;
        let mut turns = tokio::time::interval(every.max(Duration::from_millis(1)));
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Ok(Followed { told: None, gauges, turns })
    }
}

/// Variables that are followed. Dropping it ends that.
#[derive(Debug)]
#[must_use = "dropping it ends the following"]
pub struct Followed {
    gauges: Vec<Gauge>,
    told: Option<Vec<Option<Value>>>,
    turns: tokio::time::Interval,
}

impl Followed {
    /// What they hold, in the order in which they were asked for: at once the first time, and after that when the time has
    /// come and one of them holds something else. Each as [`Gauge::read`] has it, so they may be a block apart.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not told is told the next time.
    pub async fn changed(&mut self) -> &[Option<Value>] {
        loop {
            self.turns.tick().await;
            let now: Vec<_> = self.gauges.iter().map(Gauge::read).collect();
            let bits = |values: &[Option<Value>]| -> Vec<_> {
                values.iter().map(|value| value.map(Value::bits)).collect()
            };
            // By their bits, because what is no number is not even equal to itself.
            if self.told.as_ref().is_none_or(|told| bits(told) != bits(&now)) {
                return self.told.insert(now);
            }
        }
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        let mut board = self.gauges.lock();
        let Some((dial, watchers)) = board.watched.get_mut(&self.id) else { return };
        *watchers -= 1;
        let (dial, watchers) = (*dial, *watchers);
        if watchers == 0 {
            board.watched.remove(&self.id);
            let dial = &board.dials.all[dial];
            dial.place.store(0, Ordering::Release);
            dial.reads.store(0, Ordering::Release);
        }
    }
}

/// The audio half of the gauges.
pub struct GaugeReader(Arc<Dials>);

impl GaugeReader {
    /// Reads what somebody looks at. To be called after a block or a tick.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, takes no lock: an atomic read for each variable that was ever looked at, and a copy and two writes where one is.
    pub fn read(&self, memories: &(impl Memories + ?Sized)) {
        for dial in self.0.all.iter().take(self.0.used.load(Ordering::Acquire)) {
            let place = dial.place.load(Ordering::Acquire);
            if place == 0 {
                continue;
            }
            let (start, size) = ((place & 0xFFFF_FFFF) as usize, (place >> 32 & 0xFF) as usize);
            let (end, memory) = (start.checked_add(size), memories.bytes((place >> 40) as u32));
            let mut bytes = [0; 8];
            let Some(found) = end.zip(memory).and_then(|(end, memory)| memory.get(start..end)) else {
                continue;
            };
            let Some(into) = bytes.get_mut(..size) else { continue };
            into.copy_from_slice(found);
            dial.bits.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
            dial.reads.fetch_add(1, Ordering::Release);
        }
    }
}

/// A variable cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GaugeError {
    /// The program has no such variable.
    #[error(transparent)]
    Unknown(#[from] UnknownVariable),
    /// It has one, but an array.
    #[error("`{id}` has {elements} elements, and only single values can be watched; capture it instead")]
    Array {
        /// The variable.
        id: String,
        /// How many elements it has.
        elements: u32,
    },
    /// There is no room for another one.
    #[error("{most} variables are watched already, which is as many as can be; drop one of their gauges")]
    TooMany {
        /// How many there can be.
        most: usize,
    },
}

fn single<'a>(map: &'a MemoryMap, id: &str) -> Result<&'a Variable, GaugeError> {
    let variable = map.variable(id)?;
    match variable.elements {
        1 => Ok(variable),
        elements => Err(GaugeError::Array { id: id.to_owned(), elements }),
    }
}

/// Memory, size and address in one word, which is never 0. The memories of a program are a few.
fn place_of(variable: &Variable) -> u64 {
    let Variable { memory, byte_address, element, .. } = *variable;
    u64::from(memory) << 40 | u64::from(element.size()) << 32 | u64::from(byte_address)
}

impl Default for Dials {
    fn default() -> Self {
        Self { all: std::array::from_fn(|_| Dial::default()), used: AtomicUsize::new(0) }
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.lock().watched.keys()).finish()
    }
}

impl fmt::Debug for GaugeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GaugeReader").finish_non_exhaustive()
    }
}
