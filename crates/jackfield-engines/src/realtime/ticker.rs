//! When the next tick is due, as arithmetic: time is an argument.

use std::time::Duration;

/// How often something happens: a rate per second, exact to a millionth, or every so many of its periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    micro: u64,
    every: u64,
}

/// Nanoseconds in a second, times what a rate is exact to.
const SCALE: u128 = 1_000_000_000_000_000;

impl Rate {
    /// A rate in ticks per second, when it is one: finite, above zero, at most a million.
    #[must_use]
    pub fn per_second(rate: f64) -> Option<Self> {
        let micro = (rate * 1e6).round();
        (1.0..=1e12).contains(&micro).then_some(Self { micro: micro as u64, every: 1 })
    }

    /// Once every `periods` periods (at least one): blocks of a sample rate.
    #[must_use]
    pub fn every(self, periods: u64) -> Self {
        Self { every: self.every.saturating_mul(periods.max(1)), ..self }
    }

    /// When tick `n` is due after the start, to the nanosecond. Computed from `n` itself, never added up.
    #[must_use]
    pub fn at(self, n: u64) -> Duration {
        let periods = u128::from(n) * u128::from(self.every);
        nanoseconds(periods.saturating_mul(SCALE).div_ceil(u128::from(self.micro)))
    }

    /// How many ticks lie in `elapsed`: the largest `n` with `at(n) <= elapsed`.
    #[must_use]
    pub fn within(self, elapsed: Duration) -> u64 {
        let periods = elapsed.as_nanos() * u128::from(self.micro) / SCALE;
        u64::try_from(periods / u128::from(self.every)).unwrap_or(u64::MAX)
    }

    /// From one tick to the next.
    #[must_use]
    pub fn period(self) -> Duration {
        self.at(1)
    }
}

fn nanoseconds(n: u128) -> Duration {
    Duration::new(u64::try_from(n / 1_000_000_000).unwrap_or(u64::MAX), (n % 1_000_000_000) as u32)
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// Ticks to run.
    pub ticks: u64,
    /// Ticks that are too long overdue to run, and never will.
    pub skipped: u64,
}

/// Ticks at a steady rate, locked to the moment of their start: a late tick does not move those after it.
///
/// After a long pause at most a bounded number is made up for; the rest is skipped, and said to be.
#[derive(Debug, Clone)]
pub struct Ticker {
    rate: Rate,
    start: Duration,
    done: u64,
    catch_up: u64,
}

impl Ticker {
    /// A ticker whose first tick is due one period after `start`, and which makes up for at most
    /// `catch_up` ticks at a time (at least one).
    #[must_use]
    pub fn new(rate: Rate, start: Duration, catch_up: u64) -> Self {
        Self { rate, start, done: 0, catch_up: catch_up.max(1) }
    }

    /// From now on makes up for at most so many ticks at a time (at least one).
    pub fn set_catch_up(&mut self, catch_up: u64) {
        self.catch_up = catch_up.max(1);
    }

    /// What is due at `now`. A clock that goes back is no tick.
    pub fn due(&mut self, now: Duration) -> Due {
        let all = self.rate.within(now.saturating_sub(self.start));
        let due = all.saturating_sub(self.done);
        let ticks = due.min(self.catch_up);
        self.done += due;
        Due { ticks, skipped: due - ticks }
    }

    /// Whether more than one tick is due at `now`.
    #[must_use]
    pub fn is_behind(&self, now: Duration) -> bool {
        self.rate.within(now.saturating_sub(self.start)) > self.done + 1
    }

    /// When the next tick is due.
    #[must_use]
    pub fn next(&self) -> Duration {
        self.start + self.rate.at(self.done + 1)
    }

    /// The ticker's rate.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(per_second: f64) -> Rate {
        Rate::per_second(per_second).unwrap()
    }

    // E.1: floor(1000 / 60) = 16 ms would be 62.5 Hz.
    #[test]
    fn sixty_ticks_a_second_are_sixty_after_a_second_and_216000_after_an_hour() {
        let mut ticker = Ticker::new(rate(60.0), Duration::ZERO, u64::MAX);
        assert_eq!(ticker.due(Duration::from_secs(1)).ticks, 60);
        assert_eq!(ticker.due(Duration::from_secs(3600)).ticks, 216_000 - 60);
    }

    #[test]
    fn a_late_tick_does_not_move_the_next() {
        let mut ticker = Ticker::new(rate(50.0), Duration::from_secs(7), 8);
        assert_eq!(ticker.next(), Duration::from_millis(7020));
        assert_eq!(ticker.due(Duration::from_millis(7039)), Due { ticks: 1, skipped: 0 });
        assert_eq!(ticker.next(), Duration::from_millis(7040));
    }

    #[test]
    fn after_a_long_pause_the_catching_up_is_bounded() {
        let mut ticker = Ticker::new(rate(100.0), Duration::ZERO, 4);
        assert_eq!(ticker.due(Duration::from_secs(1)), Due { ticks: 4, skipped: 96 });
        assert_eq!(ticker.due(Duration::from_millis(1010)), Due { ticks: 1, skipped: 0 });
    }

    // E.1: 0, NaN and the like are for the host to refuse.
    #[test]
    fn what_is_no_rate_is_refused() {
        for bad in [0.0, -1.0, 1e-7, f64::NAN, f64::INFINITY, 2e6] {
            assert_eq!(Rate::per_second(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn however_often_one_asks_no_tick_is_lost_or_doubled(
            per_second in 0.5f64..5000.0,
            steps in prop::collection::vec(0u64..50_000_000, 1..100),
        ) {
            let rate = rate(per_second);
            let mut ticker = Ticker::new(rate, Duration::ZERO, u64::MAX);
            let (mut now, mut ticks) = (Duration::ZERO, 0);
            for step in steps {
                now += Duration::from_nanos(step);
                ticks += ticker.due(now).ticks;
                prop_assert!(rate.at(ticks) <= now);
                prop_assert!(ticker.next() > now);
            }
        }
    }
}
