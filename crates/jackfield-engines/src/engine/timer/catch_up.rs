use crate::realtime::Rate;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of the ticks that a timer could not run in time, because the machine slept or had other things to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatchUp {
    /// They are left out and counted: one tick is run, and the next when it is due.
    Skip,
    /// All of them are run, as fast as the program can: its count of ticks is true to the time, however long the pause.
    All,
    /// Those of the last stretch of this length are run, the others left out and counted.
    Bounded(Duration),
}

/// Says what becomes of missed ticks at the moment when it is asked.
pub(in crate::engine) type Policy = Arc<dyn Fn() -> CatchUp + Send + Sync>;

impl Default for CatchUp {
    /// A tenth of a second.
    fn default() -> Self {
        Self::Bounded(Duration::from_millis(100))
    }
}

impl CatchUp {
    /// How many ticks are run at once at most.
    pub(super) fn most(self, rate: Rate) -> u64 {
        match self {
            Self::Skip => 1,
            Self::All => u64::MAX,
            Self::Bounded(stretch) => rate.within(stretch),
        }
    }
}
