//! Where sound goes: sound cards, files, and nowhere at all, at the right speed.

mod channels;
mod clock;
mod thread;
#[cfg(feature = "cpal")]
mod cpal;
mod null;
mod paced;
#[cfg(any(feature = "cpal", feature = "midir"))]
mod quiet;
mod wav;

#[cfg(feature = "cpal")]
pub use self::cpal::CpalDevice;
#[cfg(any(feature = "cpal", feature = "midir"))]
pub(crate) use self::quiet::keep_complaints;
pub(crate) use self::thread::Thread;
pub use self::{
    channels::fitted,
    clock::{Clock, ManualClock, Stop, SystemClock},
    null::NullDevice,
    wav::{Pace, WavDevice},
};

use crate::realtime::LoadProbe;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;

/// What a stream is to be like. Samples are `f32`, interleaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamFormat {
    /// Frames per second.
    pub sample_rate: u32,
    /// Channels in; 0 for none.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Frames per call, if it matters; a device may choose otherwise, and vary.
    pub block: Option<usize>,
}

impl StreamFormat {
    /// Stereo out, nothing in, blocks as the device likes.
    #[must_use]
    pub fn stereo(sample_rate: u32) -> Self {
        Self { sample_rate, inputs: 0, outputs: 2, block: None }
    }

    /// The same with blocks of so many frames, where the device can.
    #[must_use]
    pub fn with_block(self, frames: usize) -> Self {
        Self { block: Some(frames), ..self }
    }

    /// The same with so many channels out.
    #[must_use]
    pub fn with_outputs(self, outputs: usize) -> Self {
        Self { outputs, ..self }
    }

    /// The same with so many channels in.
    #[must_use]
    pub fn with_inputs(self, inputs: usize) -> Self {
        Self { inputs, ..self }
    }
}

/// What a device's thread calls.
pub trait Render: Send {
    /// Called once, on the thread that will do the calling, before it is a realtime thread if it becomes one.
    fn enter(&mut self) {}

    /// Fills `output` and takes as many frames from `input`, which is empty when nothing is connected.
    ///
    /// # Realtime
    ///
    /// Must not allocate, wait, or ask a clock.
    fn render(&mut self, input: &[f32], output: &mut [f32]);
}

/// All that a device needs to open a stream.
pub struct StreamSetup {
    /// What the stream is to be like.
    pub format: StreamFormat,
    /// What plays. Dropped when the stream has ended, and at once when opening it fails.
    pub render: Box<dyn Render>,
    /// Where the device's thread notes how long playing took.
    pub load: LoadProbe,
    /// Called, never on a realtime thread, when the device goes away while it plays. Must not stop the stream itself.
    pub lost: Box<dyn FnMut(&DeviceError) + Send>,
}

/// Something that plays.
pub trait Device: Send + Sync {
    /// Its name, for people.
    fn name(&self) -> String;

    /// Whether sound comes in through it too. Without, a program finds nothing connected to its input.
    fn has_input(&self) -> bool {
        false
    }

    /// Whether it may be opened again after it was lost: whether that would destroy nothing.
    fn comes_back(&self) -> bool {
        true
    }

    /// Opens it and plays until the stream is stopped. May block for as long as the device takes.
    ///
    /// # Errors
    ///
    /// When it is not there, not free, or cannot do what is asked. One that has fewer channels, or more, plays those it
    /// has all the same, see [`fitted`].
    fn open(&self, setup: StreamSetup) -> Result<Box<dyn Stream>, DeviceError>;
}

/// A device that plays. Dropping it stops it, without waiting for the end.
pub trait Stream: Send {
    /// Stops; returns when `render` runs no more and has been dropped, and the device is free. Blocks until then,
    /// for a block or so.
    ///
    /// # Errors
    ///
    /// When what was played could not be kept, for devices that keep it.
    fn stop(self: Box<Self>) -> Result<(), DeviceError>;
}

const _: Option<&dyn Device> = None;
const _: Option<&dyn Stream> = None;
const _: Option<&dyn Render> = None;

/// A device does not play.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no such device, or it has gone. Another one, or plugging it in, helps.
    #[error("device `{device}` is not there")]
    NotThere {
        /// The device.
        device: String,
        /// What the machine says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Another program has it. Trying again later may help.
    #[error("device `{device}` is busy")]
    Busy {
        /// The device.
        device: String,
        /// What the machine says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It cannot play in this format. Another sample rate may help.
    #[error("device `{device}` cannot play {channels} channels at {sample_rate} Hz")]
    Format {
        /// The device.
        device: String,
        /// Frames per second asked for.
        sample_rate: u32,
        /// Channels asked for.
        channels: usize,
        /// What the machine says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A file cannot be written. Its path, its rights or the disk need looking after.
    #[error("`{path}` cannot be written")]
    File {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Anything else.
    #[error("device `{device}` failed")]
    Failed {
        /// The device.
        device: String,
        /// What the machine says.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Debug for StreamSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSetup").field("format", &self.format).finish_non_exhaustive()
    }
}

impl fmt::Debug for dyn Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Device").field(&self.name()).finish()
    }
}

impl fmt::Debug for dyn Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}
