//! Sound cards.

mod card;
mod input;

use crate::device::{Device, DeviceError, Stream, StreamSetup, keep_complaints};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

/// A sound card: the machine's default output, or the one of a name.
///
/// The card is opened, heard of and closed on a thread of its own: some of the interfaces underneath insist on
/// one thread, and none may be closed from its own callback.
#[derive(Debug, Clone, Default)]
pub struct CpalDevice {
    name: Option<String>,
}

impl CpalDevice {
    /// The default output, whichever that is when it is opened.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The output of this name, or of this id (`alsa:hw:0,0`).
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()) }
    }
}

impl Device for CpalDevice {
    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| "default sound card".to_owned())
    }

    fn has_input(&self) -> bool {
        true
    }

    fn open(&self, setup: StreamSetup) -> Result<Box<dyn Stream>, DeviceError> {
        let (messages, inbox) = channel();
        let (report, opened) = sync_channel(1);
        let device = self.name();
        let thread = {
            let (wanted, device, messages) = (self.name.clone(), device.clone(), messages.clone());
            Builder::new().name("jackfield-device".to_owned()).spawn(move || {
                let _complaints = keep_complaints();
                let StreamSetup { format, render, load, mut lost } = setup;
                let card = card::open(wanted.as_deref(), &device, format, render, load, messages);
                match card {
                    Ok(card) => {
                        // Whoever opened it may have given up; then there is nothing to play for.
                        if report.send(Ok(())).is_ok() {
                            attend(&inbox, &mut *lost);
                        }
                        drop(card);
                    }
                    Err(error) => drop(report.send(Err(error))),
                }
            })
        };
        let failed = |source| DeviceError::Failed { device: device.clone(), source };
        let thread = thread.map_err(|error| failed(error.into()))?;
        opened.recv().map_err(|_| failed("its thread panicked".into()))??;
        Ok(Box::new(Card { device, messages, thread: Some(thread) }))
    }
}

/// What the card's thread is told.
enum Message {
    /// To close it.
    Stop,
    /// That it has gone.
    Lost(DeviceError),
}

fn attend(inbox: &Receiver<Message>, lost: &mut dyn FnMut(&DeviceError)) {
    while let Ok(Message::Lost(error)) = inbox.recv() {
        lost(&error);
    }
}

/// An open sound card.
struct Card {
    device: String,
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Stream for Card {
    fn stop(mut self: Box<Self>) -> Result<(), DeviceError> {
        self.messages.send(Message::Stop).ok();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let device = self.device.clone();
        thread.join().map_err(|_| DeviceError::Failed { device, source: "its thread panicked".into() })
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.messages.send(Message::Stop).ok();
    }
}
