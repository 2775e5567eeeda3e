//! MIDI without a device and without a thread: what a program's memory says, and what it is told.

mod binding;
mod controllers;
mod mapper;
mod message;
mod notes;
mod place;
mod used;

pub use self::{
    mapper::MidiMapper,
    message::{MidiMessage, PortMessage},
};
