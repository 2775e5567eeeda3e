use crate::{
    memory::Memories,
    midi::{
        message::{ALL_NOTES_OFF, ALL_SOUND_OFF, CONTROLLER, MidiMessage, NOTE_OFF, NOTE_ON, PortMessage},
        place::{Place, Setting},
    },
};

/// A module that plays notes: one while its gate is open.
#[derive(Clone, Debug)]
pub(super) struct NoteOutput {
    pub(super) note: Place,
    pub(super) gate: Place,
    pub(super) channel: Setting,
    pub(super) velocity: Setting,
    pub(super) port: Setting,
    pub(super) state: Gate,
    /// Which module this is, also in another program.
    pub(super) key: String,
}

/// What a gate has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gate {
    open: bool,
    sounding: Option<Sounding>,
}

/// A note that was begun, and where: the program may think of other values before it ends.
#[derive(Clone, Copy, Debug)]
struct Sounding {
    port: u32,
    channel: u8,
    note: u8,
    velocity: u8,
}

impl NoteOutput {
    /// Looks at the gate, and gives the message to be sent, if there is one.
    ///
    /// With a value out of range no note begins, until all are valid while the gate is open. A note that sounds ends
    /// with its gate in any case.
    pub(super) fn after_cycle(&mut self, memory: &(impl Memories + ?Sized)) -> Option<PortMessage> {
        let open = self.gate.read(memory)? != 0;
        let velocity = self.velocity.within(memory, 0..=127);
        match (open, self.state.open) {
            (true, false) => {
                let note = Setting::At(self.note).within(memory, 0..=127)?;
                let channel = self.channel.within(memory, 1..=16)?;
                let velocity = velocity?;
                self.state.open = true;
                // A port that cannot be is silence, not a note that waits.
                let port = self.port.port(memory)?;
                self.state.sounding = Some(Sounding { port, channel, note, velocity });
                Some(PortMessage { port, message: MidiMessage::note_on(channel, note, velocity) })
            }
            (false, true) => {
                self.state.open = false;
                let sounding = self.state.sounding.take()?;
                Some(sounding.off(velocity.unwrap_or(sounding.velocity)))
            }
            _ => None,
        }
    }

    /// Ends the note that sounds, if one does.
    pub(super) fn end(&mut self) -> Option<PortMessage> {
        self.state.open = false;
        self.state.sounding.take().map(|sounding| sounding.off(0))
    }

    /// Port and channel as they are now.
    pub(super) fn goes_to(&self, memory: &(impl Memories + ?Sized)) -> Option<(u32, u8)> {
        Some((self.port.port(memory)?, self.channel.within(memory, 1..=16)?))
    }
}

impl Sounding {
    fn off(self, velocity: u8) -> PortMessage {
        PortMessage { port: self.port, message: MidiMessage::note_off(self.channel, self.note, velocity) }
    }
}

/// A module that is told which note is held: the one that was struck last, until that one is let go.
#[derive(Clone, Debug)]
pub(super) struct NoteInput {
    pub(super) note: Option<Place>,
    pub(super) gate: Option<Place>,
    pub(super) velocity: Option<Place>,
    pub(super) channel: Setting,
    pub(super) port: Setting,
    /// The note that is held.
    pub(super) held: Option<PortMessage>,
    /// Which module this is, also in another program.
    pub(super) key: String,
}

impl NoteInput {
    pub(super) fn receive(&mut self, memory: &mut (impl Memories + ?Sized), came: PortMessage) {
        let Some((kind, channel)) = came.message.kind_and_channel() else { return };
        if !hears(&self.port, &self.channel, memory, came.port, channel) {
            return;
        }
        let [first, second] = came.message.data();
        match kind {
            NOTE_ON if second > 0 => {
                self.held =
                    Some(PortMessage { port: came.port, message: MidiMessage::note_off(channel, first, 0) });
                for (place, number) in [(self.note, first), (self.velocity, second), (self.gate, 1)] {
                    if let Some(place) = place {
                        place.write(memory, number);
                    }
                }
            }
            NOTE_ON | NOTE_OFF => {
                let ends = PortMessage { port: came.port, message: MidiMessage::note_off(channel, first, 0) };
                if self.held == Some(ends) {
                    self.let_go(memory);
                }
            }
            CONTROLLER if first == ALL_SOUND_OFF || first >= ALL_NOTES_OFF => self.let_go(memory),
            _ => {}
        }
    }

    fn let_go(&mut self, memory: &mut (impl Memories + ?Sized)) {
        self.held = None;
        if let Some(gate) = self.gate {
            gate.write(memory, 0);
        }
    }
}

/// Whether a module listens to this port and channel; 0 is all of them.
pub(super) fn hears(
    port: &Setting,
    channel: &Setting,
    memory: &(impl Memories + ?Sized),
    from: u32,
    on: u8,
) -> bool {
    let is = |setting: &Setting, number: i64| {
        setting.read(memory).is_some_and(|wanted| wanted == 0 || i64::from(wanted) == number)
    };
    is(port, from.into()) && is(channel, on.into())
}
