//! What plays: the parts that cross to the audio thread, the devices, and the engines on them.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot go on fails")]

mod audio;
mod calls;
mod channels;
mod console;
mod device;
mod fifo;
mod gauges;
mod knobs;
mod live;
mod load;
mod lost;
mod midi;
mod overdue;
mod processor;
mod realtime;
mod regions;
mod seams;
mod store;
mod support;
mod swap;
mod tape;
mod timer;
mod watchdog;

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
