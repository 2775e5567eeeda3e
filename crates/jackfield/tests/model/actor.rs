//! Plugins and services that play their part, write everything down, and fail when told to.

use std::{
    future::pending,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use jackfield::{Context, Service, prelude::*};

use crate::{
    cast::{Cast, Flag, Kind, Part, SLOTS, id},
    stage::{Act, Mine, ON_PURPOSE, Stage},
    steps::At,
};

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Knob {
    pub(crate) level: u8,
}

/// A service: whose it is, and when it was made.
pub(crate) struct Thing {
    pub(crate) plugin: usize,
    pub(crate) serial: usize,
    pub(crate) knob: OnceLock<Live<Knob>>,
    slot: usize,
    stage: Stage,
}

impl Drop for Thing {
    fn drop(&mut self) {
        self.stage.uncount_thing();
    }
}

impl Service for Thing {
    fn attach(&self, cx: &Context) -> PluginResult {
        let (scope, plugin) = (cx.scope().name().to_string(), self.plugin);
        self.stage.note(&scope, plugin, Act::Begin(self.slot));
        if let Ok(knob) = cx.config::<Knob>() {
            self.knob.set(knob).ok(); // at the next attach it is the same
        }
        cx.on(|_: &mut Envelope<Ping>| ());
        cx.hold(Mine(self.stage.guard(&scope, plugin)));
        if cx.held() != 2 || cx.slot() != Some(&SLOTS[self.slot].id()) {
            self.stage.complain(format!("{cx:?} is not as it should be"));
        }
        // Undone by whoever hears of the failure, which may be a panic.
        let failing = Failing(self, &scope);
        self.stage.live_now(&scope, plugin, At::Begin)?;
        std::mem::forget(failing);
        Ok(())
    }

    async fn detach(&self, cx: &Context) -> PluginResult {
        let scope = cx.scope().name().to_string();
        self.stage.note(&scope, self.plugin, Act::End(self.slot));
        self.stage.live(&scope, self.plugin, At::End).await
    }
}

struct Failing<'a>(&'a Thing, &'a str);
impl Drop for Failing<'_> {
    fn drop(&mut self) {
        self.0.stage.has_not_begun(self.1, self.0.plugin, self.0.slot);
    }
}

/// Goes from handler to handler, and counts them.
pub(crate) struct Ping;

/// How many guards an actor has while it is attached, and how many things are kept for it.
pub(crate) const GUARDS: usize = 3;

pub(crate) struct Actor {
    plugin: usize,
    part: Part,
    stage: Stage,
    declared: AtomicBool,
}

impl Actor {
    pub(crate) fn new(plugin: usize, part: &Part, stage: &Stage) -> Self {
        Self { plugin, part: part.clone(), stage: stage.clone(), declared: AtomicBool::new(false) }
    }

    fn manifest(&self) -> Manifest {
        let mut manifest = Manifest::of(id(self.plugin));
        manifest = self.part.needs.iter().fold(manifest, |manifest, need| manifest.depends_on_id(id(*need)));
        manifest = match self.part.flag {
            Flag::None => manifest,
            Flag::Locked => manifest.flag(FeatureFlag::LOCKED),
            Flag::Experimental => manifest.flag(FeatureFlag::EXPERIMENTAL),
        };
        if self.part.config { manifest.config::<Knob>() } else { manifest }
    }

    fn register(&self, services: &mut Registrar<'_>) {
        let plugin = self.plugin;
        let at = if self.declared.swap(true, Ordering::Relaxed) { At::Register } else { At::Declare };
        assert!(self.stage.strike("", plugin, at).is_none(), "{ON_PURPOSE}");
        for (slot, offer) in &self.part.offers {
            let (slot, stage, peeking, peeks) =
                (*slot, self.stage.clone(), self.stage.clone(), self.part.peeks);
            let make = move |knob: Option<Live<Knob>>| {
                stage.live_now("", plugin, At::Build)?;
                let knob = knob.map_or_else(OnceLock::new, OnceLock::from);
                let serial = stage.count_thing();
                Ok(Arc::new(Thing { plugin, slot, serial, knob, stage: stage.clone() }))
            };
            let surely = |made: Result<Arc<Thing>, BoxError>| made.unwrap_or_else(|error| panic!("{error}"));
            let offering = services.provide(SLOTS[slot]).priority(Priority::new(offer.priority));
            match offer.kind {
                Kind::Singleton => offering.singleton(move |services| {
                    let made = make(None);
                    if let Some(slot) = peeks {
                        peeking.peek(|| drop(services.resolve(SLOTS[slot])));
                    }
                    surely(made)
                }),
                Kind::Configured => offering.configured(move |knob| surely(make(Some(knob)))),
                Kind::Lazy => offering.lazy(move |_| make(None)),
                Kind::Factory => offering.factory(move |_| make(None)),
                Kind::Stateful => offering.config::<Knob>().stateful(move |_| make(None), |thing| thing),
                Kind::StatefulLazy => offering.stateful_lazy(move |_| make(None), |thing| thing),
            }
        }
    }

