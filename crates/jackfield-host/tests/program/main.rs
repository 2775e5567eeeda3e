//! The built program, used the way a person uses it: started, read, edited while it plays, stopped.

mod support;

mod bad_input;
mod check;
mod following;
mod render;
mod stopping;
mod trace;
