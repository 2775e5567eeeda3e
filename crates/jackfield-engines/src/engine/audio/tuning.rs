use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// The longest fade: nobody wants to hear two programs for longer.
const LONGEST: Duration = Duration::from_secs(10);

/// How an audio engine behaves where that is a matter of taste. May change while it plays.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AudioTuning {
    /// For how long both are heard when one program takes over from another, one growing as the other fades, with equal
    /// power; ten seconds at most. Zero cuts, at the edge of a block.
    pub fade: Duration,
    /// What is heard when a program breaks.
    pub on_fault: OnFault,
}

/// What is heard when a program breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
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
        // As long as the default fades of SuperCollider and Elementary: short enough to follow an edit, long enough not to
        // click.
        Self { fade: Duration::from_millis(20), on_fault: OnFault::default() }
    }
}

impl AudioTuning {
    /// The same with another fade.
    #[must_use]
    pub fn with_fade(mut self, fade: Duration) -> Self {
        self.fade = fade;
        self
    }

    /// The same with something else heard when a program breaks.
    #[must_use]
    pub fn with_on_fault(mut self, on_fault: OnFault) -> Self {
        self.on_fault = on_fault;
        self
    }

    /// How many frames the fade takes at this rate.
    pub(super) fn fade_frames(self, rate: u32) -> usize {
        (self.fade.min(LONGEST).as_secs_f64() * f64::from(rate)).round() as usize
    }
}
