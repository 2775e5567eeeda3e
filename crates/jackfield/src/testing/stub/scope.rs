use std::{
    cmp::Reverse,
    collections::HashMap,
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    config::{AnyConfig, ConfigCell},
    id::{Pin, PluginId, SlotId},
    manifest::Manifest,
    plan::ScopeName,
    priority::Priority,
    registry::{Candidate, Offer, Registrar, Registration, Terms, View},
    scope::Scope,
    settings::{ConfigTable, DocumentPath, Problems, RuntimeSettings},
    slot::Slot,
};

/// The name under which fakes are registered.
const FAKE: PluginId = PluginId::new("fake");

/// A scope made by hand: a real registry and a real bus, filled by the test. Dereferences to a [`Scope`].
///
/// What is declared here counts at once, by priority and then in the order in which it was declared. Services are
/// built when they are first looked up, singletons too.
pub struct StubScope {
    scope: Scope,
    settings: RuntimeSettings,
    registrations: Mutex<Vec<Arc<Registration>>>,
}

impl StubScope {
    pub(super) fn new(name: ScopeName, settings: RuntimeSettings) -> Self {
        Self { scope: Scope::new(name), settings, registrations: Mutex::default() }
    }

    /// Takes what `declare` declares in the name of `plugin`, in place of what was declared in its name before.
    /// Configurations come from the settings; their enabling and their priorities are not looked at.
    ///
    /// # Errors
    ///
    /// The settings hold a configuration that does not fit: everything that is wrong, at once.
    pub fn declare(
        &self,
        plugin: &PluginId,
        declare: impl FnOnce(&mut Registrar<'_>),
    ) -> Result<(), Problems> {
        let mut offers: Vec<Offer> = Vec::new();
        declare(&mut Registrar::new(&mut offers));
        let (mut declared, mut problems) = (Vec::new(), Vec::new());
        for offer in offers {
            match self.service_config(plugin, &offer.terms) {
                Ok(config) => declared.push(registered(plugin.clone(), offer, config)),
                Err(found) => problems.extend(found.0),
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        self.replace(|registration| registration.plugin == *plugin, declared);
        Ok(())
    }

    /// Takes away all that was declared in the name of `plugin`.
    pub fn withdraw(&self, plugin: &PluginId) {
        self.replace(|registration| registration.plugin == *plugin, Vec::new());
    }

    /// Puts `service` into `slot`, in place of whatever is there: it is registered at [`Priority::SYSTEM`], above all that
    /// plugins ask for. A second fake for the same slot replaces the first.
    pub fn fake<T: ?Sized + Send + Sync + 'static>(&self, slot: Slot<T>, service: Arc<T>) {
        let mut offers: Vec<Offer> = Vec::new();
        Registrar::new(&mut offers).provide(slot).priority(Priority::SYSTEM).value(service);
        let fakes = offers.into_iter().map(|offer| registered(FAKE, offer, None)).collect();
        let same =
            |registration: &Registration| registration.plugin == FAKE && *registration.slot() == slot.id();
        self.replace(same, fakes);
    }

    pub(super) fn settings(&self) -> &RuntimeSettings {
        &self.settings
    }

    /// Where the configuration of a plugin lives, if it has one.
    pub(super) fn plugin_config(&self, manifest: &Manifest) -> Result<Option<Arc<dyn ConfigCell>>, Problems> {
        let Some(spec) = manifest.config_spec() else { return Ok(None) };
        let path = DocumentPath::new(["plugins", manifest.id().as_str(), "config"]);
        let config = spec.read(&path, &self.settings.plugin_config(manifest.id()));
        Ok(Some(spec.cell(config?)))
    }

    fn service_config(&self, plugin: &PluginId, offer: &Terms) -> Result<Option<AnyConfig>, Problems> {
        let Some(spec) = &offer.config else { return Ok(None) };
        let nothing = ConfigTable::new();
        let written = self.settings.written_config(plugin, &offer.slot);
        let (pin, table) =
            written.unwrap_or_else(|| (Pin::new(plugin.clone(), offer.slot.clone()), &nothing));
        spec.read(&DocumentPath::new(["services", &pin.to_string(), "config"]), table).map(Some)
    }

    fn replace(&self, which: impl Fn(&Registration) -> bool, with: Vec<Arc<Registration>>) {
        let mut registrations = self.registrations.lock().unwrap_or_else(PoisonError::into_inner);
        let (gone, mut kept): (Vec<_>, Vec<_>) =
            registrations.drain(..).partition(|registration| which(registration));
        kept.extend(with);
        let view = self.scope.registry().publish(Arc::new(view_of(&kept)));
        *registrations = kept;
        drop(registrations);
        drop((gone, view)); // services are the test's own code, which may look here while it is dropped
    }
}

fn registered(plugin: PluginId, offer: Offer, config: Option<AnyConfig>) -> Arc<Registration> {
    let Offer { terms, means } = offer;
    Arc::new(Registration::new(plugin, Arc::new(terms), means, config))
}

fn view_of(registrations: &[Arc<Registration>]) -> View {
    let mut slots: HashMap<SlotId, Vec<Candidate>> = HashMap::new();
    for registration in registrations {
        let (priority, enabled) = (registration.terms.priority, true);
        let candidate = Candidate { registration: Arc::clone(registration), priority, enabled };
        slots.entry(registration.slot().clone()).or_default().push(candidate);
    }
    View::new(slots.into_iter().map(|(slot, mut candidates)| {
        candidates.sort_by_key(|candidate| Reverse(candidate.priority)); // stable: then as declared
        (slot, candidates.into_iter().collect())
    }))
}

impl Deref for StubScope {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}

impl fmt::Debug for StubScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scope.fmt(f)
    }
}
