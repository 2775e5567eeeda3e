use crate::realtime::gauges::GaugeReader;
use crate::realtime::knobs::KnobReceiver;

/// What a program has of its session's console while it plays: knobs that turn it, and gauges that show it.
#[derive(Debug)]
pub struct Controls {
    knobs: KnobReceiver,
    gauges: Option<GaugeReader>,
}

impl Controls {
    /// These knobs and gauges.
    #[must_use]
    pub fn new(knobs: KnobReceiver, gauges: GaugeReader) -> Self {
        Self { knobs, gauges: Some(gauges) }
    }

    /// Before a block or a tick: knobs that were turned take effect.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, takes no lock; bounded by the room that the knobs have.
    pub fn before(&mut self, memory: &mut [u8]) {
        if self.knobs.has_changes() {
            self.knobs.apply(memory);
        }
    }

    /// After a block or a tick: gauges show what is there now.
    ///
    /// # Realtime
    ///
    /// As [`GaugeReader::read`].
    pub fn after(&self, memory: &[u8]) {
        if let Some(gauges) = &self.gauges {
            gauges.read(memory);
        }
    }
}

impl From<KnobReceiver> for Controls {
    fn from(knobs: KnobReceiver) -> Self {
        Self { knobs, gauges: None }
    }
}
