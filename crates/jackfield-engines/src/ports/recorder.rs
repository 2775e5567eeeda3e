use crate::{device::Clock, midi::PortMessage, ports::file::Piece};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// More than a day of the densest music. A file counts the bytes of a track in 32 bits.
const MOST_BYTES: usize = 1 << 30;

/// Keeps what is sent, and writes it as a standard MIDI file: type 1, one track for each port, 120 quarter notes in a
/// minute, times to the millisecond. It begins with the first engine that sends, and goes on through others.
///
/// A handle: clones are the same recorder. What it keeps takes four to six bytes a message.
#[derive(Clone)]
pub struct MidiRecorder {
    path: Arc<Path>,
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    begun: Option<Duration>,
    piece: Piece,
    messages: u64,
    /// How many messages were in the file when it was written last; `None` before.
    saved: Option<u64>,
    full: bool,
}

impl MidiRecorder {
    /// A recorder for this file, by this clock. Touches nothing before it is [saved](Self::save).
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { path: path.into().into(), clock, state: Arc::default() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Time counts from here, unless it has begun already.
    pub(crate) fn begin(&self) {
        let now = self.clock.now();
        self.lock().begun.get_or_insert(now);
    }

    /// Adds a message, now.
    pub(super) fn note(&self, sent: PortMessage) {
        let now = self.clock.now();
        let mut state = self.lock();
        let begun = *state.begun.get_or_insert(now);
        if state.piece.size() < MOST_BYTES {
            state.piece.add(now.saturating_sub(begun), sent);
            state.messages += 1;
        } else if !state.full {
            state.full = true;
            tracing::warn!(target: "jackfield::engine", "{} is full; what is sent now is not in it", self.path.display());
        }
    }

    /// Writes the file, whole, unless all is in it already. Engines do that when they stop, and every minute before.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; what there is stays, and the next attempt writes it.
    pub fn save(&self) -> io::Result<()> {
        let (file, messages) = {
            let state = self.lock();
            if state.saved == Some(state.messages) {
                return Ok(());
            }
            (state.piece.file(), state.messages)
        };
        // Not under the lock: whoever sends does not wait for a disk.
        fs::write(&*self.path, file)?;
        self.lock().saved = Some(messages);
        Ok(())
    }

    /// How many messages it has kept.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.lock().messages
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MidiRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MidiRecorder").field("path", &self.path).finish_non_exhaustive()
    }
}
