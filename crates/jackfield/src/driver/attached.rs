//! A plugin at work in a scope, with its services: the instance that an undo brings back.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use smallvec::SmallVec;
use tracing::{Instrument, Span};

use super::{
    catalogue::Listed,
    hook::{call, contained, marked, within},
    journal,
    surroundings::Surroundings,
};
use crate::{
    context::{Context, Home, SettingsChange},
    error::{BoxError, HookError},
    id::{PluginId, SlotId},
    manifest::Manifest,
    plan::{ConfigOwner, Declaration, Desired, Place, ScopeName},
    registry::{Companion, Kind, Offer, Registrar, Registration, Terms},
    report::{Failure, Hook},
    service,
};

pub(super) struct Attached<C> {
    pub(super) place: Place,
    listed: Arc<Listed<C>>,
    pub(super) context: C,
    registrations: SmallVec<[Arc<Registration>; 1]>,
    services: Box<[(Arc<Registration>, Arc<Bound>)]>,
}

/// A service with a life of its own, bound to its scope.
struct Bound {
    context: Context,
    runtime: usize,
    stage: Mutex<Stage>,
}

/// How far a service has come. A lazy one attaches on the thread of whoever looks it up, so that it may be asked to end
/// while it is still at it.
#[derive(Clone, Copy)]
struct Stage {
    /// Whether it takes part, and its plugin is there: a lazy service that somebody builds after that must not begin.
    open: bool,
    life: Life,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Waiting,
    Attaching,
    Attached,
}

impl<C> Attached<C> {
    pub(super) fn manifest(&self) -> &Manifest {
        &self.listed.declaration.manifest
    }

    pub(super) fn plugin(&self) -> &PluginId {
        self.manifest().id()
    }

    /// Whether it wants to be told of new settings.
    pub(super) fn listens(&self) -> bool {
        self.listed.hooks.listens()
    }

    /// Its candidate for `slot`.
    pub(super) fn registration(&self, slot: &SlotId) -> Option<&Arc<Registration>> {
        self.registrations.iter().find(|registration| registration.slot() == slot)
    }

    /// Whether some of its services have a life of their own.
    pub(super) fn has_living_services(&self) -> bool {
        !self.services.is_empty()
    }
}

impl<C: Deref<Target = Context> + Send + Sync> Attached<C> {
    /// Registers a plugin that is about to attach. Its `offers` pass through a list that all have in turn.
    pub(super) fn register(
        place: Place,
        listed: &Arc<Listed<C>>,
        home: &Arc<Home>,
        next: &Desired,
        runtime: usize,
        make_context: &(dyn Fn(Context) -> C + Send + Sync),
        offers: &mut Vec<Offer>,
    ) -> Result<Box<Self>, HookError> {
        let Listed { declaration, hooks } = &**listed;
        let plugin = declaration.manifest.id();
        {
            let _span = journal::hook(Hook::Register, plugin, None, home.scope.name()).entered();
            let registered = contained(runtime, || {
                hooks.register(&mut Registrar::new(offers));
                as_declared(offers, declaration)
            });
            let registered = registered.flatten();
            if registered.is_err() {
                contained(runtime, || offers.clear()).ok(); // what they hold panics for itself alone
            }
            registered?;
        }
        let (mut registrations, mut services) = (SmallVec::with_capacity(offers.len()), Vec::new());
        for (number, Offer { terms, means }) in offers.drain(..).enumerate() {
            let Some(terms) = declared(declaration, number, &terms.slot) else { continue }; // it was looked for just above
            let config = match &terms.config {
                Some(_) => next.config(&ConfigOwner::Service(plugin.clone(), terms.slot.clone())).cloned(),
                None => None,
            };
            let registration = Arc::new(Registration::new(plugin.clone(), Arc::clone(terms), means, config));
            if registration.terms.has_companion {
                let (slot, config) = (registration.slot().clone(), registration.config.clone());
                let bound = Arc::new(Bound {
                    context: Context::of_service(Arc::clone(home), plugin.clone(), slot, config),
                    runtime,
                    stage: Mutex::new(Stage { open: true, life: Life::Waiting }),
                });
                bound.follow(&registration);
                services.push((Arc::clone(&registration), bound));
            }
            registrations.push(registration);
        }
        let cell = declaration
            .manifest
            .config_spec()
            .and_then(|spec| Some(spec.cell(next.config(&ConfigOwner::Plugin(plugin.clone())).cloned()?)));
        let context = make_context(Context::new(Arc::clone(home), plugin.clone(), cell));
        let listed = Arc::clone(listed);
        Ok(Box::new(Self { place, listed, context, registrations, services: services.into() }))
    }

