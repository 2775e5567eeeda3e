use crate::{
    midi::{MidiMessage, PortMessage},
    ports::{MidiError, MidiOutput, recorder::MidiRecorder, traffic::MidiTraffic},
};
use rtrb::Consumer;
use std::sync::mpsc::{Receiver, Sender};

/// The connected ports as the thread that ticks has them. It connects nothing and disconnects nothing: both take time.
#[derive(Debug)]
pub(crate) struct Plugs {
    pub(super) outputs: Vec<Option<Plugged>>,
    pub(super) inputs: Vec<Option<Consumer<MidiMessage>>>,
    pub(super) news: Receiver<News>,
    pub(super) retired: Sender<Retired>,
    pub(super) traffic: MidiTraffic,
    pub(super) recorder: Option<MidiRecorder>,
}

/// An output, and what sounds on it: channel by channel, a bit for each note.
#[derive(Debug)]
pub(super) struct Plugged {
    output: Box<dyn MidiOutput>,
    sounding: [u128; 16],
}

/// What has become of a port; its index is its number less one.
#[derive(Debug)]
pub(super) enum News {
    Output(usize, Option<Box<dyn MidiOutput>>),
    Input(usize, Option<Consumer<MidiMessage>>),
}

/// An output that is not used any more, to be disconnected elsewhere.
#[derive(Debug)]
pub(super) struct Retired {
    pub(super) index: usize,
    /// Whether it went wrong, and is to be looked for again.
    pub(super) failed: bool,
    pub(super) _output: Box<dyn MidiOutput>,
}

impl Plugs {
    /// Sends a message. A port that is not there is silence, and so is one that goes wrong.
    pub(crate) fn send(&mut self, sent: PortMessage) {
        if let Some(recorder) = &self.recorder {
            recorder.note(sent);
        }
        let index = sent.port as usize - 1;
        let Some(place) = self.outputs.get_mut(index) else { return self.traffic.unheard() };
        match place {
            None => self.traffic.unheard(),
            Some(plugged) => match plugged.send(&sent.message) {
                Ok(()) => self.traffic.sent(),
                Err(error) => {
                    self.traffic.unheard();
                    tracing::warn!(target: "jackfield::engine", "MIDI output {}: {error}", sent.port);
                    self.retire(index, true);
                }
            },
        }
    }

    /// Takes what is news among the ports.
    pub(crate) fn look(&mut self) {
        while let Ok(news) = self.news.try_recv() {
            match news {
                News::Output(index, output) => {
                    self.retire(index, false);
                    *place(&mut self.outputs, index) =
                        output.map(|output| Plugged { output, sounding: [0; 16] });
                }
                News::Input(index, input) => *place(&mut self.inputs, index) = input,
            }
        }
    }

    /// Whether an input is connected.
    pub(crate) fn listens(&self) -> bool {
        self.inputs.iter().any(Option::is_some)
    }

    /// Hands over what has come in until now, port by port, until one is refused.
    pub(crate) fn take<E>(&mut self, mut heard: impl FnMut(PortMessage) -> Result<(), E>) -> Result<(), E> {
        for (port, input) in (1..).zip(&mut self.inputs) {
            let Some(input) = input else { continue };
            // Only what is there now: more may come while this is handed over.
            for _ in 0..input.slots() {
                let Ok(message) = input.pop() else { break };
                self.traffic.received();
                heard(PortMessage { port, message })?;
            }
        }
        Ok(())
    }

    fn retire(&mut self, index: usize, failed: bool) {
        if let Some(mut plugged) = self.outputs.get_mut(index).and_then(Option::take) {
            if !failed {
                plugged.end();
            }
            // With nobody there to take it, everything is at its end.
            self.retired.send(Retired { index, failed, _output: plugged.output }).ok();
        }
    }
}

impl Plugged {
    fn send(&mut self, message: &MidiMessage) -> Result<(), MidiError> {
        self.output.send(message)?;
        if let &[status, note, _] = message.bytes() {
            let (channel, bit) = (&mut self.sounding[usize::from(status & 0x0f)], 1 << note);
            match status & 0xf0 {
                0x90 => *channel |= bit,
                0x80 => *channel &= !bit,
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends what sounds: where this output is given up while it plays, what follows goes elsewhere.
    fn end(&mut self) {
        for (channel, notes) in (0..16).zip(self.sounding) {
            for note in (0..128).filter(|note| notes & (1 << note) != 0) {
                let off = MidiMessage::new(&[0x80 | channel, note, 0]);
                // If it has gone, nothing sounds on it.
                drop(off.map(|off| self.output.send(&off)));
            }
        }
    }
}

fn place<T>(places: &mut Vec<Option<T>>, index: usize) -> &mut Option<T> {
    if places.len() <= index {
        places.resize_with(index + 1, || None);
    }
    &mut places[index]
}
