//! What a plugin declares while it registers.

use std::{
    any::{Any, TypeId, type_name},
    fmt,
    sync::{Arc, OnceLock},
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

type Make = dyn Fn(&Resolver<'_>, Option<&Arc<dyn ConfigCell>>) -> Result<Built, BoxError> + Send + Sync;

/// What a builder made: the service, and what others want to remember of it under a type that they know.
pub(crate) struct Built {
    service: Erased,
    companion: Option<Companion>,
}

pub(crate) type Companion = Arc<dyn Any + Send + Sync>;

/// Called when a service was built, before anybody has it. If it fails, the service is not there.
pub(crate) type OnBuilt = Box<dyn Fn(&Companion) -> Result<(), BoxError> + Send + Sync>;

impl Built {
    fn new<T: ?Sized + Send + Sync + 'static>(service: Arc<T>) -> Self {
        Self { service: Erased::new(service), companion: None }
    }

    pub(crate) fn with<T: ?Sized + Send + Sync + 'static>(service: Arc<T>, companion: Companion) -> Self {
        Self { companion: Some(companion), ..Self::new(service) }
    }
}

/// What is known of one plugin's candidate for one slot before there is any: what plans are made from. The same for all
/// scopes.
pub(crate) struct Terms {
    pub(crate) slot: SlotId,
    pub(crate) former: Vec<SlotId>,
    pub(crate) type_id: TypeId,
    pub(crate) type_name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) priority: Priority,
    pub(crate) config: Option<ConfigSpec>,
    /// Whether its builder also makes a companion.
    pub(crate) has_companion: bool,
}

impl Terms {
    /// Whether plans that were made for `other` hold for these.
    pub(crate) fn are_same_as(&self, other: &Self) -> bool {
        let configs = match (&self.config, &other.config) {
            (Some(one), Some(other)) => one.is_of_type_of(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let (mine, its) =
            ((self.type_id, self.kind, self.priority), (other.type_id, other.kind, other.priority));
        self.slot == other.slot && mine == its && configs && self.has_companion == other.has_companion
    }
}

/// One plugin's candidate for one slot, as it offers it: terms, and how to come by the service.
pub(crate) struct Offer {
    pub(crate) terms: Terms,
    pub(crate) means: Means,
}

/// What a scope needs for a candidate of its own.
pub(crate) struct Means {
    capabilities: Arc<[Foreign<Arc<dyn Any + Send + Sync>>]>,
    make: Foreign<Arc<Make>>,
}

/// One plugin's candidate for one slot in one scope. Its identity is its own: a plugin that goes and comes back
/// brings new ones.
pub(crate) struct Registration {
    pub(crate) plugin: PluginId,
    pub(crate) terms: Arc<Terms>,
    pub(crate) config: Option<Arc<dyn ConfigCell>>,
    means: Means,
    cell: ServiceCell,
    /// Of a service that has a companion. Boxed, because most have none.
    company: Option<Box<Company>>,
}

/// What goes with a service that has a life of its own.
#[derive(Default)]
struct Company {
    companion: OnceLock<Foreign<Companion>>,
    on_built: OnceLock<OnBuilt>,
}

impl Registration {
    /// A registration of what `plugin` offers on these terms, which all scopes share.
    pub(crate) fn new(plugin: PluginId, terms: Arc<Terms>, means: Means, config: Option<AnyConfig>) -> Self {
        let config = terms.config.as_ref().zip(config).map(|(spec, config)| spec.cell(config));
        let company = terms.has_companion.then(Box::default);
        Self { plugin, terms, config, means, cell: ServiceCell::default(), company }
    }

    pub(crate) fn slot(&self) -> &SlotId {
        &self.terms.slot
    }

    /// Has `on_built` called when the service is built. Once, before that can happen.
    pub(crate) fn when_built(&self, on_built: OnBuilt) {
        if let Some(company) = &self.company {
            company.on_built.set(on_built).ok(); // it is called once, by whoever made the registration
        }
    }

    /// What the builder made besides the service; nothing before it was built.
    pub(crate) fn companion(&self) -> Option<&Companion> {
        self.company.as_ref()?.companion.get().map(|companion| &**companion)
    }

    /// The service if it stands already, as most do that are looked up.
    #[inline]
    pub(super) fn built(&self) -> Option<&Erased> {
        self.cell.get()
    }

    /// The service, built if it has not been yet; `None` if it is no `T`.
    pub(super) fn provide<T: ?Sized + Send + Sync + 'static>(
        &self,
        resolver: &Resolver<'_>,
    ) -> Result<Option<Arc<T>>, Arc<str>> {
        match self.terms.kind {
            Kind::Factory => contained(|| self.build(resolver)).map(|service| service.get()),
            Kind::Singleton | Kind::Lazy => self.cell.get_or_build(|| self.build(resolver)).map(Erased::get),
        }
    }

    /// Whether it must be built before anybody attaches, and has not been.
    pub(crate) fn must_be_built(&self) -> bool {
        self.terms.kind == Kind::Singleton && self.cell.get().is_none()
    }

    /// Builds one that must be.
    pub(crate) fn prepare(&self, resolver: &Resolver<'_>) -> Result<(), Arc<str>> {
        self.cell.get_or_build(|| self.build(resolver)).map(drop)
    }

    fn build(&self, resolver: &Resolver<'_>) -> Result<Erased, BoxError> {
        let Built { service, companion } = (self.means.make)(resolver, self.config.as_ref())?;
        if let (Some(companion), Some(company)) = (companion, &self.company) {
            company.on_built.get().map_or(Ok(()), |on_built| on_built(&companion))?;
            company.companion.set(Foreign::new(companion)).ok(); // what has company is no factory, and is built once
        }
        Ok(service)
    }

    pub(crate) fn capability<C: Any + Send + Sync>(&self) -> Option<Arc<C>> {
        self.capabilities().next()
    }

    /// The capabilities of one type, in the order in which they were added.
    pub(crate) fn capabilities<C: Any + Send + Sync>(&self) -> impl Iterator<Item = Arc<C>> {
        self.means.capabilities.iter().filter_map(|capability| Arc::clone(&**capability).downcast().ok())
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
    /// [`lazy`](Offering::lazy), [`factory`](Offering::factory) or one of their kin.
    pub fn provide<T: ?Sized + Send + Sync + 'static>(&mut self, slot: Slot<T>) -> Offering<'_, T> {
        let priority = self.default_priority;
        Offering {
            offers: self.offers,
            slot,
            former: Vec::new(),
            config: None,
            priority,
            capabilities: Vec::new(),
        }
    }
}

impl fmt::Debug for Registrar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.offers.iter().map(|offer| &offer.terms.slot)).finish()
    }
}

