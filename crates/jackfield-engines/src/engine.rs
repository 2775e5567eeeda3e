//! The engines: how a program is played.

mod audio;
mod ready;
mod timer;
mod watchdog;

pub use self::{
    audio::{AudioEngine, AudioTuning, OnFault, SwapStyle},
    timer::TimerEngine,
    watchdog::Watchdog,
};
