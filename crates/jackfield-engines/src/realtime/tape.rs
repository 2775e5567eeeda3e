//! The last seconds of what was played, for whoever wants to look: meter, recorder, scope.
//!
//! One writer, which never waits; any number of readers, which find out when they were too slow. Two
//! counters make that safe without a lock: frames *claimed* (about to be overwritten) and frames
//! *committed* (readable). A reader copies first and asks afterwards whether the writer had claimed any of
//! what it copied.

use super::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::fmt;
use std::sync::Arc;

/// Makes a tape that holds the last `frames` frames (at least one) of `channels` interleaved channels.
///
/// Costs four bytes a sample, all taken here. The memory goes when the writer and the last reader have gone.
///
/// # Panics
///
/// When `channels` is 0.
#[must_use]
pub fn tape(channels: usize, frames: usize) -> (TapeWriter, TapeReader) {
    assert!(channels > 0, "a tape has at least one channel");
    let frames = frames.max(1);
    let ring = Arc::new(Ring {
        channels,
        frames,
        cells: (0..frames * channels).map(|_| AtomicU32::new(0)).collect(),
        claimed: AtomicU64::new(0),
        committed: AtomicU64::new(0),
    });
    (TapeWriter { ring: Arc::clone(&ring), end: 0 }, TapeReader { ring, at: 0 })
}

struct Ring {
    channels: usize,
    frames: usize,
    cells: Box<[AtomicU32]>,
    claimed: AtomicU64,
    committed: AtomicU64,
}

impl Ring {
    /// The cells of the frames from `from` on, frame by frame: those up to the ring's end, then those from its beginning.
    fn cells_from(&self, from: u64) -> [&[AtomicU32]; 2] {
        let first = (from % self.frames as u64) as usize * self.channels;
        let (rest, until_the_end) = self.cells.split_at(first);
        [until_the_end, rest]
    }
}

/// The writing end of a tape. There is one; it moves to whoever plays.
pub struct TapeWriter {
    ring: Arc<Ring>,
    end: u64,
}

impl TapeWriter {
    /// How many channels a frame has.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.ring.channels
    }

    /// Appends interleaved samples; a last incomplete frame is left out.
    ///
    /// # Realtime
    ///
    /// Wait-free: one store a sample and two a call. Allocates nothing, takes no lock.
    pub fn write(&mut self, samples: &[f32]) {
        self.write_front(samples, self.ring.channels);
    }

    /// The same from frames of so many channels: those that the tape has no room for are left out, and what it has more
    /// of is silent.
    ///
    /// # Realtime
    ///
    /// As [`write`](Self::write).
    pub fn write_front(&mut self, samples: &[f32], channels: usize) {
        let frames = samples.len().checked_div(channels).unwrap_or(0);
        if frames == 0 {
            return;
        }
        // Of more than the ring holds only the end would survive, so only the end is written.
        let skipped = frames.saturating_sub(self.ring.frames);
        let end = self.end + frames as u64;
        self.ring.claimed.store(end, Ordering::Relaxed);
        // Pairs with the reader's fence: whoever saw one of the samples below also sees the claim above.
        fence(Ordering::Release);
        let cells = self.ring.cells_from(self.end + skipped as u64);
        let samples = &samples[skipped * channels..frames * channels];
        if channels == self.ring.channels {
            // One loop after the other, which the compiler unrolls, and not one over a chain of both.
            let [until_the_end, rest] = cells;
            let (first, second) = samples.split_at(samples.len().min(until_the_end.len()));
            for (cells, samples) in [(until_the_end, first), (rest, second)] {
                for (cell, sample) in cells.iter().zip(samples) {
                    cell.store(sample.to_bits(), Ordering::Relaxed);
                }
            }
        } else {
            let kept = |frame| (0..self.ring.channels).map(move |channel| sample(frame, channel));
            let samples = samples.chunks_exact(channels).flat_map(kept);
            for (cell, sample) in cells.into_iter().flatten().zip(samples) {
                cell.store(sample.to_bits(), Ordering::Relaxed);
            }
        }
        self.ring.committed.store(end, Ordering::Release);
        self.end = end;
    }
}

/// Channel `channel` of a frame; silence where it has none.
fn sample(frame: &[f32], channel: usize) -> f32 {
    frame.get(channel).copied().unwrap_or(0.0)
}

impl fmt::Debug for TapeWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapeWriter").field("written", &self.end).finish_non_exhaustive()
    }
}

/// What [`TapeReader::read`] found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    /// Frames put at the beginning of the buffer.
    pub frames: usize,
    /// Frames that were overwritten before this reader came for them; they lie before those it got.
    pub lost: u64,
}

/// One reader of a tape, with a place of its own. Cloning makes another one at the same place.
#[derive(Clone)]
pub struct TapeReader {
    ring: Arc<Ring>,
    at: u64,
}

impl TapeReader {
    /// How many channels a frame has.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.ring.channels
    }

    /// How many frames the tape holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.frames
    }

    /// Frames written since the tape was made.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.ring.committed.load(Ordering::Acquire)
    }

    /// Skips everything written so far: the next [`read`](Self::read) begins with what comes now.
    pub fn skip_to_now(&mut self) {
        self.at = self.written();
    }

    /// Takes the next frames, as many as are there and fit, and says how many were missed.
    ///
    /// Nothing new is `Read { frames: 0, lost: 0 }`. Never waits for the writer, and never holds it up.
    pub fn read(&mut self, into: &mut [f32]) -> Read {
        let committed = self.written();
        let start = self.at.max(committed.saturating_sub(self.ring.frames as u64));
        let room = into.len() / self.ring.channels;
        let frames = usize::try_from(committed - start).unwrap_or(usize::MAX).min(room);
        let kept = self.copy(start, frames, into);
        let end = start + frames as u64;
        let lost = end - self.at - kept as u64;
        self.at = end;
        Read { frames: kept, lost }
    }

    /// Copies the newest frames, oldest first, without moving this reader's place; answers how many.
    ///
    /// Fewer than fit when fewer were written, or when the writer overtook the copy.
    pub fn latest(&self, into: &mut [f32]) -> usize {
        let committed = self.written();
        let room = (into.len() / self.ring.channels).min(self.ring.frames);
        let frames = usize::try_from(committed).unwrap_or(usize::MAX).min(room);
        self.copy(committed - frames as u64, frames, into)
    }

    /// Copies `frames` frames from `start` on, drops those at the front that the writer had claimed
    /// meanwhile, and answers how many are left, at the beginning of `into`.
    fn copy(&self, start: u64, frames: usize, into: &mut [f32]) -> usize {
        let channels = self.ring.channels;
        let into = &mut into[..frames * channels];
        for (sample, cell) in into.iter_mut().zip(self.ring.cells_from(start).into_iter().flatten()) {
            *sample = f32::from_bits(cell.load(Ordering::Relaxed));
        }
        fence(Ordering::Acquire);
        let claimed = self.ring.claimed.load(Ordering::Relaxed);
        let oldest = claimed.saturating_sub(self.ring.frames as u64);
        let torn = usize::try_from(oldest.saturating_sub(start)).unwrap_or(usize::MAX).min(frames);
        into.copy_within(torn * channels.., 0);
        frames - torn
    }
}

impl fmt::Debug for TapeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapeReader").field("at", &self.at).finish_non_exhaustive()
    }
}
