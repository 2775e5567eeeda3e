//! What a plugin declares while it registers.

use std::{
    any::{Any, TypeId, type_name},
    fmt,
    sync::Arc,
};

use super::{
    Resolver,
    cell::{ServiceCell, contained},
    erased::Erased,
};
use crate::{
    config::{AnyConfig, ConfigCell, ConfigSpec, Configuration, Live},
    error::BoxError,
    foreign::Foreign,
    id::{PluginId, SlotId},
    priority::Priority,
    slot::Slot,
};

/// How a service is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Anew at every lookup.
    Factory,
    /// Once per scope, before any plugin attaches.
    Singleton,
    /// Once per scope, when first looked up.
    Lazy,
}

type Make = dyn Fn(&Resolver<'_>, Option<&Arc<dyn ConfigCell>>) -> Result<Erased, BoxError> + Send + Sync;

/// One plugin's candidate for one slot, as declared.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) slot: SlotId,
    pub(crate) type_id: TypeId,
    pub(crate) type_name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) priority: Priority,
    pub(crate) config: Option<ConfigSpec>,
    capabilities: Arc<[Foreign<Arc<dyn Any + Send + Sync>>]>,
    make: Foreign<Arc<Make>>,
}

impl Offer {
    /// Whether plans that were made for `other` hold for this one.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let configs = match (&self.config, &other.config) {
            (Some(one), Some(other)) => one.is_of_type_of(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let (mine, its) =
            ((self.type_id, self.kind, self.priority), (other.type_id, other.kind, other.priority));
        self.slot == other.slot && mine == its && configs
    }
}

/// One plugin's candidate for one slot in one scope. Its identity is its own: a plugin that goes and comes back
/// brings new ones.
pub(crate) struct Registration {
    pub(crate) plugin: PluginId,
    pub(crate) slot: SlotId,
    pub(crate) kind: Kind,
    pub(crate) base_priority: Priority,
    pub(crate) type_name: &'static str,
    pub(crate) config: Option<Arc<dyn ConfigCell>>,
    capabilities: Arc<[Foreign<Arc<dyn Any + Send + Sync>>]>,
    make: Foreign<Arc<Make>>,
    cell: ServiceCell,
}

impl Registration {
    pub(crate) fn new(plugin: PluginId, offer: Offer, config: Option<AnyConfig>) -> Self {
        let Offer { slot, type_name, kind, priority, config: spec, capabilities, make, .. } = offer;
        let config = spec.zip(config).map(|(spec, config)| spec.cell(config));
        let cell = ServiceCell::default();
        Self { plugin, slot, kind, base_priority: priority, type_name, config, capabilities, make, cell }
    }

    /// The service, built if it has not been yet.
    pub(super) fn provide(&self, resolver: &Resolver<'_>) -> Result<Erased, Arc<str>> {
        let build = || (self.make)(resolver, self.config.as_ref());
        match self.kind {
            Kind::Factory => contained(build),
            Kind::Singleton | Kind::Lazy => match self.cell.get() {
                Some(service) => Ok(service.clone()),
                None => self.cell.get_or_build(build),
            },
        }
    }

    /// Builds what must stand before anybody attaches.
    pub(crate) fn prepare(&self, resolver: &Resolver<'_>) -> Result<(), Arc<str>> {
        match self.kind {
            Kind::Singleton => self.provide(resolver).map(drop),
            Kind::Factory | Kind::Lazy => Ok(()),
        }
    }

    pub(crate) fn capability<C: Any + Send + Sync>(&self) -> Option<Arc<C>> {
        self.capabilities.iter().find_map(|capability| Arc::clone(&**capability).downcast().ok())
    }
}

/// What a plugin may do while it registers: declare what it offers, and nothing else.
pub struct Registrar<'a> {
    offers: &'a mut Vec<Offer>,
    default_priority: Priority,
}

impl<'a> Registrar<'a> {
    pub(crate) fn new(offers: &'a mut Vec<Offer>) -> Self {
        Self { offers, default_priority: Priority::NORMAL }
    }

