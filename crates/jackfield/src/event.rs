//! The bus of one scope: typed messages, handled one after the other, in an order that can be predicted.
//!
//! * [`Bus`]: where events are emitted and handled. A handle; clones share everything.
//! * [`Envelope`]: what every handler of one emit is handed in turn: the payload, and whether it goes on.
//! * [`Subscription`]: a standing interest, ended by dropping it.
//! * [`Topic`]: a bus narrowed to one event, for hot paths.
//! * [`Observed`]: what a tap sees of every message. It can watch, not touch.
//! * [`EventBinding`], [`Listener`]: handlers as values, to be bound to one bus after another.

mod binding;
mod bus;
mod core;
mod delivery;
mod directory;
mod dispatch;
mod emission;
mod envelope;
mod error;
mod handler;
mod list;
mod observer;
mod options;
mod origin;
mod subscription;
mod table;
mod topic;

pub use self::{
    binding::{Binding, EventBinding, Listener},
    bus::Bus,
    emission::Emission,
    envelope::Envelope,
    error::{BusClosed, EmitError},
    handler::IntoReply,
    observer::{MessageKind, Observed, Outcome, Stage},
    options::HandlerOptions,
    origin::HandlerOrigin,
    subscription::Subscription,
    topic::Topic,
};
pub(crate) use self::{
    core::Core,
    delivery::{Course, deliver, deliver_sync},
    dispatch::{Cause, Fault, Faulty},
    handler::Handler,
};
