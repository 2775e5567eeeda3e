//! Engines as plugins: what settings do to what plays.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot go on fails")]

mod competing;
mod keys;
mod missed;
mod sessions;
mod stage;
mod switching;
mod telling;
mod undoing;
