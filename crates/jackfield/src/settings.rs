//! The desired state of a runtime, as a plain value.

use std::collections::BTreeMap;

use crate::{
    id::{Pin, PluginId, SlotId},
    priority::Priority,
};

mod locate;
mod overlay;
mod problem;
mod read;
mod write;
mod migrate;

pub use locate::{Position, locate_in_toml};
pub use migrate::Migrations;
pub use problem::{DocumentPath, Problem, Problems};

/// A configuration as settings hold it: an object of JSON values, in the order in which it was written.
pub type ConfigTable = serde_json::Map<String, serde_json::Value>;

/// The desired state: which plugins take part, which candidate wins a contested slot, and how each is configured.
///
/// A plain value that owns all it holds: clone it, change the clone, hand it to
/// [`PluginRuntime::update_settings`](crate::PluginRuntime::update_settings). What it does not mention keeps its
/// default: a plugin is on unless it is experimental.
///
/// What a document says beyond that is kept and written back, so that a file written by a newer program survives an
/// older one.
///
/// The same document is read from TOML and from JSON:
///
/// ```
/// use jackfield::RuntimeSettings;
///
/// let toml = r#"
///     [plugins.formal]
///     enabled = true
///     config = { title = "Dr" }
///
///     [services."formal:chat.greeter"]
///     priority = 700
/// "#;
/// let json = r#"{ "plugins": { "formal": { "enabled": true, "config": { "title": "Dr" } } },
///                 "services": { "formal:chat.greeter": { "priority": 700 } } }"#;
/// assert_eq!(RuntimeSettings::from_toml(toml)?, RuntimeSettings::from_json(json)?);
/// # Ok::<(), jackfield::Problems>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuntimeSettings {
    /// Per plugin: whether it takes part, and its configuration.
    pub plugins: BTreeMap<PluginId, PluginSettings>,
    /// Per pin: whether the candidate takes part, its priority, and its configuration.
    pub services: BTreeMap<Pin, ServiceSettings>,
    /// The application's version of the document, if it says one. See [`Migrations`].
    pub version: Option<u64>,
    /// What else the document says: kept, and written back.
    pub other: ConfigTable,
}

/// What settings say about one plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginSettings {
    /// Whether the plugin takes part. An entry that does not say means yes.
    pub enabled: bool,
    /// The plugin's own configuration.
    pub config: ConfigTable,
    /// What else the entry says: kept, and written back.
    pub other: ConfigTable,
}

/// What settings say about one pin.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSettings {
    /// Whether the candidate takes part; in a wildcard, whether the slot is open at all.
    pub enabled: bool,
    /// The priority instead of the one the plugin asked for.
    pub priority: Option<Priority>,
    /// The candidate's configuration.
    pub config: ConfigTable,
    /// What else the entry says: kept, and written back.
    pub other: ConfigTable,
}

impl Default for PluginSettings {
    fn default() -> Self {
        Self { enabled: true, config: ConfigTable::new(), other: ConfigTable::new() }
    }
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self { enabled: true, priority: None, config: ConfigTable::new(), other: ConfigTable::new() }
    }
}

impl RuntimeSettings {
    /// Reads a TOML document.
    ///
    /// # Errors
    ///
    /// Every problem at once, each with its path and its line and column. Unknown keys are no error: see
    /// [`read_toml`](Self::read_toml).
    pub fn from_toml(text: &str) -> Result<Self, Problems> {
        Self::read_toml(text).map(|(settings, _)| settings)
    }

    /// Reads a TOML document; beside the settings, the keys that mean nothing and are likely a mistake.
    ///
    /// # Errors
    ///
    /// As [`from_toml`](Self::from_toml).
    pub fn read_toml(text: &str) -> Result<(Self, Problems), Problems> {
        Migrations::default().read_toml(text)
    }

    /// Reads a JSON document.
    ///
    /// # Errors
    ///
    /// Every problem at once, each with its path. Unknown keys are no error.
    pub fn from_json(text: &str) -> Result<Self, Problems> {
        Migrations::default().read_json(text).map(|(settings, _)| settings)
    }

    /// A changed copy.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = self.clone();
        change(&mut changed);
        changed
    }

    /// Switches `plugin` on.
    ///
    /// # Panics
    ///
    /// If `plugin` is no id. Parse what comes from outside: [`PluginId::parse`].
    #[track_caller]
    pub fn enable(&mut self, plugin: impl AsRef<str>) {
        self.plugin_mut(plugin).enabled = true;
    }

    /// Switches `plugin` off.
    ///
    /// # Panics
    ///
    /// If `plugin` is no id. Parse what comes from outside: [`PluginId::parse`].
    #[track_caller]
    pub fn disable(&mut self, plugin: impl AsRef<str>) {
        self.plugin_mut(plugin).enabled = false;
    }

    /// Sets one value of the configuration of `plugin`.
    ///
    /// # Panics
    ///
    /// If `plugin` is no id. Parse what comes from outside: [`PluginId::parse`].
    #[track_caller]
    pub fn configure(&mut self, plugin: impl AsRef<str>, key: &str, value: impl Into<serde_json::Value>) {
        self.plugin_mut(plugin).config.insert(key.to_owned(), value.into());
    }

    /// The entry of `pin`, made if there is none.
    pub fn service_mut(&mut self, pin: Pin) -> &mut ServiceSettings {
        self.services.entry(pin).or_default()
    }

    /// The entry of `plugin`, made if there is none.
    ///
    /// # Panics
    ///
    /// If `plugin` is no id.
    #[track_caller]
    pub fn plugin_mut(&mut self, plugin: impl AsRef<str>) -> &mut PluginSettings {
        let id = match PluginId::parse(plugin.as_ref()) {
            Ok(id) => id,
            Err(error) => panic!("{error}"),
        };
        self.plugins.entry(id).or_default()
    }

    /// Whether the entry of `plugin` says that it is on; yes without an entry. Neither flags nor dependencies count.
    pub fn is_plugin_enabled(&self, plugin: &PluginId) -> bool {
        self.plugins.get(plugin).is_none_or(|entry| entry.enabled)
    }

    /// Whether the entry of `pin` says that it is on; yes without an entry.
    pub fn is_service_enabled(&self, pin: &Pin) -> bool {
        self.services.get(pin).is_none_or(|entry| entry.enabled)
    }

    /// The configuration of `plugin`; empty without an entry.
    pub fn plugin_config(&self, plugin: &PluginId) -> ConfigTable {
        self.plugins.get(plugin).map(|entry| entry.config.clone()).unwrap_or_default()
    }

    /// The configuration of `pin`; empty without an entry.
    pub fn service_config(&self, pin: &Pin) -> ConfigTable {
        self.services.get(pin).map(|entry| entry.config.clone()).unwrap_or_default()
    }

    /// The configuration that counts for the service of `plugin` in `slot`, and under which pin it is written: that of its
    /// own pin, or else the one for whoever wins the slot, as a whole. `None` if neither says anything.
    pub(crate) fn written_config(&self, plugin: &PluginId, slot: &SlotId) -> Option<(Pin, &ConfigTable)> {
        let pins = [Pin::new(plugin.clone(), slot.clone()), Pin::wildcard(slot.clone())];
        pins.into_iter().find_map(|pin| {
            let config = &self.services.get(&pin)?.config;
            (!config.is_empty()).then_some((pin, config))
        })
    }
}
