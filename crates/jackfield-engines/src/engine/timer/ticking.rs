//! A program that ticks, and how well it keeps time. What time it is comes from outside.

use crate::console::Console;
use crate::engine::timer::catch_up::Policy;
use crate::events::{EngineEvent, EventDispatcher, TimerStats};
use crate::id::EngineId;
use crate::instance::{Instance, Trap};
use crate::memory::Carry;
use crate::project::MidiSettings;
use crate::realtime::{Controls, LoadProbe, Rate, Ticker};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// How often the statistics are told.
const REPORT: Duration = Duration::from_secs(10);

/// What an engine does around the ticks of a program, on the thread that runs them. Dropped there too, at the end.
pub(in crate::engine) trait Duty: Send {
    /// Before a tick. A trap is one of the program's.
    fn before(&mut self, instance: &mut Instance) -> Result<(), Trap>;

    /// After a tick that went well.
    fn after(&mut self, instance: &Instance);

    /// After the last tick, when the program broke.
    fn broken(&mut self);

    /// Another program has taken over, and begins with these settings.
    fn take_over(&mut self, instance: &Instance, settings: &MidiSettings);
}

/// A program that is to take over between two ticks.
pub(super) struct Incoming {
    pub(super) instance: Instance,
    pub(super) controls: Controls,
    pub(super) carry: Carry,
    pub(super) project: String,
    /// For the duty, if there is one.
    pub(super) midi: Option<MidiSettings>,
}

/// A program that ticks.
pub(super) struct Ticking {
    pub(super) id: EngineId,
    pub(super) instance: Instance,
    pub(super) controls: Controls,
    /// Programs that are to take over.
    pub(super) incoming: Receiver<Incoming>,
    pub(super) load: LoadProbe,
    pub(super) console: Console,
    pub(super) events: EventDispatcher,
    pub(super) faulted: Arc<AtomicBool>,
    pub(super) pulse: Pulse,
    pub(super) catch_up: Policy,
    pub(super) duty: Option<Box<dyn Duty>>,
}

impl Ticking {
    /// When the next tick is due.
    pub(super) fn next(&self) -> Duration {
        self.pulse.ticker.next()
    }

    /// How many ticks are to be run now. Those that are too long overdue are left out.
    pub(super) fn due(&mut self, now: Duration) -> u64 {
        let ticker = &mut self.pulse.ticker;
        // Asked only where it matters.
        if ticker.is_behind(now) {
            ticker.set_catch_up((self.catch_up)().most(ticker.rate()));
        }
        let due = ticker.due(now);
        self.pulse.skipped += due.skipped;
        self.load.late(due.skipped);
        due.ticks
    }

    /// Runs one tick; says whether there may be more.
    pub(super) fn tick(&mut self, now: impl Fn() -> Duration) -> bool {
        let begun = now();
        while let Ok(incoming) = self.incoming.try_recv() {
            self.take_over(incoming);
        }
        if let Err(trap) = self.run() {
            if let Some(duty) = &mut self.duty {
                duty.broken();
            }
            tracing::error!(target: "jackfield::engine", "The program broke, and ticks no more: {trap}");
            self.faulted.store(true, Ordering::Release);
            let reason = trap.to_string();
            self.events.dispatch(EngineEvent::Faulted { engine: self.id.clone(), reason: reason.clone() });
            self.console.set_fault(Some(reason));
            return false;
        }
        if let Some(duty) = &mut self.duty {
            duty.after(&self.instance);
        }
        self.controls.after(&self.instance);
        let ended = now();
        self.load.record(ended.saturating_sub(begun), self.pulse.ticker.rate().period());
        self.pulse.ticked(begun, ended);
        if let Some(stats) = self.pulse.report(ended) {
            self.events.dispatch(EngineEvent::Stats { engine: self.id.clone(), stats });
        }
        true
    }
}

impl Ticking {
    /// Goes on with another program and the values that both have.
    fn take_over(&mut self, incoming: Incoming) {
        let Incoming { mut instance, controls, carry, project, midi } = incoming;
        carry.apply(&self.instance, &mut instance);
        (self.instance, self.controls) = (instance, controls);
        if let (Some(duty), Some(settings)) = (&mut self.duty, midi) {
            duty.take_over(&self.instance, &settings);
        }
        let carried = carry.report().clone();
        tracing::info!(target: "jackfield::engine", "`{project}` has taken over: {carried}");
        let engine = self.id.clone();
        self.events.dispatch(EngineEvent::Swapped { engine, project, carried, seam: None });
    }

    fn run(&mut self) -> Result<(), Trap> {
        self.controls.before(&mut self.instance)?;
        if let Some(duty) = &mut self.duty {
            duty.before(&mut self.instance)?;
        }
        self.instance.cycle()
    }
}

/// The ticks' times. E.1 is the source of what the figures mean.
#[derive(Debug)]
pub(super) struct Pulse {
    ticker: Ticker,
    started: Duration,
    previous: Duration,
    reported: Duration,
    loop_time: Duration,
    drift_ms: f64,
    ticks: u64,
    skipped: u64,
}

impl Pulse {
    pub(super) fn new(rate: Rate, start: Duration) -> Self {
        Self {
            ticker: Ticker::new(rate, start, 1),
            started: start,
            previous: start,
            reported: start,
            loop_time: Duration::ZERO,
            drift_ms: 0.0,
            ticks: 0,
            skipped: 0,
        }
    }

    fn ticked(&mut self, begun: Duration, ended: Duration) {
        let interval = milliseconds(self.ticker.rate().period());
        self.drift_ms = milliseconds(begun.saturating_sub(self.started))
            - milliseconds(self.previous.saturating_sub(self.started))
            - interval;
        self.previous = begun;
        self.loop_time = ended.saturating_sub(begun);
        self.ticks += 1;
    }

    fn report(&mut self, now: Duration) -> Option<TimerStats> {
        if now.saturating_sub(self.reported) < REPORT {
            return None;
        }
        self.reported = now;
        let interval = self.ticker.rate().period();
        Some(TimerStats {
            precision_percent: 100.0 - (self.drift_ms / milliseconds(interval)).abs() * 100.0,
            loop_time: self.loop_time,
            drift_ms: self.drift_ms,
            interval,
            ticks: self.ticks,
            skipped: self.skipped,
        })
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod realtime;

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    // E.1: precision = 100 - |drift / interval| * 100, of the last tick.
    #[test]
    fn the_statistics_are_those_of_the_last_tick_every_ten_seconds() {
        let mut pulse = Pulse::new(Rate::per_second(50.0).unwrap(), ms(1000));
        pulse.ticked(ms(1020), ms(1021));
        assert_eq!(pulse.report(ms(10_999)), None);
        pulse.ticked(ms(1045), ms(1047));
        let stats = pulse.report(ms(11_000)).unwrap();
        assert!((stats.drift_ms - 5.0).abs() < 1e-9, "{stats:?}");
        assert!((stats.precision_percent - 75.0).abs() < 1e-9, "{stats:?}");
        assert_eq!((stats.loop_time, stats.interval, stats.ticks), (ms(2), ms(20), 2));
        assert_eq!(pulse.report(ms(20_999)), None);
    }
}
