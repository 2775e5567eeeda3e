//! How busy the audio thread is: atomics that it writes and anybody reads.
//!
//! The device's thread measures around the callback; what is called never asks a clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How fast the average follows: a block counts one in sixty-four, about a sixth of a second at 128 frames.
const SMOOTHING: f32 = 1.0 / 64.0;

#[derive(Default)]
struct Counters {
    blocks: AtomicU64,
    overruns: AtomicU64,
    late: AtomicU64,
    last: AtomicU32,
    peak: AtomicU32,
    average: AtomicU32,
}

/// The reading side: how much of its time the audio thread uses. A clone reads the same counters.
#[derive(Clone, Default)]
pub struct LoadMeter(Arc<Counters>);

/// The writing side, for the thread that calls the callback.
///
/// Cloneable because each device in turn gets one; two that write at once spoil the average and nothing else.
#[derive(Clone)]
pub struct LoadProbe(Arc<Counters>);

/// What a [`LoadMeter`] showed at one moment. Loads are percent of the time a block lasts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Load {
    /// Device blocks played.
    pub blocks: u64,
    /// Blocks that took longer than they last.
    pub overruns: u64,
    /// Blocks that the device left out because it came too late for them.
    pub late: u64,
    /// The load of the last block.
    pub last: f32,
    /// The highest load since the meter was last reset.
    pub peak: f32,
    /// A running average over about sixty-four blocks.
    pub average: f32,
}

impl LoadMeter {
    /// A meter at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A writing side for a device.
    #[must_use]
    pub fn probe(&self) -> LoadProbe {
        LoadProbe(Arc::clone(&self.0))
    }

    /// What the counters say now. Six atomic reads, not one snapshot: they may be a block apart.
    #[must_use]
    pub fn read(&self) -> Load {
        let percent = |bits: &AtomicU32| f32::from_bits(bits.load(Ordering::Relaxed));
        Load {
            blocks: self.0.blocks.load(Ordering::Relaxed),
            overruns: self.0.overruns.load(Ordering::Relaxed),
            late: self.0.late.load(Ordering::Relaxed),
            last: percent(&self.0.last),
            peak: percent(&self.0.peak),
            average: percent(&self.0.average),
        }
    }

    /// Lets the peak start again from zero.
    pub fn reset_peak(&self) {
        self.0.peak.store(0, Ordering::Relaxed);
    }
}

impl LoadProbe {
    /// Notes that a block which lasts `budget` took `busy` to make. A budget of zero counts as no load.
    ///
    /// # Realtime
    ///
    /// Wait-free: a handful of relaxed atomics.
    pub fn record(&self, busy: Duration, budget: Duration) {
        let load =
            if budget.is_zero() { 0.0 } else { (busy.as_secs_f64() / budget.as_secs_f64() * 100.0) as f32 };
        let blocks = self.0.blocks.load(Ordering::Relaxed);
        self.0.blocks.store(blocks + 1, Ordering::Relaxed);
        if busy > budget && !budget.is_zero() {
            self.0.overruns.fetch_add(1, Ordering::Relaxed);
        }
        let average = f32::from_bits(self.0.average.load(Ordering::Relaxed));
        let average = if blocks == 0 { load } else { average + (load - average) * SMOOTHING };
        self.0.last.store(load.to_bits(), Ordering::Relaxed);
        self.0.average.store(average.to_bits(), Ordering::Relaxed);
        // Loads are not negative, so their bits order as they do.
        self.0.peak.fetch_max(load.to_bits(), Ordering::Relaxed);
    }

    /// Notes that the device came too late for `blocks` blocks and left them out.
    ///
    /// # Realtime
    ///
    /// Wait-free.
    pub fn late(&self, blocks: u64) {
        self.0.late.fetch_add(blocks, Ordering::Relaxed);
    }
}

impl fmt::Debug for LoadMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoadMeter").field(&self.read()).finish()
    }
}

impl fmt::Debug for LoadProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadProbe").finish_non_exhaustive()
    }
}
