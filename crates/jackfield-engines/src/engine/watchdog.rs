//! Ends a program's call that does not return, from a thread of its own.

use crate::device::{Clock, Stop, SystemClock};
use crate::instance::Interrupt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Looks every quarter of the limit whether a call has lasted longer, and ends it.
///
/// Dropping it leaves it to itself: it watches for as long as there is an instance, because whoever runs that may be
/// in the middle of a call.
#[derive(Debug)]
pub struct Watchdog {
    watched: Watched,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

/// The instances that may be in a call.
#[derive(Clone, Debug, Default)]
struct Watched(Arc<Mutex<Vec<(Interrupt, Watch)>>>);

impl Watchdog {
    /// Watches an instance. `look` is called at every turn too, and a last time at the end.
    ///
    /// # Errors
    ///
    /// When the machine has no thread to spare.
    pub fn start(
        interrupt: Interrupt,
        limit: Duration,
        mut look: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, watched) = (Stop::new(), Watched::default());
        watched.add(interrupt);
        let (stopped, watching) = (stop.clone(), watched.clone());
        let watch = move || {
            let clock = SystemClock::new();
            while stopped.wait(limit / 4) && watching.is_needed() {
                for (interrupt, call) in watching.overdue(clock.now(), limit) {
                    interrupt.interrupt_call(call);
                }
                look();
            }
            look();
        };
        let thread = Builder::new().name("jackfield-watchdog".to_owned()).spawn(watch)?;
        Ok(Self { watched, stop, thread: Some(thread) })
    }

    /// Watches another instance too. Those that are gone are forgotten.
    pub fn watch(&self, interrupt: Interrupt) {
        self.watched.add(interrupt);
    }

    /// Ends the watch and waits for its thread.
    pub fn finish(mut self) {
        self.stop.set();
        if let Some(thread) = self.thread.take() {
            // What it panicked with came out of `look`, and was printed then.
            thread.join().ok();
        }
    }
}

impl Watched {
    fn add(&self, interrupt: Interrupt) {
        self.lock().push((interrupt, Watch::default()));
    }

    /// Whether there is anybody left.
    fn is_needed(&self) -> bool {
        let mut watched = self.lock();
        watched.retain(|(interrupt, _)| !interrupt.is_over());
        !watched.is_empty()
    }

    /// The calls that have lasted too long. To end one takes time, which is not for under the lock.
    fn overdue(&self, now: Duration, limit: Duration) -> Vec<(Interrupt, u64)> {
        let mut watched = self.lock();
        let overdue = watched.iter_mut().filter_map(|(interrupt, watch)| {
            let call = watch.overdue(now, limit, interrupt.call_in_progress())?;
            Some((interrupt.clone(), call))
        });
        overdue.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Interrupt, Watch)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // Its thread finds that out by itself, but not at once.
        if !self.watched.is_needed() {
            self.stop.set();
        }
    }
}

/// Which call lasts, and since when.
#[derive(Debug, Default)]
struct Watch {
    call: Option<(u64, Duration)>,
}

impl Watch {
    /// The call in progress, if it has been seen for longer than `limit`.
    fn overdue(&mut self, now: Duration, limit: Duration, in_progress: Option<u64>) -> Option<u64> {
        match (self.call, in_progress) {
            (Some((call, since)), Some(running)) if call == running => {
                (now.saturating_sub(since) >= limit).then_some(call)
            }
            (_, running) => {
                self.call = running.map(|call| (call, now));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_call_that_lasts_is_overdue_and_a_new_one_starts_from_nothing() {
        let (mut watch, limit) = (Watch::default(), ms(100));
        assert_eq!(watch.overdue(ms(0), limit, Some(1)), None);
        assert_eq!(watch.overdue(ms(99), limit, Some(1)), None);
        assert_eq!(watch.overdue(ms(100), limit, Some(1)), Some(1));
        assert_eq!(watch.overdue(ms(150), limit, Some(2)), None);
        assert_eq!(watch.overdue(ms(200), limit, None), None);
        assert_eq!(watch.overdue(ms(900), limit, Some(3)), None);
    }
}
