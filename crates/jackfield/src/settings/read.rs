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

/// A TOML document as plain values.
pub(super) fn toml(text: &str) -> Result<ConfigTable, Problems> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let position = error.span().map(|span| Position::of_offset(text, span.start));
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let problem = Problem::new(DocumentPath::default(), format!("not TOML: {message}"));
        Problems(vec![Problem { position, ..problem }])
    })?;
    let mut problems = Vec::new();
    let document = table_from_toml(&mut problems, &DocumentPath::default(), table);
    if problems.is_empty() { Ok(document) } else { Err(Problems(problems)) }
}

/// A JSON document as plain values.
pub(super) fn json(text: &str) -> Result<ConfigTable, Problems> {
    let document: Value = serde_json::from_str(text).map_err(|error| {
        let problem = Problem::new(DocumentPath::default(), format!("not JSON: {error}"));
        let position = Some(Position { line: error.line(), column: error.column() });
        Problems(vec![Problem { position, ..problem }])
    })?;
    match document {
        Value::Object(document) => Ok(document),
        other => {
            let message = format!("expected an object, found {}", kind(&other));
            Err(Problems(vec![Problem::new(DocumentPath::default(), message)]))
        }
    }
}

/// The settings that a document holds; beside them, what is likely a mistake.
pub(super) fn document(document: &ConfigTable) -> Read {
    Reader::default().document(document)
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
    notes: Vec<Problem>,
}

impl Reader {
    fn document(mut self, document: &ConfigTable) -> Read {
        let top = DocumentPath::default();
        let mut settings = RuntimeSettings {
            other: self.other(&top, document, &["version", "plugins", "services"]),
            version: self.version(&top, document),
            ..RuntimeSettings::default()
        };
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
        settings.other = self.other(place, entry, &["enabled", "config"]);
        settings.enabled = self.enabled(place, entry);
        settings.config = self.table(place, entry, "config").cloned().unwrap_or_default();
        settings
    }

    fn service(&mut self, place: &DocumentPath, entry: &Value) -> ServiceSettings {
        let mut settings = ServiceSettings::default();
        let Some(entry) = self.object(place, entry) else { return settings };
        settings.other = self.other(place, entry, &["enabled", "priority", "config"]);
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

    fn version(&mut self, place: &DocumentPath, document: &ConfigTable) -> Option<u64> {
        let value = document.get("version")?;
        let version = value.as_u64();
        if version.is_none() {
            self.wrong(place.join("version"), "a whole number", value);
        }
        version
    }

    /// What `table` says beyond what is known; noted, because most of it is a mistake.
    fn other(&mut self, place: &DocumentPath, table: &ConfigTable, known: &[&str]) -> ConfigTable {
        let unknown = |key: &&String| !known.contains(&key.as_str());
        for key in table.keys().filter(unknown) {
            let note = Problem::new(place.join(key), format!("`{key}` means nothing here"));
            let remedy = match nearest(key, known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None if known.contains(&"config") => {
                    format!("configuration belongs under `{}`", place.join("config"))
                }
                None => format!("known here: {}", known.join(", ")),
            };
            self.notes.push(note.remedy(remedy));
        }
        table
            .iter()
            .filter(|(key, _)| unknown(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

fn table_from_toml(problems: &mut Vec<Problem>, place: &DocumentPath, table: toml::Table) -> ConfigTable {
    let entries = table.into_iter().map(|(key, value)| {
        let value = value_from_toml(problems, &place.join(&key), value);
        (key, value)
    });
    entries.collect()
}

fn value_from_toml(problems: &mut Vec<Problem>, place: &DocumentPath, value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Float(number) => match serde_json::Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => {
                let problem = Problem::new(place.clone(), format!("`{number}` is not a finite number"));
                problems.push(problem.remedy("write a number"));
                Value::Null
            }
        },
        toml::Value::Array(items) => {
            let items = items.into_iter().enumerate();
            items.map(|(i, item)| value_from_toml(problems, &place.join(i.to_string()), item)).collect()
        }
        toml::Value::Table(table) => Value::Object(table_from_toml(problems, place, table)),
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