/// A candidate in the making.
#[must_use = "an offering counts only once it says how the service is made"]
pub struct Offering<'a, T: ?Sized> {
    offers: &'a mut Vec<Offer>,
    slot: Slot<T>,
    former: Vec<SlotId>,
    config: Option<ConfigSpec>,
    priority: Priority,
    capabilities: Vec<Foreign<Arc<dyn Any + Send + Sync>>>,
}

impl<T: ?Sized + Send + Sync + 'static> Offering<'_, T> {
    /// The candidate's authority, unless settings say otherwise.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// An id that the slot had before: pins that use it mean this slot, and are stored with the new id.
    ///
    /// # Panics
    ///
    /// If `slot` is malformed; see [`SlotId::new`].
    #[track_caller]
    pub fn formerly(mut self, slot: &'static str) -> Self {
        self.former.push(SlotId::new(slot));
        self
    }

    /// Adds metadata that can be read without building the service.
    pub fn capability(mut self, capability: impl Any + Send + Sync) -> Self {
        self.capabilities.push(Foreign::new(Arc::new(capability)));
        self
    }

    /// Says of which type the service's configuration is; for services that ask their context for it.
    pub fn config<C: Configuration>(mut self) -> Self {
        self.config = Some(ConfigSpec::of::<C>());
        self
    }

