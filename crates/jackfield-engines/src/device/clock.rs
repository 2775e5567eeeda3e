//! Time for the threads that keep it, and time by hand for tests.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tells the time and waits for it. Time counts from the clock's own beginning and never goes back.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Duration;

    /// Waits until `deadline`, or until `stop` is set; says whether to go on.
    fn wait_until(&self, deadline: Duration, stop: &Stop) -> bool;
}

/// Tells a thread to end, and wakes it for that. A handle: clones are the same.
#[derive(Clone, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Nobody has been told.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells it.
    pub fn set(&self) {
        *self.lock() = true;
        self.0.1.notify_all();
    }

    /// Whether it was told.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.lock()
    }

    /// Waits for at most `time`; says whether to go on.
    #[must_use]
    pub fn wait(&self, time: Duration) -> bool {
        let waited = self.0.1.wait_timeout_while(self.lock(), time, |stop| !*stop);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits while `pending` says so; says whether to go on.
    fn wait_while(&self, mut pending: impl FnMut() -> bool) -> bool {
        let waited = self.0.1.wait_while(self.lock(), |stop| !*stop && pending());
        !*waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets whoever waits look again.
    fn ring(&self) {
        // The lock orders this after the look that preceded the wait.
        drop(self.lock());
        self.0.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.is_set()).finish()
    }
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait_until(&self, deadline: Duration, stop: &Stop) -> bool {
        stop.wait(deadline.saturating_sub(self.now()))
    }
}

/// A clock that stands still until it is moved, for one waiting thread. A handle: clones are the same clock.
#[derive(Clone, Default)]
pub struct ManualClock(Arc<Hands>);

#[derive(Default)]
struct Hands {
    state: Mutex<HandsState>,
    idle: Condvar,
}

#[derive(Default)]
struct HandsState {
    now: Duration,
    /// Who waits, and for what.
    waiting: Option<(Stop, Duration)>,
}

impl ManualClock {
    /// A clock at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock on and returns when the thread that it drives has done all that was due and waits for
    /// something later. Blocks while there is no such thread.
    pub fn advance(&self, time: Duration) {
        let waiter = {
            let mut state = self.wait_for_idle();
            state.now += time;
            state.waiting.clone()
        };
        if let Some((stop, _)) = waiter {
            stop.ring();
        }
        drop(self.wait_for_idle());
    }

    /// Waits until somebody waits for a time to come.
    fn wait_for_idle(&self) -> MutexGuard<'_, HandsState> {
        let busy =
            |state: &mut HandsState| state.waiting.as_ref().is_none_or(|(_, until)| *until <= state.now);
        self.0.idle.wait_while(self.lock(), busy).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HandsState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn wait_until(&self, deadline: Duration, stop: &Stop) -> bool {
        self.lock().waiting = Some((stop.clone(), deadline));
        self.0.idle.notify_all();
        let goes_on = stop.wait_while(|| self.now() < deadline);
        self.lock().waiting = None;
        goes_on
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}
