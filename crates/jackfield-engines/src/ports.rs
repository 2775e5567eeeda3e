//! Where MIDI goes to and comes from: the machine's ports, a pair of our own, nowhere, and a file.

mod choice;
mod file;
#[cfg(feature = "midir")]
mod midir;
mod null;
mod patchbay;
mod plugs;
mod recorder;
mod traffic;
mod virtual_pair;
mod listener;

#[cfg(feature = "midir")]
pub use self::midir::MidirDevice;
pub(crate) use self::{
    choice::Chosen,
    listener::listen,
    patchbay::{LOOK_EVERY, Patchbay},
    plugs::Plugs,
};
pub use self::{
    choice::{PortChoice, PortName},
    null::NullMidi,
    recorder::MidiRecorder,
    traffic::{MidiTraffic, Traffic},
    virtual_pair::VirtualMidi,
};

use crate::midi::MidiMessage;
use std::error::Error;
use std::fmt;

/// Something with MIDI ports. Asked and connected on a thread that may wait; only [`MidiOutput::send`] is called by
/// the one that ticks.
pub trait MidiDevice: Send + Sync {
    /// Its name, for people.
    fn name(&self) -> String;

    /// The names of the outputs that are there now, each of them once, in the device's order.
    ///
    /// # Errors
    ///
    /// When it cannot be asked. That is no reason to give up: it is asked again.
    fn outputs(&self) -> Result<Vec<String>, MidiError>;

    /// The names of the inputs that are there now, each of them once, in the device's order.
    ///
    /// # Errors
    ///
    /// When it cannot be asked. That is no reason to give up: it is asked again.
    fn inputs(&self) -> Result<Vec<String>, MidiError>;

    /// Connects the output of this name.
    ///
    /// # Errors
    ///
    /// When it is not there any more, or not free.
    fn connect_output(&self, name: &str) -> Result<Box<dyn MidiOutput>, MidiError>;

    /// Connects the input of this name. `heard` is called with the bytes of every message, on a thread of the
    /// device's own; it does not wait.
    ///
    /// # Errors
    ///
    /// When it is not there any more, or not free.
    fn connect_input(&self, name: &str, heard: Heard) -> Result<Box<dyn MidiInput>, MidiError>;
}

/// What is called with the bytes of a message that came in.
pub type Heard = Box<dyn FnMut(&[u8]) + Send>;

/// A connected output. Dropping it disconnects it.
pub trait MidiOutput: Send {
    /// Sends a message, at once.
    ///
    /// # Errors
    ///
    /// When it cannot be sent, because the port has gone for instance; the output is of no use any more then.
    fn send(&mut self, message: &MidiMessage) -> Result<(), MidiError>;
}

/// A connected input. Dropping it disconnects it; what is being heard is heard to its end.
pub trait MidiInput: Send {}

const _: Option<&dyn MidiDevice> = None;
const _: Option<&dyn MidiOutput> = None;
const _: Option<&dyn MidiInput> = None;

/// MIDI cannot be sent or heard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MidiError {
    /// There is no such port, or it has gone. Plugging it in helps.
    #[error("MIDI port `{port}` is not there")]
    NotThere {
        /// The port.
        port: String,
    },
    /// Anything else.
    #[error("MIDI on `{device}` failed")]
    Failed {
        /// The device or port.
        device: String,
        /// What the machine says.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Debug for dyn MidiDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MidiDevice").field(&self.name()).finish()
    }
}

impl fmt::Debug for dyn MidiOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MidiOutput").finish_non_exhaustive()
    }
}

impl fmt::Debug for dyn MidiInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MidiInput").finish_non_exhaustive()
    }
}