    /// Attaches the services that take part, and then the plugin. One that fails does not keep the others from it.
    pub(super) async fn attach(&self, desired: &Desired, surroundings: &Surroundings) -> Vec<Failure> {
        self.admit(desired);
        let mut failures = self.attach_services(desired);
        let hook = || self.listed.hooks.attach(&self.context);
        if let Err(error) = call(surroundings, self.span(None, Hook::Attach), hook).await {
            failures.push(self.failure(None, Hook::Attach, error));
        }
        failures
    }

    /// From now on, lazy services begin when they are built if they take part in `desired`, and otherwise do not.
    pub(super) fn admit(&self, desired: &Desired) {
        for (registration, bound) in &self.services {
            bound.stage().open = desired.takes_part(self.plugin(), registration.slot());
        }
    }

    /// Attaches those services that take part and have not yet. A lazy one that nobody has asked for waits.
    pub(super) fn attach_services(&self, desired: &Desired) -> Vec<Failure> {
        let mut failures = Vec::new();
        for (registration, bound) in &self.services {
            let Some(companion) = registration.companion() else { continue };
            if desired.takes_part(self.plugin(), registration.slot())
                && let Err(error) = bound.attach(companion)
            {
                failures.push(self.failure(Some(registration.slot()), Hook::Attach, error));
            }
        }
        failures
    }

    /// Lets the plugin say goodbye, and then its services, last in, first out; ends all that was kept for them,
    /// whatever they said.
    pub(super) async fn detach(&self, surroundings: &Surroundings) -> Vec<Failure> {
        self.services.iter().for_each(|(_, bound)| bound.stage().open = false);
        let goodbye =
            call(surroundings, self.span(None, Hook::Detach), || self.listed.hooks.detach(&self.context))
                .await;
        let mut failures = self.farewell(None, goodbye, &self.context, surroundings).await;
        failures.extend(self.detach_services(surroundings, |_| true).await);
        failures
    }

    /// Ends what was begun for a plugin that never attached: somebody may have looked up a lazy service of it.
    pub(super) async fn withdraw(&self, surroundings: &Surroundings) -> Vec<Failure> {
        self.services.iter().for_each(|(_, bound)| bound.stage().open = false);
        self.detach_services(surroundings, |_| true).await
    }

    /// Detaches those attached services of which `which` says so.
    pub(super) async fn detach_services(
        &self,
        surroundings: &Surroundings,
        which: impl Fn(&SlotId) -> bool,
    ) -> Vec<Failure> {
        let mut failures = Vec::new();
        for (registration, bound) in
            self.services.iter().rev().filter(|(registration, _)| which(registration.slot()))
        {
            if !bound.end() {
                continue;
            }
            let hooks = registration.companion().and_then(service::hooks);
            let goodbye = match hooks {
                Some(hooks) => {
                    let span = self.span(Some(registration.slot()), Hook::Detach);
                    call(surroundings, span, || hooks.detach(&bound.context)).await
                }
                None => Ok(()),
            };
            failures.extend(
                self.farewell(Some(registration.slot()), goodbye, &bound.context, surroundings).await,
            );
        }
        failures
    }

    /// Tells the plugin of new settings.
    pub(super) async fn tell(
        &self,
        change: &SettingsChange,
        surroundings: &Surroundings,
    ) -> Result<(), Failure> {
        let span = self.span(None, Hook::SettingsChanged);
        let told =
            call(surroundings, span, || self.listed.hooks.settings_changed(&self.context, change)).await;
        told.map_err(|error| self.failure(None, Hook::SettingsChanged, error))
    }

    /// The slots of the services that are attached, of those that have a life of their own.
    pub(super) fn attached_services(&self) -> Vec<SlotId> {
        let attached = self.services.iter().filter(|(_, bound)| bound.stage().life == Life::Attached);
        attached.map(|(registration, _)| registration.slot().clone()).collect()
    }

    fn span(&self, slot: Option<&SlotId>, hook: Hook) -> Span {
        journal::hook(hook, self.plugin(), slot, self.context.scope().name())
    }

    pub(super) fn failure(&self, slot: Option<&SlotId>, hook: Hook, error: HookError) -> Failure {
        let (scope, plugin) = (ScopeName::clone(self.context.scope().name()), self.plugin().clone());
        Failure { scope, plugin, slot: slot.cloned(), hook, error }
    }

