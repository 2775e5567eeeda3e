use crate::memory::Memories;
use crate::realtime::captures::CaptureTaker;
use crate::realtime::gauges::GaugeReader;
use crate::realtime::knobs::KnobReceiver;

/// What a program has of its session's console while it plays: knobs that turn it, gauges and captures that show it.
#[derive(Debug)]
pub struct Controls {
    knobs: KnobReceiver,
    gauges: Option<GaugeReader>,
    captures: Option<CaptureTaker>,
}

impl Controls {
    /// These knobs, gauges and captures.
    #[must_use]
    pub fn new(knobs: KnobReceiver, gauges: GaugeReader, captures: CaptureTaker) -> Self {
        Self { knobs, gauges: Some(gauges), captures: Some(captures) }
    }

    /// Before a block or a tick: knobs that were turned take effect.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, takes no lock; bounded by the room that the knobs have.
    pub fn before(&mut self, memories: &mut (impl Memories + ?Sized)) {
        if self.knobs.has_changes() {
            self.knobs.apply(memories);
        }
    }

    /// After a block or a tick: gauges show what is there now, and captures take it.
    ///
    /// # Realtime
    ///
    /// As [`GaugeReader::read`] and [`CaptureTaker::take`].
    pub fn after(&mut self, memories: &(impl Memories + ?Sized)) {
        if let Some(gauges) = &self.gauges {
            gauges.read(memories);
        }
        if let Some(captures) = &mut self.captures {
            captures.take(memories);
        }
    }
}

impl From<KnobReceiver> for Controls {
    fn from(knobs: KnobReceiver) -> Self {
        Self { knobs, gauges: None, captures: None }
    }
}