    /// Made once per scope, before any plugin attaches.
    pub fn singleton(self, make: impl Fn(&Resolver<'_>) -> Arc<T> + Send + Sync + 'static) {
        self.offer(Kind::Singleton, false, Arc::new(move |resolver, _| Ok(Built::new(make(resolver)))));
    }

    /// As [`singleton`](Self::singleton), where making it may fail: the change is then taken back.
    pub fn try_singleton(
        self,
        make: impl Fn(&Resolver<'_>) -> Result<Arc<T>, BoxError> + Send + Sync + 'static,
    ) {
        self.offer(Kind::Singleton, false, Arc::new(move |resolver, _| make(resolver).map(Built::new)));
    }

    /// As [`singleton`](Self::singleton), with a configuration that follows the settings.
    pub fn configured<C: Configuration>(self, make: impl Fn(Live<C>) -> Arc<T> + Send + Sync + 'static) {
        self.config::<C>().offer(Kind::Singleton, false, with_config(move |_, config| Ok(make(config))));
    }

    /// As [`try_singleton`](Self::try_singleton), with a configuration that follows the settings.
    pub fn configured_singleton<C: Configuration>(
        self,
        make: impl Fn(&Resolver<'_>, Live<C>) -> Result<Arc<T>, BoxError> + Send + Sync + 'static,
    ) {
        self.config::<C>().offer(Kind::Singleton, false, with_config(make));
    }

    /// As [`lazy`](Self::lazy), with a configuration that follows the settings.
    pub fn configured_lazy<C: Configuration>(
        self,
        make: impl Fn(&Resolver<'_>, Live<C>) -> Result<Arc<T>, BoxError> + Send + Sync + 'static,
    ) {
        self.config::<C>().offer(Kind::Lazy, false, with_config(make));
    }

    /// As [`factory`](Self::factory), with a configuration that follows the settings.
    pub fn configured_factory<C: Configuration>(
        self,
        make: impl Fn(&Resolver<'_>, Live<C>) -> Result<Arc<T>, BoxError> + Send + Sync + 'static,
    ) {
        self.config::<C>().offer(Kind::Factory, false, with_config(make));
    }

    /// A service that exists already, shared with every scope that registers it.
    pub fn value(self, service: Arc<T>) {
        self.offer(Kind::Singleton, false, Arc::new(move |_, _| Ok(Built::new(Arc::clone(&service)))));
    }

    /// Made once per scope, when it is first looked up, on the thread of whoever looks. If that fails, whoever looked has
    /// the error, and the next one tries again.
    pub fn lazy(self, make: impl Fn(&Resolver<'_>) -> Result<Arc<T>, BoxError> + Send + Sync + 'static) {
        self.offer(Kind::Lazy, false, Arc::new(move |resolver, _| make(resolver).map(Built::new)));
    }

    /// Made anew at every lookup.
    pub fn factory(self, make: impl Fn(&Resolver<'_>) -> Result<Arc<T>, BoxError> + Send + Sync + 'static) {
        self.offer(Kind::Factory, false, Arc::new(move |resolver, _| make(resolver).map(Built::new)));
    }

    pub(crate) fn offer(self, kind: Kind, has_companion: bool, make: Arc<Make>) {
        let Self { offers, slot, former, config, priority, capabilities } = self;
        let (slot, type_id, type_name) = (slot.id(), TypeId::of::<T>(), type_name::<T>());
        let terms = Terms { slot, former, type_id, type_name, kind, priority, config, has_companion };
        let capabilities = if capabilities.is_empty() { Arc::default() } else { capabilities.into() };
        let offer = Offer { terms, means: Means { capabilities, make: Foreign::new(make) } };
        // A second offer of one plugin for one slot takes the place of the first.
        match offers.iter_mut().find(|earlier| earlier.terms.slot == offer.terms.slot) {
            Some(earlier) => *earlier = offer,
            None => offers.push(offer),
        }
    }
}

fn with_config<T: ?Sized + Send + Sync + 'static, C: Configuration>(
    make: impl Fn(&Resolver<'_>, Live<C>) -> Result<Arc<T>, BoxError> + Send + Sync + 'static,
) -> Arc<Make> {
    Arc::new(move |resolver, cell| {
        let config = cell.and_then(|cell| Live::of(Arc::clone(cell)));
        make(resolver, config.ok_or("its configuration was not read")?).map(Built::new)
    })
}

impl<T: ?Sized> fmt::Debug for Offering<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offering").field("slot", &self.slot).field("priority", &self.priority).finish()
    }
}
