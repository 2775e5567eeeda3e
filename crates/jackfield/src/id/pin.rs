use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

use super::{PluginId, SlotId};

/// What a service setting is about: one plugin's candidate for a slot (`plugin:slot`), or whichever candidate wins
/// the slot (`*:slot`).
///
/// ```
/// use jackfield::{Pin, PluginId, SlotId};
///
/// let pin: Pin = "formal:chat.greeter".parse()?;
/// assert_eq!(pin, Pin::new(PluginId::new("formal"), SlotId::new("chat.greeter")));
/// assert!("*:chat.greeter".parse::<Pin>()?.is_wildcard());
/// # Ok::<(), jackfield::InvalidPin>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pin {
    plugin: Option<PluginId>,
    slot: SlotId,
}

/// A text that cannot be a pin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a pin: write `plugin:slot`, or `*:slot` for whoever wins the slot")]
pub struct InvalidPin {
    /// What was given.
    pub text: String,
}

impl Pin {
    /// The candidate of `plugin` for `slot`.
    pub fn new(plugin: PluginId, slot: impl Into<SlotId>) -> Self {
        Self { plugin: Some(plugin), slot: slot.into() }
    }

    /// Whoever wins `slot`.
    pub fn wildcard(slot: impl Into<SlotId>) -> Self {
        Self { plugin: None, slot: slot.into() }
    }

    /// The plugin; `None` in a wildcard.
    pub fn plugin(&self) -> Option<&PluginId> {
        self.plugin.as_ref()
    }

    /// The slot.
    pub fn slot(&self) -> &SlotId {
        &self.slot
    }

    /// Whether this is `*:slot`.
    pub fn is_wildcard(&self) -> bool {
        self.plugin.is_none()
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.plugin.as_ref().map_or("*", PluginId::as_str), self.slot)
    }
}

impl FromStr for Pin {
    type Err = InvalidPin;

    fn from_str(text: &str) -> Result<Self, InvalidPin> {
        let invalid = || InvalidPin { text: text.to_owned() };
        let (plugin, slot) = text.split_once(':').ok_or_else(invalid)?;
        let slot = SlotId::parse(slot).map_err(|_| invalid())?;
        if plugin == "*" {
            return Ok(Self { plugin: None, slot });
        }
        let plugin = PluginId::parse(plugin).map_err(|_| invalid())?;
        Ok(Self { plugin: Some(plugin), slot })
    }
}

impl Serialize for Pin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
