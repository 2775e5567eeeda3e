use crate::ports::{Heard, MidiDevice, MidiError, MidiInput, MidiOutput};

/// No ports at all: what is sent is sent to nobody. For machines without MIDI.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullMidi;

impl MidiDevice for NullMidi {
    fn name(&self) -> String {
        "null port".to_owned()
    }

    fn outputs(&self) -> Result<Vec<String>, MidiError> {
        Ok(Vec::new())
    }

    fn inputs(&self) -> Result<Vec<String>, MidiError> {
        Ok(Vec::new())
    }

    fn connect_output(&self, name: &str) -> Result<Box<dyn MidiOutput>, MidiError> {
        Err(MidiError::NotThere { port: name.to_owned() })
    }

    fn connect_input(&self, name: &str, _: Heard) -> Result<Box<dyn MidiInput>, MidiError> {
        Err(MidiError::NotThere { port: name.to_owned() })
    }
}
