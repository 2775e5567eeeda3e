//! The engines: how a program is played.

mod audio;
mod ready;
mod timer;
mod watchdog;

pub use self::{audio::AudioEngine, timer::TimerEngine, watchdog::Watchdog};
