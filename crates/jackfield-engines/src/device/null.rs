//! A device that plays to nobody, in time.

use crate::device::paced::{Paced, Sink, Tempo};
use crate::device::{Clock, Device, DeviceError, Stream, StreamSetup, SystemClock};
use std::fmt;
use std::sync::Arc;

/// Plays at the right speed and throws it away. For machines without a sound card; a program, its meters and
/// its recorder do not notice.
///
/// Its thread is locked to the moment it started: being late once does not make it late for ever. After a pause
/// of the machine a tenth of a second is made up for, and the rest left out and counted as late.
#[derive(Clone)]
pub struct NullDevice(Arc<dyn Clock>);

impl NullDevice {
    /// One that follows the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock::new()))
    }

    /// One that follows another clock.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }
}

impl Default for NullDevice {
    fn default() -> Self {
        Self::new()
    }
}

impl Device for NullDevice {
    fn name(&self) -> String {
        "null device, keeping time".to_owned()
    }

    fn open(&self, setup: StreamSetup) -> Result<Box<dyn Stream>, DeviceError> {
        let stream = Paced::open(self.name(), Tempo::Clock(Arc::clone(&self.0)), setup, Box::new(Nowhere))?;
        Ok(Box::new(stream))
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: &[f32]) -> Result<(), DeviceError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        Ok(())
    }
}

impl fmt::Debug for NullDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NullDevice").finish_non_exhaustive()
    }
}
