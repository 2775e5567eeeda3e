//! Wakes the thread that looks after an engine's device.

use crate::device::{Clock, Stop};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What there is to know when it rings.
pub(super) enum Rung {
    /// It is the end.
    Stop,
    /// The stream of this number has lost its device, for this reason.
    Lost(u64, String),
    /// It did not ring: the time is over.
    Time,
}

/// A handle: clones are the same bell.
#[derive(Clone, Default)]
pub(super) struct Bell(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    stop: bool,
    lost: Vec<(u64, String)>,
    /// Set while there is news.
    wake: Stop,
}

impl Bell {
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stop = true;
        state.wake.set();
    }

    pub(super) fn lost(&self, stream: u64, reason: String) {
        let mut state = self.lock();
        state.lost.push((stream, reason));
        state.wake.set();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stop
    }

    /// Waits for news, or until the clock says `deadline`.
    pub(super) fn wait(&self, clock: &dyn Clock, deadline: Duration) -> Rung {
        let wake = self.lock().wake.clone();
        clock.wait_until(deadline, &wake);
        let mut state = self.lock();
        if state.stop {
            return Rung::Stop;
        }
        let lost = (!state.lost.is_empty()).then(|| state.lost.remove(0));
        if state.lost.is_empty() {
            state.wake = Stop::new();
        }
        lost.map_or(Rung::Time, |(stream, reason)| Rung::Lost(stream, reason))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
