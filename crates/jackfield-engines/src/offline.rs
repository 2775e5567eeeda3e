//! Programs played without a device, as fast as the machine allows. The same every time.

mod render;
mod trace;

pub use self::{
    render::Offline,
    trace::{Moment, Trace, TracedMessage, trace, trace_midi},
};
