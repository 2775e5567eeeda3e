//! Which services a scope has, and who provides them.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;

use crate::{
    id::{Namespace, PluginId, SlotId},
    priority::Priority,
    slot::{Slot, Wanted},
};

mod cell;
mod erased;
mod news;
mod offer;
mod reader;
mod slots;
mod view;
mod watch;

use news::News;
pub(crate) use offer::{Built, Companion, Offer, Registration, Terms};
pub use offer::{Kind, Offering, Registrar};
pub use reader::Reader;
pub(crate) use view::{Candidate, SlotView, View};
pub use watch::Watch;

/// Why a slot gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// No plugin that takes part offers a candidate. Switch one on, or ask for another slot.
    #[error("no plugin that takes part offers `{slot}`")]
    NotRegistered {
        /// The slot asked for.
        slot: SlotId,
    },
    /// There are candidates, and settings have disabled all of them.
    #[error("every candidate for `{slot}` is disabled ({})", list(plugins))]
    Disabled {
        /// The slot asked for.
        slot: SlotId,
        /// Whose candidates they are.
        plugins: Vec<PluginId>,
    },
    /// Nobody comes after the plugin in the order of the slot, or the plugin has no candidate there.
    #[error("nobody comes after `{plugin}` for `{slot}`")]
    NobodyAfter {
        /// The slot asked for.
        slot: SlotId,
        /// The plugin whose successor was asked for.
        plugin: PluginId,
    },
    /// The slot holds another type: two constants use one id for two types.
    #[error("slot `{slot}` holds `{found}`, not `{expected}`")]
    WrongType {
        /// The slot asked for.
        slot: SlotId,
        /// The type asked for.
        expected: &'static str,
        /// The type that was registered.
        found: &'static str,
    },
    /// The service could not be made.
    #[error("`{plugin}` could not make `{slot}`: {reason}")]
    NotBuilt {
        /// The slot asked for.
        slot: SlotId,
        /// Whose candidate failed.
        plugin: PluginId,
        /// What its builder failed with.
        reason: Arc<str>,
    },
}

fn list(plugins: &[PluginId]) -> String {
    plugins.iter().map(PluginId::as_str).collect::<Vec<_>>().join(", ")
}

/// The services of one scope, as of now. A handle: clones look at the same scope.
///
/// Every lookup reads the view in force when it is made: an atomic read and no lock. It waits for nobody, but where it is
/// the first to ask for a lazy service, it builds it, on its own thread; who asks meanwhile waits for that, though not
/// for ever. What it returns is a snapshot; ask again where it is used, or the next change of settings passes you by. Code
/// that asks very often has a [`Reader`], or a [`Watch`] where it is one slot.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    view: ArcSwap<View>,
    /// Goes up when a view is published: for those who look.
    generation: AtomicU64,
    /// For those who wait.
    news: News,
    closed: AtomicBool,
}

