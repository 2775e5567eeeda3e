//! From what was typed to a value without invalid states; what was wrong is collected, and the rest still counts.

use serde_json::Value;

use super::{
    ConfigTable, DocumentPath, PluginSettings, Position, Problem, Problems, RuntimeSettings, ServiceSettings,
};
use crate::{
    id::{Pin, PluginId, nearest},
    priority::Priority,
};

type Read = Result<(RuntimeSettings, Problems), Problems>;

pub(super) fn toml(text: &str) -> Read {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let position = error.span().map(|span| Position::of_offset(text, span.start));
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let problem = Problem::new(DocumentPath::default(), format!("not TOML: {message}"));
        Problems(vec![Problem { position, ..problem }])
    })?;
    let mut reader = Reader::default();
    let document = reader.table_from_toml(&DocumentPath::default(), table);
    let read = reader.document(&document);
    match read {
        Ok((settings, notes)) => Ok((settings, notes.located_in_toml(text))),
        Err(problems) => Err(problems.located_in_toml(text)),
    }
}

pub(super) fn json(text: &str) -> Read {
    let document: Value = serde_json::from_str(text).map_err(|error| {
        let problem = Problem::new(DocumentPath::default(), format!("not JSON: {error}"));
        Problems(vec![Problem {
            position: Some(Position { line: error.line(), column: error.column() }),
            ..problem
        }])
    })?;
    match document {
        Value::Object(document) => Reader::default().document(&document),
        other => {
            let message = format!("expected an object, found {}", kind(&other));
            Err(Problems(vec![Problem::new(DocumentPath::default(), message)]))
        }
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
    notes: Vec<Problem>,
}

impl Reader {
    fn document(mut self, document: &ConfigTable) -> Read {
        let top = DocumentPath::default();
        let mut settings = RuntimeSettings::default();
        self.note_unknown(&top, document, &["plugins", "services"]);
        if let Some(plugins) = self.table(&top, document, "plugins") {
            let path = top.join("plugins");
            for (id, entry) in plugins {
                let place = path.join(id);
                match PluginId::parse(id) {
                    Ok(id) => {
                        let entry = self.plugin(&place, entry);
                        settings.plugins.insert(id, entry);
                    }
                    Err(error) => self.problems.push(Problem::new(place, error.to_string())),
                }
            }
        }
        if let Some(services) = self.table(&top, document, "services") {
            let path = top.join("services");
            for (pin, entry) in services {
                let place = path.join(pin);
                match pin.parse::<Pin>() {
                    Ok(pin) => {
                        let entry = self.service(&place, entry);
                        settings.services.insert(pin, entry);
                    }
                    Err(error) => self.problems.push(Problem::new(place, error.to_string())),
                }
            }
        }
        if self.problems.is_empty() {
            Ok((settings, Problems(self.notes)))
        } else {
            Err(Problems(self.problems))
        }
    }

    fn plugin(&mut self, place: &DocumentPath, entry: &Value) -> PluginSettings {
        let mut settings = PluginSettings::default();
        let Some(entry) = self.object(place, entry) else { return settings };
        self.note_unknown(place, entry, &["enabled", "config"]);
        settings.enabled = self.enabled(place, entry);
        settings.config = self.table(place, entry, "config").cloned().unwrap_or_default();
        settings
    }

    fn service(&mut self, place: &DocumentPath, entry: &Value) -> ServiceSettings {
        let mut settings = ServiceSettings::default();
        let Some(entry) = self.object(place, entry) else { return settings };
        self.note_unknown(place, entry, &["enabled", "priority", "config"]);
        settings.enabled = self.enabled(place, entry);
        settings.config = self.table(place, entry, "config").cloned().unwrap_or_default();
        settings.priority = match entry.get("priority") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let priority = whole(value).map(Priority::new);
                if priority.is_none() {
                    self.wrong(place.join("priority"), "a number", value);
                }
                priority
            }
        };
        settings
    }

    fn enabled(&mut self, place: &DocumentPath, entry: &ConfigTable) -> bool {
        match entry.get("enabled") {
            None => true,
            Some(Value::Bool(enabled)) => *enabled,
            Some(other) => {
                self.wrong(place.join("enabled"), "`true` or `false`", other);
                true
            }
        }
    }

    fn table<'a>(
        &mut self,
        place: &DocumentPath,
        parent: &'a ConfigTable,
        key: &str,
    ) -> Option<&'a ConfigTable> {
        parent.get(key).and_then(|value| self.object(&place.join(key), value))
    }

    fn object<'a>(&mut self, place: &DocumentPath, value: &'a Value) -> Option<&'a ConfigTable> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong(place.clone(), "a table", value);
        }
        object
    }

    fn wrong(&mut self, place: DocumentPath, expected: &str, found: &Value) {
        self.problems.push(Problem::new(place, format!("expected {expected}, found {}", kind(found))));
    }

    fn note_unknown(&mut self, place: &DocumentPath, table: &ConfigTable, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            let note = Problem::new(place.join(key), format!("`{key}` means nothing here and is ignored"));
            let remedy = match nearest(key, known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None if known.contains(&"config") => {
                    format!("configuration belongs under `{}`", place.join("config"))
                }
                None => format!("known here: {}", known.join(", ")),
            };
            self.notes.push(note.remedy(remedy));
        }
    }

    fn table_from_toml(&mut self, place: &DocumentPath, table: toml::Table) -> ConfigTable {
        table
            .into_iter()
            .map(|(key, value)| {
                let value = self.value_from_toml(&place.join(&key), value);
                (key, value)
            })
            .collect()
    }

    fn value_from_toml(&mut self, place: &DocumentPath, value: toml::Value) -> Value {
        match value {
            toml::Value::String(text) => Value::String(text),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Boolean(truth) => truth.into(),
            toml::Value::Datetime(time) => time.to_string().into(),
            toml::Value::Float(number) => serde_json::Number::from_f64(number).map_or_else(
                || {
                    let problem = Problem::new(place.clone(), format!("`{number}` is not a finite number"));
                    self.problems.push(problem.remedy("write a number"));
                    Value::Null
                },
                Value::Number,
            ),
            toml::Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(i, item)| self.value_from_toml(&place.join(i.to_string()), item))
                .collect(),
            toml::Value::Table(table) => Value::Object(self.table_from_toml(place, table)),
        }
    }
}

fn whole(value: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a priority with a fraction is cut, as the wire form says"
    )]
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64))
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {text:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a table".to_owned(),
    }
}
