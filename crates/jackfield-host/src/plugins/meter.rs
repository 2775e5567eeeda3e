//! Measures what is played.

use std::time::Duration;

use jackfield::prelude::*;
use jackfield_engines::{ENGINES, TapeReader};

/// How often it measures: often enough for the eye, seldom enough to cost nothing.
const PERIOD: Duration = Duration::from_millis(100);

/// The plugin `meter`: emits [`Levels`] on the session's bus.
#[derive(Debug)]
pub(crate) struct Meter;

/// How loud a stretch of sound was, per channel. Stretches can be joined.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Levels {
    frames: u64,
    peaks: Vec<f32>,
    squares: Vec<f64>,
}

impl Plugin for Meter {
    fn manifest(&self) -> Manifest {
        Manifest::new("meter").about("measures what is played").depends_on("engine-manager")
    }

    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let mut tape = cx.resolve(ENGINES)?.console().tape();
        tape.skip_to_now();
        let bus = cx.bus().clone();
        cx.spawn(async move {
            let mut period = tokio::time::interval(PERIOD);
            let mut samples = vec![0.0; 4096 * tape.channels()];
            loop {
                period.tick().await;
                let levels = Levels::of_new(&mut tape, &mut samples);
                if levels.frames > 0 {
                    bus.emit_sync(levels).ok(); // what a listener does wrong is its own business
                }
            }
        });
        Ok(())
    }
}

impl Levels {
    /// Those of everything that `tape` has got since the last time.
    fn of_new(tape: &mut TapeReader, samples: &mut [f32]) -> Self {
        let mut levels = Self::default();
        loop {
            let frames = tape.read(samples).frames;
            if frames == 0 {
                return levels;
            }
            levels.join(&Self::of(&samples[..frames * tape.channels()], tape.channels()));
        }
    }

    /// Those of interleaved samples.
    pub(crate) fn of(samples: &[f32], channels: usize) -> Self {
        let mut levels = Self { frames: 0, peaks: vec![0.0; channels], squares: vec![0.0; channels] };
        for frame in samples.chunks_exact(channels) {
            levels.frames += 1;
            for (channel, sample) in frame.iter().enumerate() {
                levels.peaks[channel] = levels.peaks[channel].max(sample.abs());
                levels.squares[channel] += f64::from(*sample).powi(2);
            }
        }
        levels
    }

    /// Those of this stretch and `other` together.
    pub(crate) fn join(&mut self, other: &Self) {
        let channels = self.peaks.len().max(other.peaks.len());
        self.peaks.resize(channels, 0.0);
        self.squares.resize(channels, 0.0);
        self.frames += other.frames;
        for (peak, other) in self.peaks.iter_mut().zip(&other.peaks) {
            *peak = peak.max(*other);
        }
        for (squares, other) in self.squares.iter_mut().zip(&other.squares) {
            *squares += other;
        }
    }

    /// Peak and RMS of each channel.
    pub(crate) fn channels(&self) -> impl Iterator<Item = (f64, f64)> {
        let frames = self.frames.max(1) as f64;
        self.peaks
            .iter()
            .zip(&self.squares)
            .map(move |(peak, squares)| (f64::from(*peak), (squares / frames).sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::Levels;

    #[test]
    fn joined_stretches_are_as_loud_as_the_whole() {
        let samples = [0.5, -0.25, -1.0, 0.25, 0.0, 0.25];
        let mut joined = Levels::of(&samples[..2], 2);
        joined.join(&Levels::of(&samples[2..], 2));
        assert_eq!(joined, Levels::of(&samples, 2));
        let rms = (1.25_f64 / 3.0).sqrt();
        assert_eq!(joined.channels().collect::<Vec<_>>(), [(1.0, rms), (0.25, 0.25)]);
    }
}
