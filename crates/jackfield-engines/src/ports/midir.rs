use crate::{
    device::keep_complaints,
    midi::MidiMessage,
    ports::{Heard, MidiDevice, MidiError, MidiInput, MidiOutput},
};
use midir::{Ignore, MidiIO, MidiInputConnection, MidiOutputConnection};
use std::{error::Error, fmt, process};

/// The machine's MIDI ports. Where there are none, and no system for them either, it has none and says why.
#[derive(Clone)]
pub struct MidirDevice {
    /// By which other programs see us, and we ourselves, to leave ourselves out.
    client: String,
}

impl MidirDevice {
    /// All ports of the machine.
    #[must_use]
    pub fn new() -> Self {
        Self { client: format!("jackfield-{}", process::id()) }
    }

    /// All ports but our own, each by a name of its own. A cable from the machine to itself comes last: port 1 is to
    /// be an instrument, if there is one.
    fn all<T: MidiIO>(&self, io: &T) -> Vec<(String, T::Port)> {
        let mut all: Vec<(String, T::Port)> = Vec::new();
        for port in io.ports() {
            let Ok(name) = io.port_name(&port) else { continue };
            if name.starts_with(&self.client) {
                continue;
            }
            let alike = all.iter().filter(|(before, _)| before.starts_with(&name)).count();
            all.push((if alike == 0 { name } else { format!("{name} ({})", alike + 1) }, port));
        }
        all.sort_by_key(|(name, _)| name.starts_with("Midi Through"));
        all
    }

    fn port<T: MidiIO>(&self, io: &T, name: &str) -> Result<T::Port, MidiError> {
        let found = self.all(io).into_iter().find(|(found, _)| found == name);
        found.map(|(_, port)| port).ok_or_else(|| MidiError::NotThere { port: name.to_owned() })
    }

    fn failed(&self, source: impl Into<Box<dyn Error + Send + Sync>>) -> MidiError {
        MidiError::Failed { device: self.name(), source: source.into() }
    }

    fn output(&self) -> Result<midir::MidiOutput, MidiError> {
        let _complaints = keep_complaints();
        midir::MidiOutput::new(&self.client).map_err(|error| self.failed(error.to_string()))
    }

    fn input(&self) -> Result<midir::MidiInput, MidiError> {
        let _complaints = keep_complaints();
        let mut input =
            midir::MidiInput::new(&self.client).map_err(|error| self.failed(error.to_string()))?;
        // Clocks and long messages are nothing a program could read.
        input.ignore(Ignore::All);
        Ok(input)
    }
}

impl Default for MidirDevice {
    fn default() -> Self {
        Self::new()
    }
}

impl MidiDevice for MidirDevice {
    fn name(&self) -> String {
        "MIDI ports of the machine".to_owned()
    }

    fn outputs(&self) -> Result<Vec<String>, MidiError> {
        Ok(self.all(&self.output()?).into_iter().map(|(name, _)| name).collect())
    }

    fn inputs(&self) -> Result<Vec<String>, MidiError> {
        Ok(self.all(&self.input()?).into_iter().map(|(name, _)| name).collect())
    }

    fn connect_output(&self, name: &str) -> Result<Box<dyn MidiOutput>, MidiError> {
        let output = self.output()?;
        let port = self.port(&output, name)?;
        let connection = output.connect(&port, "out").map_err(|error| self.failed(error.to_string()))?;
        Ok(Box::new(Output { name: name.to_owned(), connection }))
    }

    fn connect_input(&self, name: &str, mut heard: Heard) -> Result<Box<dyn MidiInput>, MidiError> {
        let input = self.input()?;
        let port = self.port(&input, name)?;
        let connection = input.connect(&port, "in", move |_, bytes, ()| heard(bytes), ());
        let connection = connection.map_err(|error| self.failed(error.to_string()))?;
        Ok(Box::new(Input { _connection: connection }))
    }
}

struct Output {
    name: String,
    connection: MidiOutputConnection,
}

impl MidiOutput for Output {
    fn send(&mut self, message: &MidiMessage) -> Result<(), MidiError> {
        self.connection.send(message.bytes()).map_err(|error| MidiError::Failed {
            device: self.name.clone(),
            source: error.to_string().into(),
        })
    }
}

struct Input {
    _connection: MidiInputConnection<()>,
}

impl MidiInput for Input {}

impl fmt::Debug for MidirDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MidirDevice").finish_non_exhaustive()
    }
}
