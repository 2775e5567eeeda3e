use super::{PluginSettings, RuntimeSettings, ServiceSettings};

impl RuntimeSettings {
    /// These settings with `overlay` on top: an entry of the overlay says whether it is on; it has the priority and the
    /// configuration of the one below where it has none itself. Configurations are taken whole, never merged.
    #[must_use]
    pub fn overlaid(&self, overlay: &Self) -> Self {
        let mut settings = self.clone();
        for (plugin, over) in &overlay.plugins {
            let below = settings.plugins.entry(plugin.clone()).or_default();
            let config = if over.config.is_empty() { below.config.clone() } else { over.config.clone() };
            *below = PluginSettings { enabled: over.enabled, config, other: over.other.clone() };
        }
        for (pin, over) in &overlay.services {
            let below = settings.services.entry(pin.clone()).or_default();
            let config = if over.config.is_empty() { below.config.clone() } else { over.config.clone() };
            let priority = over.priority.or(below.priority);
            *below = ServiceSettings { enabled: over.enabled, priority, config, other: over.other.clone() };
        }
        settings
    }

    /// Whether nothing is said about anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
