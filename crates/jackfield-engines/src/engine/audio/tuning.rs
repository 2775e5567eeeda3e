use std::time::Duration;

/// How an audio engine behaves where that is a matter of taste. May change while it plays.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AudioTuning {
    /// How one program takes over from another.
    pub swap: SwapStyle,
    /// What is heard when a program breaks.
    pub on_fault: OnFault,
}

/// How one program takes over from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SwapStyle {
    /// Both play for so long, one growing as the other fades, with equal power.
    Crossfade(Duration),
    /// At once, at the edge of a block.
    Cut,
}

/// What is heard when a program breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFault {
    /// Nothing, until there is another program.
    #[default]
    Silence,
    /// The program that played before, from where it was left; nothing, if there was none.
    LastGood,
}

impl Default for AudioTuning {
    fn default() -> Self {
        // As long as SuperCollider's and Elementary's default fades: short enough to follow an edit, long enough not to click.
        Self { swap: SwapStyle::Crossfade(Duration::from_millis(20)), on_fault: OnFault::default() }
    }
}

impl AudioTuning {
    /// The same with another way to take over.
    #[must_use]
    pub fn with_swap(mut self, swap: SwapStyle) -> Self {
        self.swap = swap;
        self
    }

    /// The same with something else heard when a program breaks.
    #[must_use]
    pub fn with_on_fault(mut self, on_fault: OnFault) -> Self {
        self.on_fault = on_fault;
        self
    }
}

impl SwapStyle {
    /// How many frames it takes at this rate.
    pub(super) fn frames(self, rate: u32) -> usize {
        match self {
            // Nobody wants to hear two programs for longer than this.
            Self::Crossfade(fade) => {
                let fade = fade.min(Duration::from_secs(10));
                (fade.as_secs_f64() * f64::from(rate)).round() as usize
            }
            Self::Cut => 0,
        }
    }
}
