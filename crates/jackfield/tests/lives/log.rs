//! What a host that listens to the log would see.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

/// One log record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) fields: BTreeMap<String, String>,
}

impl Record {
    pub(crate) fn message(&self) -> &str {
        self.field("message")
    }

    /// The field; empty if the record has none of this name.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// Keeps the records of this thread for as long as its guard lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Record>>>);

impl Log {
    pub(crate) fn listen() -> (Self, DefaultGuard) {
        let log = Self::default();
        // Somebody listens everywhere else, too: a record that was first met while nobody did may be taken for one that
        // nobody wants.
        tracing::subscriber::set_global_default(Self::default()).ok(); // only the first one counts
        let guard = tracing::subscriber::set_default(log.clone());
        tracing::callsite::rebuild_interest_cache();
        (log, guard)
    }

    /// The records since the last time.
    pub(crate) fn take(&self) -> Vec<Record> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The messages of this level since the last time; those of other levels are gone too.
    pub(crate) fn messages(&self, level: Level) -> Vec<String> {
        let of_level = self.take().into_iter().filter(|record| record.level == level);
        of_level.map(|record| record.message().to_owned()).collect()
    }
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);
impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        if !metadata.target().starts_with("jackfield") {
            return; // what Tokio says of itself
        }
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        let record = Record { level: *metadata.level(), target: metadata.target().to_owned(), fields };
        self.0.lock().unwrap().push(record);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
