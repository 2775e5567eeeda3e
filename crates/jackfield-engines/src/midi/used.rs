use crate::midi::message::{ALL_NOTES_OFF, ALL_SOUND_OFF, MidiMessage, PortMessage};

/// How many ports there can be; a message to any other goes nowhere.
pub(super) const PORTS: u32 = 256;

/// The channels of all ports, and which of them were used.
#[derive(Clone, Debug)]
pub(super) struct Used([u16; PORTS as usize]);

impl Used {
    pub(super) fn none() -> Self {
        Self([0; PORTS as usize])
    }

    pub(super) fn note(&mut self, port: u32, channel: u8) {
        if let Some(channels) = self.0.get_mut(port as usize - 1) {
            *channels |= 1 << (channel - 1);
        }
    }

    /// Tells every channel that was used to be silent.
    pub(super) fn reset(&self, send: &mut impl FnMut(PortMessage)) {
        for (port, channels) in (1..).zip(self.0) {
            for channel in (1..=16).filter(|channel| channels & (1 << (channel - 1)) != 0) {
                for controller in [ALL_SOUND_OFF, ALL_NOTES_OFF] {
                    send(PortMessage { port, message: MidiMessage::controller(channel, controller, 0) });
                }
            }
        }
    }
}
