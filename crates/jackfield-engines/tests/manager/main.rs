//! The engine manager, through its public face.

mod captured;
mod close;
mod closures;
mod containment;
mod crowd;
mod random;
mod recorded;
mod registry;
mod requests;
mod scenarios;
mod stage;
mod trials;
