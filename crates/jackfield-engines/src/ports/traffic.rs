use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Counts what goes over the ports. A handle: clones are the same counters.
#[derive(Clone, Debug, Default)]
pub struct MidiTraffic(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    unheard: AtomicU64,
    received: AtomicU64,
    lost: AtomicU64,
}

/// What [`MidiTraffic`] showed at one moment, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Messages that went out over a port.
    pub sent: u64,
    /// Messages to a port that is not there.
    pub unheard: u64,
    /// Messages that the program was told.
    pub received: u64,
    /// Messages that came in faster than the program's ticks could take them, and were dropped.
    pub lost: u64,
}

impl MidiTraffic {
    /// The counters now.
    #[must_use]
    pub fn read(&self) -> Traffic {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { sent, unheard, received, lost } = &*self.0;
        Traffic { sent: count(sent), unheard: count(unheard), received: count(received), lost: count(lost) }
    }

    pub(super) fn sent(&self) {
        self.0.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unheard(&self) {
        self.0.unheard.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn received(&self) {
        self.0.received.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self) {
        self.0.lost.fetch_add(1, Ordering::Relaxed);
    }
}
