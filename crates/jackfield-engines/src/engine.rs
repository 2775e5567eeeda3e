//! The engines: how a program is played.

mod audio;
mod midi;
mod ready;
mod timer;
mod watchdog;

pub use self::{
    audio::{AudioEngine, AudioTuning, OnFault},
    midi::MidiEngine,
    timer::{CatchUp, TimerEngine},
    watchdog::Watchdog,
};
