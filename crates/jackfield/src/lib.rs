//! Compose an application from plugins, and change your mind while it runs.

mod error;
mod event;
mod priority;
mod request;

pub use crate::{
    error::BoxError,
    event::{
        Binding, Bus, BusClosed, Emission, EmitError, Envelope, EventBinding, HandlerOptions, HandlerOrigin,
        IntoReply, Listener, MessageKind, Observed, Outcome, Stage, Subscription, Topic,
    },
    priority::Priority,
    request::{Inquiry, Remedy, Request, RequestError},
};
