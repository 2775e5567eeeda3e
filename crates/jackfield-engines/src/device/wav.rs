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
/// Each stream starts the file anew. It is complete when the stream has stopped.
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
        let sink = Writing { path: self.path.clone(), writer };
        Ok(Box::new(Paced::open(self.name(), tempo, setup, Box::new(sink))?))
    }
}

struct Writing {
    path: PathBuf,
    writer: WavWriter<BufWriter<File>>,
}

impl Sink for Writing {
    fn write(&mut self, samples: &[f32]) -> Result<(), DeviceError> {
        for sample in samples {
            self.writer.write_sample(*sample).map_err(|error| file_error(&self.path, error))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        let Self { path, writer } = *self;
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
