use std::fmt;

/// One message of one to three bytes: a note, a controller, a pitch bend and the like. Copied, never allocated.
///
/// System exclusive messages are longer and have no place here; no program could read them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MidiMessage {
    bytes: [u8; 3],
    length: u8,
}

/// A message and the port it goes to or comes from, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortMessage {
    /// The port, from 1.
    pub port: u32,
    /// The message.
    pub message: MidiMessage,
}

impl MidiMessage {
    /// The message in `bytes`; `None` unless these are one to three, the first of them a status and no other.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let (status, data) = bytes.split_first()?;
        if *status < 0x80 || data.len() > 2 || data.iter().any(|byte| *byte > 0x7f) {
            return None;
        }
        let mut all = [0; 3];
        all[..bytes.len()].copy_from_slice(bytes);
        Some(Self { bytes: all, length: bytes.len() as u8 })
    }

    /// `kind` is the upper half of the status; the channel counts from 1.
    pub(super) fn channel_voice(kind: u8, channel: u8, [first, second]: [u8; 2]) -> Self {
        debug_assert!(
            (1..=16).contains(&channel) && first < 0x80 && second < 0x80,
            "checked by whoever asks"
        );
        Self { bytes: [kind | (channel - 1), first, second], length: 3 }
    }

    pub(super) fn note_on(channel: u8, note: u8, velocity: u8) -> Self {
        Self::channel_voice(NOTE_ON, channel, [note, velocity])
    }

    pub(super) fn note_off(channel: u8, note: u8, velocity: u8) -> Self {
        Self::channel_voice(NOTE_OFF, channel, [note, velocity])
    }

    pub(super) fn controller(channel: u8, controller: u8, value: u8) -> Self {
        Self::channel_voice(CONTROLLER, channel, [controller, value])
    }

    /// Its bytes, as they go over the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Three numbers, those that it has not 0: what a handler in a program is called with.
    #[must_use]
    pub fn padded(&self) -> [i32; 3] {
        self.bytes.map(i32::from)
    }

    /// The kind of the message, and its channel from 1; `None` for those that have no channel.
    pub(super) fn kind_and_channel(&self) -> Option<(u8, u8)> {
        let status = self.bytes[0];
        (status < 0xf0).then_some((status & 0xf0, (status & 0x0f) + 1))
    }

    pub(super) fn data(&self) -> [u8; 2] {
        [self.bytes[1], self.bytes[2]]
    }
}

pub(super) const NOTE_OFF: u8 = 0x80;
pub(super) const NOTE_ON: u8 = 0x90;
pub(super) const CONTROLLER: u8 = 0xb0;

/// Ends what sounds, and what fades out.
pub(super) const ALL_SOUND_OFF: u8 = 120;
/// Ends what is held. So do those above it.
pub(super) const ALL_NOTES_OFF: u8 = 123;

impl fmt::Debug for MidiMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MidiMessage").field(&self.bytes()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_status_and_at_most_two_bytes_of_data() {
        for good in [&[0x90, 60, 100][..], &[0xc0, 5], &[0xf8]] {
            assert_eq!(MidiMessage::new(good).unwrap().bytes(), good);
        }
        for bad in [&[][..], &[60, 100], &[0x90, 60, 128], &[0x90, 0x80], &[0xf0, 1, 2, 0xf7]] {
            assert_eq!(MidiMessage::new(bad), None, "{bad:?}");
        }
    }

    // E.4
    #[test]
    fn missing_bytes_are_0_for_a_handler() {
        assert_eq!(MidiMessage::new(&[0xc3, 5]).unwrap().padded(), [0xc3, 5, 0]);
        assert_eq!(MidiMessage::new(&[0xf8]).unwrap().padded(), [0xf8, 0, 0]);
    }
}
