//! The engine manager, through its public face.

mod captured;
mod close;
mod closures;
mod containment;
mod random;
mod registry;
mod requests;
mod scenarios;
mod stage;
mod trials;
