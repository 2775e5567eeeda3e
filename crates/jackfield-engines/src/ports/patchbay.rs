use crate::{
    midi::MidiMessage,
    ports::{
        Heard, MidiDevice, MidiError, MidiInput,
        choice::{Chosen, Numbers},
        plugs::{News, Plugs, Retired},
        recorder::MidiRecorder,
        traffic::MidiTraffic,
    },
};
use rtrb::RingBuffer;
use std::sync::{
    Arc,
    mpsc::{Receiver, Sender, channel},
};
use std::time::Duration;

/// How often is looked which ports there are. No system that is asked through the same few functions says by itself.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How many messages wait for the next tick, at each input: more than a cable can carry in half a second.
const WAITING: usize = 512;

/// Keeps the ports connected, as they come and go. Not for the thread that ticks: that one has the [`Plugs`].
pub(crate) struct Patchbay {
    device: Arc<dyn MidiDevice>,
    outputs: Side<()>,
    /// None if nobody listens.
    inputs: Option<Side<Box<dyn MidiInput>>>,
    news: Sender<News>,
    retired: Receiver<Retired>,
    traffic: MidiTraffic,
    /// What was lost when that was last said.
    lost: u64,
}

/// The ports of one direction.
struct Side<T> {
    chosen: Chosen,
    numbers: Numbers,
    /// What is connected, by number.
    connected: Vec<Option<(String, T)>>,
    /// What went wrong last, to be said once.
    complaint: Option<String>,
}

impl Patchbay {
    /// Both halves, connected to what is there now.
    pub(crate) fn new(
        device: Arc<dyn MidiDevice>,
        outputs: Chosen,
        inputs: Option<Chosen>,
        traffic: MidiTraffic,
        recorder: Option<MidiRecorder>,
    ) -> (Self, Plugs) {
        let (news, inbox) = channel();
        let (retire, retired) = channel();
        let mut patchbay = Self {
            device,
            outputs: Side::new(outputs),
            inputs: inputs.map(Side::new),
            news,
            retired,
            traffic: traffic.clone(),
            lost: 0,
        };
        let mut plugs = Plugs {
            outputs: Vec::new(),
            inputs: Vec::new(),
            news: inbox,
            retired: retire,
            traffic,
            recorder,
        };
        patchbay.look();
        plugs.look();
        (patchbay, plugs)
    }

    /// Looks what is there, connects what is new and disconnects what has gone. Says whether anything has changed.
    pub(crate) fn look(&mut self) -> bool {
        // Dropping disconnects them.
        for Retired { index, failed, .. } in self.retired.try_iter() {
            if failed && let Some(connected) = self.outputs.connected.get_mut(index) {
                *connected = None;
            }
        }
        let (device, news) = (&self.device, &self.news);
        // What nobody ticks for any more need not arrive.
        let tell = |change: News| drop(news.send(change));
        let mut changed = self.outputs.update(
            device.outputs(),
            None,
            |index| tell(News::Output(index, None)),
            |index, name| {
                tell(News::Output(index, Some(device.connect_output(name)?)));
                Ok(())
            },
        );
        if let Some(inputs) = &mut self.inputs {
            changed |= inputs.update(
                device.inputs(),
                self.outputs.complaint.as_deref(),
                |index| tell(News::Input(index, None)),
                |index, name| {
                    let (heard, waiting) = ring(&self.traffic);
                    let connection = device.connect_input(name, heard)?;
                    tell(News::Input(index, Some(waiting)));
                    Ok(connection)
                },
            );
        }
        let lost = self.traffic.read().lost;
        if lost > self.lost {
            tracing::warn!(
                target: "jackfield::engine",
                "{} MIDI messages came in faster than the program takes them, and were dropped", lost - self.lost
            );
            self.lost = lost;
        }
        changed
    }

    /// What is connected, for people.
    pub(crate) fn describe(&self) -> String {
        let outputs = self.outputs.describe("output");
        let inputs = self.inputs.as_ref().and_then(|inputs| inputs.describe("input"));
        let all: Vec<String> = [outputs, inputs].into_iter().flatten().collect();
        if all.is_empty() { "null port, for want of any other".to_owned() } else { all.join(", ") }
    }
}

/// What an input calls, and where that puts it. Never waits: what there is no room for is counted.
fn ring(traffic: &MidiTraffic) -> (Heard, rtrb::Consumer<MidiMessage>) {
    let (mut waiting, ring) = RingBuffer::new(WAITING);
    let traffic = traffic.clone();
    let heard = move |bytes: &[u8]| {
        // What is no message of three bytes at most, no program could read.
        if let Some(message) = MidiMessage::new(bytes)
            && waiting.push(message).is_err()
        {
            traffic.lost();
        }
    };
    (Box::new(heard), ring)
}

impl<T> Side<T> {
    fn new(chosen: Chosen) -> Self {
        Self { chosen, numbers: Numbers::default(), connected: Vec::new(), complaint: None }
    }

    /// Disconnects what has gone, and then connects what is new.
    fn update(
        &mut self,
        present: Result<Vec<String>, MidiError>,
        said_already: Option<&str>,
        mut disconnect: impl FnMut(usize),
        mut connect: impl FnMut(usize, &str) -> Result<T, MidiError>,
    ) -> bool {
        let mut complaint = None;
        let present = present.unwrap_or_else(|error| {
            complaint = Some(said(&error));
            Vec::new()
        });
        let wanted = self.numbers.assign(&(self.chosen)(), &present);
        self.connected.resize_with(wanted.len().max(self.connected.len()), || None);
        let mut changed = false;
        for (index, connected) in self.connected.iter_mut().enumerate() {
            let wanted = wanted.get(index).cloned().flatten();
            if connected.as_ref().map(|(name, _)| name) == wanted.as_ref() {
                continue;
            }
            if connected.take().is_some() {
                disconnect(index);
                changed = true;
            }
            let Some(name) = wanted else { continue };
            match connect(index, &name) {
                Ok(connection) => {
                    *connected = Some((name, connection));
                    changed = true;
                }
                Err(error) => complaint = Some(said(&error)),
            }
        }
        if complaint != self.complaint {
            if let Some(complaint) = complaint.as_deref().filter(|complaint| Some(*complaint) != said_already)
            {
                tracing::warn!(target: "jackfield::engine", "{complaint}");
            }
            self.complaint = complaint;
        }
        changed
    }

    fn describe(&self, what: &str) -> Option<String> {
        let connected = (1..).zip(&self.connected);
        let connected = connected.filter_map(|(number, port)| Some((number, &port.as_ref()?.0)));
        let all: Vec<String> = connected.map(|(number, name)| format!("{what} {number} `{name}`")).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

fn said(error: &MidiError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
