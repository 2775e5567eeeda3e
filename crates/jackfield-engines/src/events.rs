//! What engines report while they run.

use crate::id::EngineId;
use crate::memory::CarryReport;
use crate::observers::{Observers, Subscription};
use crate::realtime::Seam;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Something an engine has to say. Levels and loads are not here: they are read from the console.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EngineEvent {
    /// The engine runs its program from now on.
    Initialized {
        /// The engine.
        engine: EngineId,
        /// Frames per second for audio, ticks per second for timers.
        sample_rate: f64,
        /// Where it plays, for engines with a device.
        device: Option<String>,
    },
    /// The program trapped or did not return: silence until it is replaced.
    Faulted {
        /// The engine.
        engine: EngineId,
        /// What happened.
        reason: String,
    },
    /// A program runs again after a fault.
    Recovered {
        /// The engine.
        engine: EngineId,
    },
    /// The device cannot be had, and the engine plays on elsewhere until it can.
    Degraded {
        /// The engine.
        engine: EngineId,
        /// Where it plays now.
        device: String,
        /// Why not where it should.
        reason: String,
    },
    /// The engine plays where it should again.
    Restored {
        /// The engine.
        engine: EngineId,
        /// The device.
        device: String,
    },
    /// Another program has taken over without a pause.
    Swapped {
        /// The engine.
        engine: EngineId,
        /// The project that plays now.
        project: String,
        /// What became of the values.
        carried: CarryReport,
        /// How smooth it was; none for engines that make no sound.
        seam: Option<Seam>,
    },
    /// A timer's own statistics, every ten seconds.
    Stats {
        /// The engine.
        engine: EngineId,
        /// The figures.
        stats: TimerStats,
    },
}

/// How well a timer keeps time; the values of its last tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimerStats {
    /// 100 minus the drift in percent of the interval; may be negative.
    pub precision_percent: f64,
    /// How long the last tick took.
    pub loop_time: Duration,
    /// How much later than one interval after its predecessor the last tick started, in milliseconds; may be
    /// negative.
    pub drift_ms: f64,
    /// The exact time from tick to tick.
    pub interval: Duration,
    /// Ticks run since the engine started.
    pub ticks: u64,
    /// Ticks left out because they were too long overdue.
    pub skipped: u64,
}

/// Hands engine events to subscribers: synchronously, in order of subscription. A handle: clones are the same.
///
/// Events are for telling; what must not be missed is state, and lies in the manager's status.
#[derive(Clone)]
pub struct EventDispatcher(Observers<EngineEvent>);

impl EventDispatcher {
    /// A dispatcher without subscribers.
    #[must_use]
    pub fn new() -> Self {
        Self(Observers::new())
    }

    /// Calls every subscriber with `event`, on this thread and without a lock. A subscriber that panics is
    /// logged; the others are called.
    pub fn dispatch(&self, event: EngineEvent) {
        let event = Arc::new(event);
        self.0.call(|| Arc::clone(&event));
    }

    /// Calls `handler` for every event from now on, until the subscription is dropped.
    pub fn subscribe(&self, handler: impl Fn(&EngineEvent) + Send + Sync + 'static) -> Subscription {
        self.0.subscribe(handler)
    }
}

impl Default for EventDispatcher {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EventDispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDispatcher").finish_non_exhaustive()
    }
}
