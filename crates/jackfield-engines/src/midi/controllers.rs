use crate::{
    memory::Memories,
    midi::{
        message::{CONTROLLER, MidiMessage, PortMessage},
        notes::hears,
        place::{Place, Setting},
    },
};

/// A module that moves a controller.
#[derive(Clone, Debug)]
pub(super) struct ControllerOutput {
    pub(super) controller: Place,
    pub(super) value: Place,
    pub(super) channel: Setting,
    pub(super) port: Setting,
    /// What was sent last.
    pub(super) last: Option<u8>,
    /// Which module this is, also in another program.
    pub(super) key: String,
}

impl ControllerOutput {
    /// The message to be sent, if the value has changed; the first time in any case.
    pub(super) fn after_cycle(&mut self, memory: &(impl Memories + ?Sized)) -> Option<PortMessage> {
        let value = Setting::At(self.value).within(memory, 0..=127)?;
        if self.last == Some(value) {
            return None;
        }
        let controller = Setting::At(self.controller).within(memory, 0..=127)?;
        let (port, channel) = self.goes_to(memory)?;
        self.last = Some(value);
        Some(PortMessage { port, message: MidiMessage::controller(channel, controller, value) })
    }

    /// Port and channel as they are now; channel 0 is the first.
    pub(super) fn goes_to(&self, memory: &(impl Memories + ?Sized)) -> Option<(u32, u8)> {
        Some((self.port.port(memory)?, self.channel.within(memory, 0..=16)?.max(1)))
    }
}

/// A module that follows a controller.
#[derive(Clone, Debug)]
pub(super) struct ControllerInput {
    pub(super) controller: Place,
    pub(super) value: Place,
    pub(super) channel: Setting,
    pub(super) port: Setting,
}

impl ControllerInput {
    pub(super) fn receive(&self, memory: &mut (impl Memories + ?Sized), came: PortMessage) {
        let Some((CONTROLLER, channel)) = came.message.kind_and_channel() else { return };
        let [controller, value] = came.message.data();
        // Compared number by number: channel 1 with controller 17 is not channel 11 with controller 7.
        if self.controller.read(memory) == Some(controller.into())
            && hears(&self.port, &self.channel, memory, came.port, channel)
        {
            self.value.write(memory, value);
        }
    }
}
