//! A program as it lies on disk: its binary, its memory map and its settings, read and checked.

mod assets;
mod config;
mod json;
mod load;
mod map;
mod midi;
mod parts;
mod problem;
mod regions;
mod route;
mod settings;

pub use self::{
    assets::Asset,
    config::{BinaryAsset, EngineSettings, ProjectConfig},
    midi::{MidiController, MidiHandler, MidiNote, MidiSettings},
    parts::Project,
    problem::{Place, Problem, ProjectError},
    route::{Address, Addresses, Route, RouteTarget},
    settings::{AudioSettings, TimerSettings},
};
