//! How one row is measured: everybody in it by turns, in many short samples.
//!
//! What is slow about a machine (another process, a lower clock, a busy cache) is slow for a while. So all that a row
//! compares is sampled by turns, A B C A B C …, each sample a few milliseconds at most, and a ratio is the median of
//! the ratios of neighbouring samples. The process is not pinned: with few cores, that would only make it wait for
//! whoever else is there. Each sample repeats its operation until the clock's resolution does not matter.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Does something so many times and says how long that took.
pub(crate) type Sampler<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;

/// Somebody in a row.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    sampler: Sampler<'a>,
    /// How many things one operation does: figures are per thing.
    things: usize,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'static str, sampler: impl FnMut(u64) -> Duration + 'a) -> Self {
        Self { name, sampler: Box::new(sampler), things: 1 }
    }

    /// Somebody whose every operation does so many things.
    pub(crate) fn doing(self, things: usize) -> Self {
        Self { things, ..self }
    }

    /// Somebody who is measured by calling `op` again and again.
    pub(crate) fn each<T: 'a>(name: &'static str, op: impl FnMut() -> T + 'a) -> Self {
        Self::new(name, each(op))
    }
}

/// Measures `op` by calling it again and again.
pub(crate) fn each<T>(mut op: impl FnMut() -> T) -> impl FnMut(u64) -> Duration {
    move |times| {
        let start = Instant::now();
        for _ in 0..times {
            black_box(op());
        }
        start.elapsed()
    }
}

/// How long to look.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// How long one sample takes, about.
    pub(crate) sample: Duration,
    /// What all the samples of one contender may take: slow operations get fewer rounds.
    pub(crate) patience: Duration,
}

const FEWEST_ROUNDS: usize = 5;

/// A distribution of nanoseconds per thing that is done: its quartiles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * (values.len() - 1) as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Self { low: at(0.25), median: at(0.5), high: at(0.75) }
    }

    /// The same in another unit.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        Self { low: self.low * factor, median: self.median * factor, high: self.high * factor }
    }
}

/// The nanoseconds of everybody in a row, sample by sample.
pub(crate) struct Samples(Vec<Vec<f64>>);

impl Samples {
    pub(crate) fn spread(&self, contender: usize) -> Spread {
        Spread::of(self.0[contender].clone())
    }

    /// How much longer one takes than another: the median over the rounds.
    pub(crate) fn ratio(&self, of: usize, to: usize) -> f64 {
        Spread::of(self.0[of].iter().zip(&self.0[to]).map(|(of, to)| of / to).collect()).median
    }
}

/// Samples everybody by turns.
pub(crate) fn interleaved(contenders: &mut [Contender<'_>], effort: Effort) -> Samples {
    let plans: Vec<_> = contenders.iter_mut().map(|contender| Plan::of(contender, effort)).collect();
    let rounds = plans.iter().map(|plan| plan.rounds).min().unwrap_or(0);
    let mut samples = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for ((contender, plan), samples) in contenders.iter_mut().zip(&plans).zip(&mut samples) {
            let taken = (contender.sampler)(plan.times).as_nanos() as f64;
            samples.push(taken / plan.times as f64 / contender.things as f64);
        }
    }
    Samples(samples)
}

struct Plan {
    times: u64,
    rounds: usize,
}

impl Plan {
    /// Warms up, and finds out how often to repeat for a sample of the wanted length.
    fn of(contender: &mut Contender<'_>, effort: Effort) -> Self {
        let mut times = 1;
        let taken = loop {
            let taken = (contender.sampler)(times);
            if taken * 2 >= effort.sample || times > 1 << 40 {
                break taken;
            }
            times *= 2;
        };
        let one = taken.as_secs_f64() / times as f64;
        let times = (effort.sample.as_secs_f64() / one).ceil().max(1.0);
        let affordable = effort.patience.as_secs_f64() / (one * times);
        let rounds = (affordable as usize).clamp(FEWEST_ROUNDS, effort.rounds);
        Self { times: times as u64, rounds }
    }
}

/// The exponent `e` of `y = c · xᵉ` that fits best: least squares over the logarithms.
pub(crate) fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<_> = points.iter().map(|(x, y)| (x.ln(), y.max(f64::MIN_POSITIVE).ln())).collect();
    let n = logs.len() as f64;
    let (mean_x, mean_y) =
        (logs.iter().map(|p| p.0).sum::<f64>() / n, logs.iter().map(|p| p.1).sum::<f64>() / n);
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_with_the_square_has_the_exponent_two() {
        let points = [(10.0, 300.0), (100.0, 30_000.0), (1000.0, 3_000_000.0)];
        assert!((exponent(&points) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn quartiles_lie_between_the_values_that_are_there() {
        let spread = Spread::of(vec![4.0, 1.0, 2.0, 3.0]);
        assert_eq!((spread.low, spread.median, spread.high), (1.75, 2.5, 3.25));
    }

    #[test]
    fn everybody_is_sampled_by_turns() {
        let order = std::cell::RefCell::new(Vec::new());
        let sampler = |name: &'static str| {
            let order = &order;
            Contender::new(name, move |_| {
                order.borrow_mut().push(name);
                Duration::from_millis(1)
            })
        };
        let effort = Effort { rounds: 9, sample: Duration::from_millis(1), patience: Duration::from_secs(1) };
        interleaved(&mut [sampler("a"), sampler("b")], effort);
        let order = order.into_inner();
        let measured = &order[order.len() - 18..];
        assert!(measured.chunks(2).all(|round| round == ["a", "b"]));
    }
}