impl Registry {
    pub(crate) fn new() -> Self {
        let (view, generation) = (ArcSwap::from_pointee(View::default()), AtomicU64::new(0));
        let (news, closed) = (News::default(), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { view, generation, news, closed }) }
    }

    /// Replaces the view; returns the old one, so that it is dropped by somebody who may.
    pub(crate) fn publish(&self, view: Arc<View>) -> Arc<View> {
        let replaced = self.shared.view.swap(view);
        self.shared.generation.fetch_add(1, Ordering::Release);
        self.shared.news.spread();
        replaced
    }

    /// The last view is published: from now on nothing changes any more.
    pub(crate) fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.news.spread();
    }

    #[inline]
    fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    fn winning_registration<T: ?Sized>(&self, slot: Slot<T>) -> Option<Weak<Registration>> {
        let view = self.shared.view.load();
        Some(Arc::downgrade(&view.slot(slot.key)?.winner()?.registration))
    }

    /// A handle that follows `slot` through every change.
    pub fn watch<T: ?Sized + Send + Sync + 'static>(&self, slot: Slot<T>) -> Watch<T> {
        Watch::new(self.clone(), slot)
    }

    /// A handle of one's own, for code that looks up many slots often.
    pub fn reader(&self) -> Reader {
        Reader::new(self.clone())
    }

    /// The service that wins `slot`.
    ///
    /// # Errors
    ///
    /// [`ResolveError`], if no candidate takes part, or a lazy one cannot be built.
    pub fn resolve<T: ?Sized + Send + Sync + 'static>(&self, slot: Slot<T>) -> Result<Arc<T>, ResolveError> {
        self.look_up(slot.key)
    }

    /// The guard of the view is two atomic operations, and two more are the share that is given and its end. Who reads
    /// without saying so cannot be waited for, so there is no way to know when a view may be dropped.
    #[inline]
    fn look_up<T: ?Sized + Send + Sync + 'static>(
        &self,
        wanted: impl Wanted,
    ) -> Result<Arc<T>, ResolveError> {
        self.shared.view.load().resolve(wanted)
    }

    /// The service that wins the slot of this id, for ids that are only known when the program runs.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve); [`ResolveError::WrongType`] if the slot does not hold a `T`.
    pub fn resolve_id<T: ?Sized + Send + Sync + 'static>(
        &self,
        slot: &SlotId,
    ) -> Result<Arc<T>, ResolveError> {
        self.look_up(slot)
    }

    /// The service that wins `slot`, or `None` where nobody does.
    ///
    /// # Errors
    ///
    /// If the slot holds another type, or the winner could not be built.
    pub fn get<T: ?Sized + Send + Sync + 'static>(
        &self,
        slot: Slot<T>,
    ) -> Result<Option<Arc<T>>, ResolveError> {
        match self.resolve(slot) {
            Ok(service) => Ok(Some(service)),
            Err(ResolveError::NotRegistered { .. } | ResolveError::Disabled { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The service that would win `slot` if it were not for `plugin` and those before it.
    ///
    /// # Errors
    ///
    /// [`ResolveError::NobodyAfter`] if there is none, [`ResolveError::Disabled`] if all that there are, are disabled;
    /// besides those of [`resolve`](Self::resolve).
    pub fn resolve_after<T: ?Sized + Send + Sync + 'static>(
        &self,
        plugin: &PluginId,
        slot: Slot<T>,
    ) -> Result<Arc<T>, ResolveError> {
        self.shared.view.load().resolve_after(plugin, slot.key)
    }

    /// All slots that have a candidate, by name.
    pub fn slots(&self) -> Vec<SlotId> {
        let mut slots: Vec<_> = self.shared.view.load().slots().cloned().collect();
        slots.sort();
        slots
    }

    /// All slots of `namespace` that have a candidate, by name.
    pub fn slots_in(&self, namespace: &Namespace) -> Vec<SlotId> {
        let mut slots = self.slots();
        slots.retain(|slot| namespace.contains(slot));
        slots
    }

    /// The candidates for a slot, the winner first, disabled ones included. Builds nothing.
    pub fn candidates(&self, slot: &SlotId) -> Vec<CandidateInfo> {
        let view = self.shared.view.load();
        let Some(slot) = view.slot(slot) else { return Vec::new() };
        slot.candidates().iter().map(CandidateInfo::of).collect()
    }

    /// What is known of the candidate that wins a slot. Builds nothing.
    ///
    /// # Errors
    ///
    /// [`ResolveError::NotRegistered`] and [`ResolveError::Disabled`], as [`resolve`](Self::resolve).
    pub fn candidate(&self, slot: &SlotId) -> Result<CandidateInfo, ResolveError> {
        self.shared.view.load().winner(slot).map(CandidateInfo::of)
    }

    /// The plugin that wins a slot.
    pub fn winner(&self, slot: &SlotId) -> Option<PluginId> {
        let view = self.shared.view.load();
        Some(view.slot(slot)?.winner()?.registration.plugin.clone())
    }

    /// The capabilities of type `C` of all candidates of all slots of `namespace`, disabled ones included, by slot and
    /// then by authority. Builds nothing.
    pub fn capabilities_in<C: Any + Send + Sync>(
        &self,
        namespace: &Namespace,
    ) -> Vec<(SlotId, PluginId, Arc<C>)> {
        let view = self.shared.view.load();
        let mut found = Vec::new();
        for slot in self.slots_in(namespace) {
            for candidate in view.slot(&slot).into_iter().flat_map(SlotView::candidates) {
                let registration = &candidate.registration;
                found.extend(
                    registration
                        .capabilities()
                        .map(|capability| (slot.clone(), registration.plugin.clone(), capability)),
                );
            }
        }
        found
    }

    /// All slots for which `plugin` has a candidate, by name.
    pub fn slots_of(&self, plugin: &PluginId) -> Vec<SlotId> {
        let view = self.shared.view.load();
        let offers = |slot: &SlotView| {
            slot.candidates().iter().any(|candidate| candidate.registration.plugin == *plugin)
        };
        let mut slots: Vec<_> =
            view.slots().filter(|slot| view.slot(*slot).is_some_and(offers)).cloned().collect();
        slots.sort();
        slots
    }

    /// The first capability of type `C` of whoever wins the slot. Builds nothing.
    pub fn capability<C: Any + Send + Sync>(&self, slot: &SlotId) -> Option<Arc<C>> {
        let view = self.shared.view.load();
        view.slot(slot)?.winner()?.registration.capability()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.slots()).finish()
    }
}

/// What is known of a candidate without building it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateInfo {
    /// Whose it is.
    pub plugin: PluginId,
    /// How the service is made.
    pub kind: Kind,
    /// The priority the plugin asked for.
    pub base_priority: Priority,
    /// The priority in force, settings included.
    pub priority: Priority,
    /// Whether it takes part.
    pub enabled: bool,
}

impl CandidateInfo {
    fn of(candidate: &Candidate) -> Self {
        let registration = &candidate.registration;
        Self {
            plugin: registration.plugin.clone(),
            kind: registration.terms.kind,
            base_priority: registration.terms.priority,
            priority: candidate.priority,
            enabled: candidate.enabled,
        }
    }
}

/// What a builder may look up while it makes its service: the services of the view that is about to be published.
///
/// Borrowed, so that it cannot be kept: what it shows belongs to the moment of building.
pub struct Resolver<'a> {
    pub(crate) view: &'a View,
}

impl Resolver<'_> {
    /// The service that wins `slot`; built first, if it has not been yet.
    ///
    /// # Errors
    ///
    /// [`ResolveError`], if no candidate takes part, or it cannot be built; two services that need each other to
    /// be built are such a case.
    pub fn resolve<T: ?Sized + Send + Sync + 'static>(&self, slot: Slot<T>) -> Result<Arc<T>, ResolveError> {
        self.view.resolve(slot.key)
    }
}

impl fmt::Debug for Resolver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}
