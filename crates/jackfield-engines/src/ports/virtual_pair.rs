use crate::{
    midi::{MidiMessage, PortMessage},
    ports::{Heard, MidiDevice, MidiError, MidiInput, MidiOutput},
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One of two ends of some cables: what goes out here comes in there, at once, on the thread that sends.
///
/// For tests, and for two engines that are to hear each other. What nobody listens for on the other side is kept
/// there, to be [taken](Self::take) by hand. A handle: clones are the same end.
#[derive(Clone)]
pub struct VirtualMidi {
    end: usize,
    cables: Arc<Mutex<Vec<Cable>>>,
}

struct Cable {
    name: String,
    plugged: bool,
    /// How often it was plugged in: a connection is one to the cable as it was then.
    turn: u64,
    ends: [End; 2],
}

#[derive(Default)]
struct End {
    listener: Option<Arc<Mutex<Heard>>>,
    kept: Vec<MidiMessage>,
}

impl VirtualMidi {
    /// Both ends of cables of these names, each plugged in.
    #[must_use]
    pub fn pair(names: &[&str]) -> (Self, Self) {
        let cable = |name: &&str| Cable {
            name: (*name).to_owned(),
            plugged: true,
            turn: 0,
            ends: [End::default(), End::default()],
        };
        let cables = Arc::new(Mutex::new(names.iter().map(cable).collect()));
        (Self { end: 0, cables: Arc::clone(&cables) }, Self { end: 1, cables })
    }

    /// Pulls out the cable of this name, for both ends.
    pub fn unplug(&self, name: &str) {
        self.with(name, |cable| {
            cable.plugged = false;
            cable.ends.iter_mut().for_each(|end| end.listener = None);
        });
    }

    /// Plugs it in again.
    pub fn plug(&self, name: &str) {
        self.with(name, |cable| {
            cable.plugged = true;
            cable.turn += 1;
        });
    }

    /// Sends some bytes by hand to the other end; says whether the cable is plugged in.
    pub fn send(&self, name: &str, bytes: &[u8]) -> bool {
        let other = 1 - self.end;
        let listener = self.with(name, |cable| {
            if !cable.plugged {
                return None;
            }
            let end = &mut cable.ends[other];
            if end.listener.is_none() {
                end.kept.extend(MidiMessage::new(bytes));
            }
            Some(end.listener.clone())
        });
        let Some(listener) = listener.flatten() else { return false };
        if let Some(listener) = listener {
            // Not under the lock of the cables: a listener may send.
            (*listener.lock().unwrap_or_else(PoisonError::into_inner))(bytes);
        }
        true
    }

    /// What has come in here while nobody listened, cable by cable; the first cable is port 1.
    pub fn take(&self) -> Vec<PortMessage> {
        let mut cables = self.lock();
        let taken = (1..).zip(cables.iter_mut()).flat_map(|(port, cable)| {
            let kept = std::mem::take(&mut cable.ends[self.end].kept);
            kept.into_iter().map(move |message| PortMessage { port, message })
        });
        taken.collect()
    }

    fn names(&self) -> Vec<String> {
        self.lock().iter().filter(|cable| cable.plugged).map(|cable| cable.name.clone()).collect()
    }

    fn with<T>(&self, name: &str, change: impl FnOnce(&mut Cable) -> T) -> Option<T> {
        self.lock().iter_mut().find(|cable| cable.name == name).map(change)
    }

    /// The turn of a cable that is plugged in.
    fn turn(&self, name: &str) -> Option<u64> {
        self.with(name, |cable| cable.plugged.then_some(cable.turn)).flatten()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Cable>> {
        self.cables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MidiDevice for VirtualMidi {
    fn name(&self) -> String {
        "virtual cables".to_owned()
    }

    fn outputs(&self) -> Result<Vec<String>, MidiError> {
        Ok(self.names())
    }

    fn inputs(&self) -> Result<Vec<String>, MidiError> {
        Ok(self.names())
    }

    fn connect_output(&self, name: &str) -> Result<Box<dyn MidiOutput>, MidiError> {
        let turn = self.turn(name).ok_or_else(|| MidiError::NotThere { port: name.to_owned() })?;
        Ok(Box::new(Plug { cable: self.clone(), name: name.to_owned(), turn }))
    }

    fn connect_input(&self, name: &str, heard: Heard) -> Result<Box<dyn MidiInput>, MidiError> {
        let turn = self.turn(name).ok_or_else(|| MidiError::NotThere { port: name.to_owned() })?;
        self.with(name, |cable| cable.ends[self.end].listener = Some(Arc::new(Mutex::new(heard))));
        Ok(Box::new(Listening(Plug { cable: self.clone(), name: name.to_owned(), turn })))
    }
}

struct Plug {
    cable: VirtualMidi,
    name: String,
    turn: u64,
}

impl MidiOutput for Plug {
    fn send(&mut self, message: &MidiMessage) -> Result<(), MidiError> {
        let is_there = self.cable.turn(&self.name) == Some(self.turn);
        if is_there && self.cable.send(&self.name, message.bytes()) {
            return Ok(());
        }
        Err(MidiError::NotThere { port: self.name.clone() })
    }
}

/// A listener ends with the connection; what came in later is kept.
struct Listening(Plug);

impl MidiInput for Listening {}

impl Drop for Listening {
    fn drop(&mut self) {
        let Plug { cable, name, turn } = &self.0;
        let end = cable.end;
        cable.with(name, |cable| {
            if cable.turn == *turn {
                cable.ends[end].listener = None;
            }
        });
    }
}

impl fmt::Debug for VirtualMidi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualMidi").field("end", &self.end).field("plugged", &self.names()).finish()
    }
}
