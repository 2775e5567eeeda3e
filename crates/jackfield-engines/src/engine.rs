//! The engines: how a program is played.

mod audio;
mod ready;
mod timer;
mod watchdog;

pub use self::{
    audio::{AudioEngine, AudioTuning, OnFault},
    timer::TimerEngine,
    watchdog::Watchdog,
};
