use crate::instance::{Instance, Trap};
use crate::memory::Memories;
use crate::realtime::calls::CallTaker;
use crate::realtime::captures::CaptureTaker;
use crate::realtime::gauges::GaugeReader;
use crate::realtime::knobs::KnobReceiver;

/// What a program has of its session's console while it plays: knobs that turn it, calls of its functions, gauges and
/// captures that show it.
#[derive(Debug)]
pub struct Controls {
    knobs: KnobReceiver,
    calls: Option<CallTaker>,
    gauges: Option<GaugeReader>,
    captures: Option<CaptureTaker>,
}

impl Controls {
    /// These knobs, calls, gauges and captures.
    #[must_use]
    pub fn new(knobs: KnobReceiver, calls: CallTaker, gauges: GaugeReader, captures: CaptureTaker) -> Self {
        Self { knobs, calls: Some(calls), gauges: Some(gauges), captures: Some(captures) }
    }

    /// Before a block or a tick: knobs that were turned take effect, then functions are called.
    ///
    /// # Errors
    ///
    /// When a function traps.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, unless a function traps, and takes no lock; bounded by the room that the knobs and the calls
    /// have.
    pub fn before(&mut self, instance: &mut Instance) -> Result<(), Trap> {
        if self.knobs.has_changes() {
            self.knobs.apply(instance);
        }
        match &mut self.calls {
            Some(calls) => calls.make(instance),
            None => Ok(()),
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
        Self { knobs, calls: None, gauges: None, captures: None }
    }
}
