use crate::{
    device::{Clock, Stop},
    midi::PortMessage,
    ports::{
        MidiDevice,
        choice::{Chosen, PortChoice},
        patchbay::Patchbay,
        traffic::MidiTraffic,
    },
};
use std::{
    convert::Infallible,
    io,
    sync::Arc,
    thread::{Builder, JoinHandle},
    time::Duration,
};

/// How often is looked which ports there are.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often is asked what has come in, while an input is connected: a message waits no longer than sound takes for
/// a third of a metre.
const ASK_EVERY: Duration = Duration::from_millis(1);

/// Hands over what comes in over MIDI ports, on a thread of its own, whichever engine plays. Dropping it ends that,
/// without waiting.
#[derive(Debug)]
pub(crate) struct MidiListener {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl MidiListener {
    /// Listens to the inputs that `chosen` says whenever ports are looked for.
    ///
    /// # Errors
    /// When the machine has no thread to spare.
    pub(crate) fn start(
        device: Arc<dyn MidiDevice>,
        chosen: Chosen,
        clock: Arc<dyn Clock>,
        mut heard: impl FnMut(PortMessage) + Send + 'static,
    ) -> io::Result<Self> {
        let stop = Stop::new();
        let stopped = stop.clone();
        let listen = move || {
            let nowhere: Chosen = Arc::new(|| PortChoice::These(Vec::new()));
            let (mut patchbay, mut plugs) =
                Patchbay::new(device, nowhere, Some(chosen), MidiTraffic::default(), None);
            let mut next_look = clock.now() + LOOK_EVERY;
            let mut ask = || {
                plugs.look();
                let Ok(()) = plugs.take(|came| {
                    heard(came);
                    Ok::<(), Infallible>(())
                });
                plugs.listens()
            };
            let mut listens = ask();
            loop {
                let next = if listens { (clock.now() + ASK_EVERY).min(next_look) } else { next_look };
                if !clock.wait_until(next, &stopped) {
                    return;
                }
                if clock.now() >= next_look {
                    patchbay.look();
                    next_look = clock.now() + LOOK_EVERY;
                }
                listens = ask();
            }
        };
        let thread = Builder::new().name("jackfield-listener".to_owned()).spawn(listen)?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Ends it, and returns when all inputs are disconnected.
    pub(crate) fn finish(mut self) {
        self.stop.set();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(target: "jackfield::engine", "The thread that listens to MIDI ports panicked");
        }
    }
}

impl Drop for MidiListener {
    fn drop(&mut self) {
        self.stop.set();
    }
}
