//! From a value to a document, with everything that was in the document it came from.

use serde::{Serialize, Serializer, ser::Error};
use serde_json::{Map, Value, json};

use super::{ConfigTable, PluginSettings, RuntimeSettings, ServiceSettings};

impl RuntimeSettings {
    /// The document as JSON. Every entry says whether it is on, and has its configuration.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", Value::Object(self.to_document()))
    }

    /// The document as TOML. It knows no `null`: such values are left out, and read as absent. Nor does it know whole
    /// numbers from 2⁶³ on: they become floats, which are near.
    pub fn to_toml(&self) -> String {
        let mut document = Value::Object(self.to_document());
        fit_for_toml(&mut document);
        // Maps with text keys, and by now nothing in them that TOML could refuse.
        toml::to_string_pretty(&document).unwrap_or_default()
    }

    /// The document as plain values.
    pub fn to_document(&self) -> ConfigTable {
        let mut document = Map::new();
        document.extend(self.version.map(|version| ("version".to_owned(), version.into())));
        let plugins: Map<_, _> =
            self.plugins.iter().map(|(id, entry)| (id.to_string(), entry.to_value())).collect();
        let services: Map<_, _> =
            self.services.iter().map(|(pin, entry)| (pin.to_string(), entry.to_value())).collect();
        document.insert("plugins".to_owned(), plugins.into());
        document.insert("services".to_owned(), services.into());
        document.extend(self.other.clone());
        document
    }
}

impl PluginSettings {
    fn to_value(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("enabled".to_owned(), self.enabled.into());
        entry.insert("config".to_owned(), json!(self.config));
        entry.extend(self.other.clone());
        entry.into()
    }
}

impl ServiceSettings {
    fn to_value(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("enabled".to_owned(), self.enabled.into());
        entry.extend(self.priority.map(|priority| ("priority".to_owned(), priority.value().into())));
        entry.insert("config".to_owned(), json!(self.config));
        entry.extend(self.other.clone());
        entry.into()
    }
}

impl Serialize for RuntimeSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_document().serialize(serializer).map_err(S::Error::custom)
    }
}

/// Takes out or replaces what TOML does not know.
fn fit_for_toml(value: &mut Value) {
    match value {
        Value::Object(table) => {
            table.retain(|_, value| !value.is_null());
            table.values_mut().for_each(fit_for_toml);
        }
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(fit_for_toml);
        }
        Value::Number(number) if number.is_u64() && !number.is_i64() => *value = number.as_f64().into(),
        _ => {}
    }
}
