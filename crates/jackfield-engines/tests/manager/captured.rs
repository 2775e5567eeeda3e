//! The lines that are logged, as they are logged.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::sync::Once;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what each thread logs at info under `jackfield::engine`.
///
/// One subscriber for all threads, set before anything is logged: `tracing` decides once per line whether
/// anybody listens.
#[derive(Debug)]
pub(crate) struct Captured(());

impl Captured {
    pub(crate) fn new() -> Self {
        static SET: Once = Once::new();
        SET.call_once(|| tracing::subscriber::set_global_default(Capture).unwrap());
        LINES.take();
        Self(())
    }

    /// What this thread logged since the last time.
    #[track_caller]
    pub(crate) fn lines(&self, expected: &[&str]) {
        assert_eq!(LINES.take(), expected);
    }
}

struct Capture;

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "jackfield::engine"
    }

    fn event(&self, event: &Event<'_>) {
        if *event.metadata().level() == Level::INFO {
            let mut message = Message(String::new());
            event.record(&mut message);
            LINES.with_borrow_mut(|lines| lines.push(message.0));
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}
