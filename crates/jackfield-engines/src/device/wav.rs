//! A device that writes what is played to a file.

use crate::device::paced::{Paced, Sink, Tempo};
use crate::device::{Clock, Device, DeviceError, Stream, StreamSetup};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What fits into a file whose length is written in 32 bits, its head included.
const MOST_SAMPLES: usize = (u32::MAX as usize - 1024) / size_of::<f32>();

/// How fast a file is written.
#[derive(Clone)]
pub enum Pace {
    /// In time, as if somebody listened.
    Clock(Arc<dyn Clock>),
    /// As fast as the machine can, up to so many frames.
    Frames(u64),
}

/// Writes what is played to a WAV file of 32-bit floats, exactly as it was played.
///
/// Each stream starts the file anew. It is complete when the stream has stopped; should the program be killed before,
/// all but the last second is there. It ends with an error at 4 GiB, which is as long as such a file can be: three
/// hours in stereo at 48 kHz.
#[derive(Debug, Clone)]
pub struct WavDevice {
    path: PathBuf,
    pace: Pace,
}

impl WavDevice {
    /// A device for this file. Touches nothing before it is opened.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, pace: Pace) -> Self {
        Self { path: path.into(), pace }
    }
}

impl Device for WavDevice {
    fn name(&self) -> String {
        format!("file {}", self.path.display())
    }

    /// Never: opening it anew would write over what there is.
    fn comes_back(&self) -> bool {
        false
    }

    fn open(&self, setup: StreamSetup) -> Result<Box<dyn Stream>, DeviceError> {
        let channels = setup.format.outputs;
        let spec = WavSpec {
            channels: u16::try_from(channels).map_err(|error| file_error(&self.path, error))?,
            sample_rate: setup.format.sample_rate,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let writer = WavWriter::create(&self.path, spec).map_err(|error| file_error(&self.path, error))?;
        let tempo = match &self.pace {
            Pace::Clock(clock) => Tempo::Clock(Arc::clone(clock)),
            Pace::Frames(frames) => Tempo::Frames(*frames),
        };
        let second = (setup.format.sample_rate as usize).saturating_mul(channels).max(1);
        let sink = Writing { path: self.path.clone(), writer, second, unsaved: 0, room: MOST_SAMPLES };
        Ok(Box::new(Paced::open(self.name(), tempo, setup, Box::new(sink))?))
    }
}

struct Writing {
    path: PathBuf,
    writer: WavWriter<BufWriter<File>>,
    /// Samples in a second.
    second: usize,
    /// Samples that the file's head does not know of yet.
    unsaved: usize,
    /// Samples that the file can still take.
    room: usize,
}

impl Sink for Writing {
    fn write(&mut self, samples: &[f32]) -> Result<(), DeviceError> {
        // Past its end the file's head would lie about its length.
        self.room = self.room.checked_sub(samples.len()).ok_or_else(|| {
            file_error(&self.path, "it has reached 4 GiB, and a WAV file holds no more; start another one")
        })?;
        for sample in samples {
            self.writer.write_sample(*sample).map_err(|error| file_error(&self.path, error))?;
        }
        self.unsaved += samples.len();
        if self.unsaved >= self.second {
            self.unsaved = 0;
            self.writer.flush().map_err(|error| file_error(&self.path, error))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        let Self { path, writer, .. } = *self;
        writer.finalize().map_err(|error| file_error(&path, error))
    }
}

fn file_error(path: &Path, error: impl Into<Box<dyn Error + Send + Sync>>) -> DeviceError {
    DeviceError::File { path: path.to_owned(), source: error.into() }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock(_) => f.write_str("Clock"),
            Self::Frames(frames) => f.debug_tuple("Frames").field(frames).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_full_says_so_and_stays_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full.wav");
        let spec = WavSpec {
            channels: 2,
            sample_rate: 8000,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let writer = WavWriter::create(&path, spec).unwrap();
        let mut sink = Writing { path: path.clone(), writer, second: 16_000, unsaved: 0, room: 10 };
        sink.write(&[0.5; 8]).unwrap();
        let error = sink.write(&[0.5; 8]).unwrap_err();
        assert!(matches!(&error, DeviceError::File { source, .. } if source.to_string().contains("4 GiB")));
        Box::new(sink).finish().unwrap();
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 4);
    }
}
