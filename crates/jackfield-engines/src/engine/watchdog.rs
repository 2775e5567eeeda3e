//! Ends a program's call that does not return, from a thread of its own.

use crate::device::{Clock, Stop, SystemClock};
use crate::instance::Interrupt;
use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Looks every quarter of the limit whether a call has lasted longer, and ends it.
///
/// Dropping it leaves it to itself: it watches for as long as there is an instance, because whoever runs that may be
/// in the middle of a call.
#[derive(Debug)]
pub struct Watchdog {
    interrupt: Interrupt,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

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
        let stop = Stop::new();
        let (watched, stopped) = (interrupt.clone(), stop.clone());
        let watch = move || {
            let clock = SystemClock::new();
            let mut watch = Watch::new(limit);
            while stopped.wait(limit / 4) && !watched.is_over() {
                if let Some(call) = watch.overdue(clock.now(), watched.call_in_progress()) {
                    watched.interrupt_call(call);
                }
                look();
            }
            look();
        };
        let thread = Builder::new().name("jackfield-watchdog".to_owned()).spawn(watch)?;
        Ok(Self { interrupt, stop, thread: Some(thread) })
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

impl Drop for Watchdog {
    fn drop(&mut self) {
        // Its thread finds that out by itself, but not at once.
        if self.interrupt.is_over() {
            self.stop.set();
        }
    }
}

/// Which call lasts, and since when.
#[derive(Debug)]
struct Watch {
    limit: Duration,
    call: Option<(u64, Duration)>,
}

impl Watch {
    fn new(limit: Duration) -> Self {
        Self { limit, call: None }
    }

    /// The call in progress, if it has been seen for longer than the limit.
    fn overdue(&mut self, now: Duration, in_progress: Option<u64>) -> Option<u64> {
        match (self.call, in_progress) {
            (Some((call, since)), Some(running)) if call == running => {
                (now.saturating_sub(since) >= self.limit).then_some(call)
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
        let mut watch = Watch::new(ms(100));
        assert_eq!(watch.overdue(ms(0), Some(1)), None);
        assert_eq!(watch.overdue(ms(99), Some(1)), None);
        assert_eq!(watch.overdue(ms(100), Some(1)), Some(1));
        assert_eq!(watch.overdue(ms(150), Some(2)), None);
        assert_eq!(watch.overdue(ms(200), None), None);
        assert_eq!(watch.overdue(ms(900), Some(3)), None);
    }
}