    async fn attach(&self, cx: &Context) -> PluginResult {
        let (scope, plugin) = (cx.scope().name().to_string(), self.plugin);
        self.stage.note(&scope, plugin, Act::Attach);
        if self.part.config {
            self.stage.keep_knob(&scope, plugin, cx.config::<Knob>()?);
        }
        cx.on(|_: &mut Envelope<Ping>| ());
        cx.hold(Mine(self.stage.guard(&scope, plugin)));
        let guard = self.stage.guard(&scope, plugin);
        cx.spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        let (stage, guard, at) = (self.stage.clone(), self.stage.guard(&scope, plugin), scope.clone());
        cx.at_detach(async move {
            let _guard = guard;
            stage.live(&at, plugin, At::Goodbye).await
        });
        if cx.held() != GUARDS + 1 {
            self.stage.complain(format!("{} are held for {plugin} in {scope}", cx.held()));
        }
        if let Some(slot) = self.part.peeks {
            self.stage.peek(|| drop(cx.resolve(SLOTS[slot])));
        }
        self.stage.ask(cx, plugin, At::Attach);
        self.stage.live(&scope, plugin, At::Attach).await
    }

    async fn told(&self, cx: &Context, change: &SettingsChange) -> PluginResult {
        let scope = cx.scope().name().to_string();
        let (old, new) = change.config::<Knob>().unwrap_or_default();
        self.stage.note(&scope, self.plugin, Act::Told(old.level, new.level));
        if self.part.config && !Arc::ptr_eq(&new, &cx.config::<Knob>()?.load()) {
            self.stage.complain(format!("{} is told of what is not so", self.plugin));
        }
        self.stage.ask(cx, self.plugin, At::Told);
        self.stage.live(&scope, self.plugin, At::Told).await
    }

    async fn detach(&self, cx: &Context) -> PluginResult {
        let scope = cx.scope().name().to_string();
        self.stage.note(&scope, self.plugin, Act::Detach);
        self.stage.ask(cx, self.plugin, At::Detach);
        self.stage.live(&scope, self.plugin, At::Detach).await
    }
}

pub(crate) struct InGlobal(pub(crate) Actor);
impl GlobalPlugin for InGlobal {
    fn manifest(&self) -> Manifest {
        self.0.manifest()
    }
    fn register(&self, services: &mut Registrar<'_>) {
        self.0.register(services);
    }
    async fn attach(&self, cx: &GlobalContext) -> PluginResult {
        self.0.attach(cx).await
    }
    async fn settings_changed(&self, cx: &GlobalContext, change: &SettingsChange) -> PluginResult {
        self.0.told(cx, change).await
    }
    async fn detach(&self, cx: &GlobalContext) -> PluginResult {
        self.0.detach(cx).await
    }
}

pub(crate) struct InSession(pub(crate) Actor);
impl Plugin for InSession {
    fn manifest(&self) -> Manifest {
        self.0.manifest()
    }
    fn register(&self, services: &mut Registrar<'_>) {
        self.0.register(services);
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        self.0.attach(cx).await
    }
    async fn settings_changed(&self, cx: &SessionContext, change: &SettingsChange) -> PluginResult {
        self.0.told(cx, change).await
    }
    async fn detach(&self, cx: &SessionContext) -> PluginResult {
        self.0.detach(cx).await
    }
}

/// A runtime's builder with the whole cast in it.
pub(crate) fn enter(cast: &Cast, stage: &Stage) -> jackfield::RuntimeBuilder<(), ()> {
    cast.here.iter().fold(PluginRuntime::builder(), |builder, plugin| {
        let part = &cast.parts[*plugin];
        let actor = Actor::new(*plugin, part, stage);
        if part.global { builder.plugin(InGlobal(actor)) } else { builder.plugin(InSession(actor)) }
    })
}
