use crate::{
    device::{Clock, Thread},
    midi::PortMessage,
    ports::{
        MidiDevice,
        choice::{Chosen, PortChoice},
        patchbay::{LOOK_EVERY, Patchbay},
        traffic::MidiTraffic,
    },
};
use std::{convert::Infallible, io, sync::Arc, time::Duration};

/// How often is asked what has come in, while an input is connected: a message waits no longer than sound takes for
/// a third of a metre.
const ASK_EVERY: Duration = Duration::from_millis(1);

/// Hands over what comes in over MIDI ports, on a thread of its own, whichever engine plays: from the inputs that `chosen`
/// says whenever ports are looked for.
///
/// # Errors
/// When the machine has no thread to spare.
pub(crate) fn listen(
    device: Arc<dyn MidiDevice>,
    chosen: Chosen,
    clock: Arc<dyn Clock>,
    mut heard: impl FnMut(PortMessage) + Send + 'static,
) -> io::Result<Thread> {
    Thread::spawn("jackfield-listener", move |stop| {
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
            if !clock.wait_until(next, stop) {
                return;
            }
            if clock.now() >= next_look {
                patchbay.look();
                next_look = clock.now() + LOOK_EVERY;
            }
            listens = ask();
        }
    })
}
