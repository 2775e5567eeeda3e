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
use tracing_core::span::Current;

/// One log record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) fields: BTreeMap<String, String>,
    /// The spans that it was written in, outermost first.
    pub(crate) within: Vec<String>,
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
pub(crate) struct Log {
    records: Arc<Mutex<Vec<Record>>>,
    spans: Arc<Mutex<Spans>>,
}

#[derive(Default)]
struct Spans {
    /// All there ever were; an id is a place in here, counted from one.
    known: Vec<(&'static Metadata<'static>, String)>,
    /// Those that are entered, outermost first.
    entered: Vec<span::Id>,
}

impl Spans {
    fn get(&self, id: &span::Id) -> &(&'static Metadata<'static>, String) {
        &self.known[id.into_u64() as usize - 1]
    }
}

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
        std::mem::take(&mut *self.records.lock().unwrap())
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
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut fields = BTreeMap::new();
        span.record(&mut Fields(&mut fields));
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut spans = self.spans.lock().unwrap();
        spans.known.push((span.metadata(), format!("{}[{}]", span.metadata().name(), fields.join(" "))));
        span::Id::from_u64(spans.known.len() as u64)
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
        let (level, target) = (*metadata.level(), metadata.target().to_owned());
        let spans = self.spans.lock().unwrap();
        let own = spans
            .entered
            .iter()
            .map(|id| spans.get(id))
            .filter(|(span, _)| span.target().starts_with("jackfield"));
        let within = own.map(|(_, text)| text.clone()).collect();
        self.records.lock().unwrap().push(Record { level, target, fields, within });
    }
    fn enter(&self, id: &span::Id) {
        self.spans.lock().unwrap().entered.push(id.clone());
    }
    fn exit(&self, id: &span::Id) {
        let entered = &mut self.spans.lock().unwrap().entered;
        if let Some(place) = entered.iter().rposition(|other| other == id) {
            entered.remove(place);
        }
    }
    fn current_span(&self) -> Current {
        let spans = self.spans.lock().unwrap();
        let current = spans.entered.last().map(|id| Current::new(id.clone(), spans.get(id).0));
        current.unwrap_or_else(Current::none)
    }
}
