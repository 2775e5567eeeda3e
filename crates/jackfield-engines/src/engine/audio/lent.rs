//! A processor on its way between the engine and its devices.

use crate::device::Render;
use crate::program::Program;
use crate::realtime::Processor;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Where the one processor of an engine comes back to, whenever a device lets go of it.
pub(super) struct Home {
    door: SyncSender<Box<Processor>>,
    inside: Receiver<Box<Processor>>,
}

/// A processor away from home. Wherever it is dropped, it goes back.
struct Away {
    processor: Option<Box<Processor>>,
    door: SyncSender<Box<Processor>>,
}

/// What a device plays: the processor it was lent, or silence until it is.
pub(super) struct Lent {
    away: Option<Away>,
    arriving: Consumer<Away>,
}

/// The way for a processor to a device that plays silence so far.
pub(super) struct Way(Producer<Away>);

impl Home {
    pub(super) fn new() -> Self {
        let (door, inside) = sync_channel(1);
        Self { door, inside }
    }

    /// What plays this processor from its first frame on.
    pub(super) fn lend(&self, processor: Box<Processor>) -> Lent {
        Lent { away: Some(self.away(processor)), ..self.seat().0 }
    }

    /// What plays silence until a processor is sent.
    pub(super) fn seat(&self) -> (Lent, Way) {
        let (sender, arriving) = RingBuffer::new(1);
        (Lent { away: None, arriving }, Way(sender))
    }

    /// Sends the processor to a device that waits for it. If that has gone meanwhile, it comes back.
    pub(super) fn send(&self, processor: Box<Processor>, mut way: Way) {
        // There is room: each way is gone once.
        way.0.push(self.away(processor)).ok();
    }

    /// Has it stay at home.
    pub(super) fn keep(&self, processor: Box<Processor>) {
        drop(self.away(processor));
    }

    /// The processor, when no device has it.
    pub(super) fn take(&self) -> Option<Box<Processor>> {
        self.inside.try_recv().ok()
    }

    fn away(&self, processor: Box<Processor>) -> Away {
        Away { processor: Some(processor), door: self.door.clone() }
    }
}

impl Render for Lent {
    fn enter(&mut self) {
        Program::prepare_thread();
    }

    fn render(&mut self, input: &[f32], output: &mut [f32]) {
        if self.away.is_none() {
            self.away = self.arriving.pop().ok();
        }
        match self.away.as_mut().and_then(|away| away.processor.as_mut()) {
            Some(processor) => processor.process(input, output),
            None => output.fill(0.0),
        }
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        if let Some(processor) = self.processor.take() {
            // There is room, because there is one. Nobody there means that nobody needs it any more.
            self.door.try_send(processor).ok();
        }
    }
}
