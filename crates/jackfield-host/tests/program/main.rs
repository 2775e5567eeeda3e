//! The built program, used the way a person uses it: started, read, edited while it plays, stopped.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot go on fails")]

mod support;

mod bad_input;
mod check;
mod following;
mod render;
mod stopping;
mod trace;