    async fn farewell(
        &self,
        slot: Option<&SlotId>,
        goodbye: Result<(), HookError>,
        context: &Context,
        surroundings: &Surroundings,
    ) -> Vec<Failure> {
        let goodbye = goodbye.err().map(|error| self.failure(slot, Hook::Detach, error));
        let mut failures: Vec<Failure> = goodbye.into_iter().collect();
        if context.held() == 0 {
            return failures;
        }
        let Surroundings { runtime, deadline, .. } = *surroundings;
        let (ledger, span, mut released) = (context.ledger(), self.span(slot, Hook::Release), Vec::new());
        // Most of what is kept ends at once, and nothing has to wait for it.
        while let Some(slow) = span.in_scope(|| marked(runtime, || ledger.end_at_once(&mut released))) {
            released.extend(within(runtime, slow.end(deadline)).instrument(span.clone()).await.err());
        }
        failures.extend(released.into_iter().map(|error| self.failure(slot, Hook::Release, error)));
        failures
    }
}

/// Plans are made for what a plugin declared when it was added, so it must declare the same again.
fn as_declared(offers: &[Offer], declaration: &Declaration) -> Result<(), HookError> {
    for (number, Offer { terms, .. }) in offers.iter().enumerate() {
        if !declared(declaration, number, &terms.slot).is_some_and(|known| known.are_same_as(terms)) {
            let reason = format!("it offers `{}`, which it did not when added", terms.slot);
            return Err(HookError::failed(reason.into()));
        }
    }
    if offers.len() == declaration.offers.len() {
        return Ok(()); // no slot is offered twice
    }
    let is_missing = |known: &&Arc<Terms>| !offers.iter().any(|offer| offer.terms.slot == known.slot);
    declaration.offers.iter().find(is_missing).map_or(Ok(()), |missing| {
        let reason = format!("it does not offer `{}`, which it did when added", missing.slot);
        Err(HookError::failed(reason.into()))
    })
}

/// The terms that were declared for `slot`; mostly they have the same number.
fn declared<'a>(declaration: &'a Declaration, number: usize, slot: &SlotId) -> Option<&'a Arc<Terms>> {
    let same = declaration.offers.get(number).filter(|known| known.slot == *slot);
    same.or_else(|| declaration.offers.iter().find(|known| known.slot == *slot))
}

impl Bound {
    /// A lazy service begins when it is built, whoever has it built.
    fn follow(self: &Arc<Self>, registration: &Registration) {
        if registration.terms.kind == Kind::Lazy {
            let bound = Arc::clone(self);
            registration.when_built(Box::new(move |companion| {
                bound.attach(companion).map_err(|error| BoxError::from(error.to_string()))
            }));
        }
    }

    fn attach(&self, companion: &Companion) -> Result<(), HookError> {
        if !self.begin()? {
            return Ok(());
        }
        let Some(hooks) = service::hooks(companion) else { return Ok(()) };
        let (plugin, slot) = (self.context.plugin(), self.context.slot());
        let span = journal::hook(Hook::Attach, plugin, slot, self.context.scope().name());
        let attach = || span.in_scope(|| hooks.attach(&self.context));
        let attached = contained(self.runtime, attach).and_then(|done| done.map_err(HookError::failed));
        let attached = attached.and_then(|()| self.arrive());
        if attached.is_err() {
            self.context.ledger().abandon(); // it may have got half-way
            self.stage().life = Life::Waiting;
        }
        attached
    }

    /// Whether it is to attach now; if not, it has already.
    fn begin(&self) -> Result<bool, HookError> {
        let mut stage = self.stage();
        match *stage {
            Stage { open: false, .. } => Err(gone()),
            Stage { life: Life::Waiting, .. } => {
                stage.life = Life::Attaching;
                Ok(true)
            }
            Stage { life: Life::Attaching | Life::Attached, .. } => Ok(false),
        }
    }

    /// It has attached; too late, if it does not take part any more.
    fn arrive(&self) -> Result<(), HookError> {
        let mut stage = self.stage();
        if !stage.open {
            return Err(gone());
        }
        stage.life = Life::Attached;
        Ok(())
    }

    /// Whether it has to detach. One that is still attaching ends by itself, when it sees that it does not take part.
    fn end(&self) -> bool {
        let mut stage = self.stage();
        let attached = stage.life == Life::Attached;
        if attached {
            stage.life = Life::Waiting;
        }
        attached
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone() -> HookError {
    HookError::failed("it does not take part any more".into())
}
