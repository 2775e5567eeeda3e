//! Compiled programs through the public API: read, checked, run, and compared with what they are known to do.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot go on fails")]

mod audio;
mod assets;
mod bad_projects;
mod cache;
mod config;
mod ending;
mod exports;
mod extras;
mod fields;
mod map;
mod midi;
mod misbehaving;
mod mutated;
mod newest;
mod realtime;
mod regions;
mod support;
mod timers;
mod trap_later;

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