    /// The same registrar with another priority for what does not say.
    pub fn with_default_priority(&mut self, priority: Priority) -> Registrar<'_> {
        Registrar { offers: self.offers, default_priority: priority }
    }

    /// Offers a candidate for `slot`. What it returns says how the service is made: end with one of
    /// [`singleton`](Offering::singleton), [`configured`](Offering::configured), [`value`](Offering::value),
    /// [`lazy`](Offering::lazy) or [`factory`](Offering::factory).
    pub fn provide<T: ?Sized + Send + Sync + 'static>(&mut self, slot: Slot<T>) -> Offering<'_, T> {
        let priority = self.default_priority;
        Offering { offers: self.offers, slot, priority, capabilities: Vec::new() }
    }
}

impl fmt::Debug for Registrar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.offers.iter().map(|offer| &offer.slot)).finish()
    }
}

/// A candidate in the making.
#[must_use = "an offering counts only once it says how the service is made"]
pub struct Offering<'a, T: ?Sized> {
    offers: &'a mut Vec<Offer>,
    slot: Slot<T>,
    priority: Priority,
    capabilities: Vec<Foreign<Arc<dyn Any + Send + Sync>>>,
}

impl<T: ?Sized + Send + Sync + 'static> Offering<'_, T> {
    /// The candidate's authority, unless settings say otherwise.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Adds metadata that can be read without building the service.
    pub fn capability(mut self, capability: impl Any + Send + Sync) -> Self {
        self.capabilities.push(Foreign::new(Arc::new(capability)));
        self
    }

    /// Made once per scope, before any plugin attaches.
    pub fn singleton(self, make: impl Fn(&Resolver<'_>) -> Arc<T> + Send + Sync + 'static) {
        self.offer(Kind::Singleton, None, Arc::new(move |resolver, _| Ok(Erased::new(make(resolver)))));
    }

    /// As [`singleton`](Self::singleton), with a configuration that follows the settings.
    pub fn configured<C: Configuration>(self, make: impl Fn(Live<C>) -> Arc<T> + Send + Sync + 'static) {
        let make = move |_: &Resolver<'_>, cell: Option<&Arc<dyn ConfigCell>>| {
            let config = cell.and_then(|cell| Live::of(Arc::clone(cell)));
            Ok(Erased::new(make(config.ok_or("its configuration was not read")?)))
        };
        self.offer(Kind::Singleton, Some(ConfigSpec::of::<C>()), Arc::new(make));
    }

    /// A service that exists already, shared with every scope that registers it.
    pub fn value(self, service: Arc<T>) {
        self.offer(Kind::Singleton, None, Arc::new(move |_, _| Ok(Erased::new(Arc::clone(&service)))));
    }

    /// Made once per scope, when it is first looked up.
    pub fn lazy(self, make: impl Fn(&Resolver<'_>) -> Result<Arc<T>, BoxError> + Send + Sync + 'static) {
        self.offer(Kind::Lazy, None, Arc::new(move |resolver, _| make(resolver).map(Erased::new)));
    }

    /// Made anew at every lookup.
    pub fn factory(self, make: impl Fn(&Resolver<'_>) -> Result<Arc<T>, BoxError> + Send + Sync + 'static) {
        self.offer(Kind::Factory, None, Arc::new(move |resolver, _| make(resolver).map(Erased::new)));
    }

    fn offer(self, kind: Kind, config: Option<ConfigSpec>, make: Arc<Make>) {
        let Self { offers, slot, priority, capabilities } = self;
        let offer = Offer {
            slot: slot.id(),
            type_id: TypeId::of::<T>(),
            type_name: type_name::<T>(),
            kind,
            priority,
            config,
            capabilities: capabilities.into(),
            make: Foreign::new(make),
        };
        // A second offer of one plugin for one slot takes the place of the first.
        match offers.iter_mut().find(|earlier| earlier.slot == offer.slot) {
            Some(earlier) => *earlier = offer,
            None => offers.push(offer),
        }
    }
}

impl<T: ?Sized> fmt::Debug for Offering<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offering").field("slot", &self.slot).field("priority", &self.priority).finish()
    }
}
