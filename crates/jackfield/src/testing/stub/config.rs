use std::{fmt, marker::PhantomData, sync::Arc};

use crate::{
    config::{ConfigCell, ConfigSpec, Configuration, Live},
    context::SettingsChange,
    foreign::Foreign,
    settings::{ConfigTable, DocumentPath, Problems},
};

/// A configuration that the test writes, where a runtime would follow the settings.
///
/// For a service alone: `Butler(config.live())`. For a plugin: [`StubSession::context_with`](super::StubSession).
/// Clones are the same configuration.
pub struct StubConfig<C> {
    cell: Arc<dyn ConfigCell>,
    holds: PhantomData<fn() -> C>,
}

impl<C: Configuration> StubConfig<C> {
    /// One that is `config` until it is set anew.
    pub fn new(config: C) -> Self {
        Self { cell: ConfigSpec::of::<C>().cell(Arc::new(config)), holds: PhantomData }
    }

    /// One that is read as it stands in settings, defaults and all.
    ///
    /// # Errors
    ///
    /// All that does not fit the type, or breaks the limits of its schema; paths begin within the configuration.
    pub fn read(table: &ConfigTable) -> Result<Self, Problems> {
        let spec = ConfigSpec::of::<C>();
        let config = spec.read(&DocumentPath::default(), table)?;
        Ok(Self { cell: spec.cell(config), holds: PhantomData })
    }

    /// What services and plugins hold: it follows this one.
    pub fn live(&self) -> Live<C> {
        match Live::of(Arc::clone(&self.cell)) {
            Some(live) => live,
            None => unreachable!("the cell was made for this type"),
        }
    }

    /// Writes it anew. Whoever waits for a change wakes up, also if it is the same.
    pub fn set(&self, config: C) {
        drop(self.cell.replace(Arc::new(config)));
    }

    /// The same; returns what a plugin is told of it in `settings_changed`. The settings as a whole are empty before and
    /// after.
    pub fn change(&self, config: C) -> SettingsChange {
        let old = self.cell.replace(Arc::new(config));
        let configs = (Foreign::new(old), Foreign::new(self.cell.load()));
        SettingsChange::new(Arc::default(), Arc::default(), Some(configs))
    }

    pub(super) fn cell(&self) -> Arc<dyn ConfigCell> {
        Arc::clone(&self.cell)
    }
}

impl<C: Configuration + Default> Default for StubConfig<C> {
    fn default() -> Self {
        Self::new(C::default())
    }
}
impl<C> Clone for StubConfig<C> {
    fn clone(&self) -> Self {
        Self { cell: Arc::clone(&self.cell), holds: PhantomData }
    }
}
impl<C> fmt::Debug for StubConfig<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StubConfig").field(&std::any::type_name::<C>()).finish()
    }
}
