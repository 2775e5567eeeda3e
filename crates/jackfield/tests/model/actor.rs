//! Plugins that play their part, write everything down, and fail when told to.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield::{Context, prelude::*};

use crate::cast::{At, Fault, Flag, How, Kind, Part, SLOTS, id};

/// What failures on purpose say.
pub(crate) const ON_PURPOSE: &str = "on purpose";

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Knob {
    pub(crate) level: u8,
}

/// A service: whose it is, and when it was made.
pub(crate) struct Thing {
    pub(crate) plugin: usize,
    pub(crate) serial: usize,
    pub(crate) knob: Option<Live<Knob>>,
}

/// Goes from handler to handler, and counts them.
pub(crate) struct Ping;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Attach,
    Detach,
    /// Told of a change, from this level to that.
    Told(u8, u8),
}

/// What is shared by all actors of a play.
#[derive(Clone, Default)]
pub(crate) struct Stage(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    serial: usize,
    faults: Vec<Fault>,
    fired: Vec<(String, usize, At)>,
    log: Vec<(String, usize, Act)>,
    /// Who is attached where, by the hooks that were called.
    present: BTreeSet<(String, usize)>,
    /// How many guards are alive.
    guards: BTreeMap<(String, usize), usize>,
    knobs: BTreeMap<(String, usize), Live<Knob>>,
    complaints: Vec<String>,
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn serial(&self) -> usize {
        self.lock().serial
    }
    pub(crate) fn set_faults(&self, faults: Vec<Fault>) {
        self.lock().faults = faults;
    }
    /// What has failed on purpose since the last time: where, who, and at what.
    pub(crate) fn take_fired(&self) -> Vec<(String, usize, At)> {
        mem::take(&mut self.lock().fired)
    }
    pub(crate) fn take_log(&self) -> Vec<(String, usize, Act)> {
        mem::take(&mut self.lock().log)
    }
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.lock().complaints.clone()
    }
    pub(crate) fn knob(&self, scope: &str, plugin: usize) -> Arc<Knob> {
        self.lock().knobs[&(scope.to_owned(), plugin)].load()
    }
    pub(crate) fn present(&self, scope: &str) -> BTreeSet<usize> {
        let inner = self.lock();
        inner.present.iter().filter(|(at, _)| at == scope).map(|(_, plugin)| *plugin).collect()
    }
    pub(crate) fn guards(&self, scope: &str) -> usize {
        let inner = self.lock();
        inner.guards.iter().filter(|((at, _), _)| at == scope).map(|(_, count)| count).sum()
    }

    /// Whether this call is to fail, and how.
    fn strike(&self, scope: &str, plugin: usize, at: At) -> Option<How> {
        let mut inner = self.lock();
        let mut struck = None;
        for fault in inner
            .faults
            .iter_mut()
            .filter(|fault| fault.at == at && fault.plugin.is_none_or(|it| it == plugin))
        {
            if fault.after > 0 {
                fault.after -= 1;
            } else if fault.times > 0 && struck.is_none() {
                fault.times -= 1;
                struck = Some(fault.how);
            }
        }
        if struck.is_some() {
            inner.fired.push((scope.to_owned(), plugin, at));
        }
        struck
    }

    async fn live(&self, scope: &str, plugin: usize, at: At) -> PluginResult {
        match self.strike(scope, plugin, at) {
            None => {
                tokio::task::yield_now().await;
                Ok(())
            }
            Some(How::Error) => Err(ON_PURPOSE.into()),
            Some(How::Panic) => panic!("{ON_PURPOSE}"),
            Some(How::Hang) => pending().await,
        }
    }

    fn guard(&self, scope: &str, plugin: usize) -> Guard {
        *self.lock().guards.entry((scope.to_owned(), plugin)).or_default() += 1;
        Guard { stage: self.clone(), scope: scope.to_owned(), plugin }
    }
}

struct Guard {
    stage: Stage,
    scope: String,
    plugin: usize,
}
impl Drop for Guard {
    fn drop(&mut self) {
        *self.stage.lock().guards.get_mut(&(self.scope.clone(), self.plugin)).unwrap() -= 1;
    }
}

/// A guard that may panic when it is dropped.
struct Mine(Guard);
impl Drop for Mine {
    fn drop(&mut self) {
        let Guard { stage, scope, plugin } = &self.0;
        assert!(stage.strike(scope, *plugin, At::Guard).is_none(), "{ON_PURPOSE}");
    }
}

/// How many guards an actor has while it is attached, and how many things are kept for it.
pub(crate) const GUARDS: usize = 3;

#[derive(Clone)]
struct Actor {
    plugin: usize,
    part: Part,
    stage: Stage,
}

impl Actor {
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
        assert!(self.stage.strike("", plugin, At::Register).is_none(), "{ON_PURPOSE}");
        for (slot, offer) in &self.part.offers {
            let stage = self.stage.clone();
            let make = move |knob, prepared: bool| {
                if prepared {
                    assert!(stage.strike("", plugin, At::Build).is_none(), "{ON_PURPOSE}");
                }
                let mut inner = stage.lock();
                inner.serial += 1;
                Arc::new(Thing { plugin, serial: inner.serial, knob })
            };
            let offering = services.provide(SLOTS[*slot]).priority(Priority::new(offer.priority));
            match offer.kind {
                Kind::Singleton => offering.singleton(move |_| make(None, true)),
                Kind::Configured => offering.configured(move |knob| make(Some(knob), true)),
                Kind::Lazy => offering.lazy(move |_| Ok(make(None, false))),
                Kind::Factory => offering.factory(move |_| Ok(make(None, false))),
            }
        }
    }

    async fn attach(&self, cx: &Context) -> PluginResult {
        let (scope, plugin) = (cx.scope().name().to_string(), self.plugin);
        {
            let mut inner = self.stage.lock();
            inner.log.push((scope.clone(), plugin, Act::Attach));
            if !inner.present.insert((scope.clone(), plugin)) {
                inner.complaints.push(format!("{plugin} attached twice in {scope}"));
            }
        }
        if self.part.config {
            let knob = cx.config::<Knob>()?;
            self.stage.lock().knobs.insert((scope.clone(), plugin), knob);
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
            self.stage.lock().complaints.push(format!("{} are held for {plugin} in {scope}", cx.held()));
        }
        self.stage.live(&scope, plugin, At::Attach).await
    }

    async fn told(&self, cx: &Context, change: &SettingsChange) -> PluginResult {
        let scope = cx.scope().name().to_string();
        let (old, new) = change.config::<Knob>().unwrap_or_default();
        let act = Act::Told(old.level, new.level);
        self.stage.lock().log.push((scope.clone(), self.plugin, act));
        if self.part.config && !Arc::ptr_eq(&new, &cx.config::<Knob>()?.load()) {
            self.stage.lock().complaints.push(format!("{} is told of what is not so", self.plugin));
        }
        self.stage.live(&scope, self.plugin, At::Told).await
    }

    async fn detach(&self, cx: &Context) -> PluginResult {
        let scope = cx.scope().name().to_string();
        {
            let mut inner = self.stage.lock();
            inner.log.push((scope.clone(), self.plugin, Act::Detach));
            if !inner.present.remove(&(scope.clone(), self.plugin)) {
                inner.complaints.push(format!("{} detached twice from {scope}", self.plugin));
            }
        }
        self.stage.live(&scope, self.plugin, At::Detach).await
    }
}

struct InGlobal(Actor);
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

struct InSession(Actor);
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

/// A runtime's builder with all of `parts` in it.
pub(crate) fn enter(parts: &[Part], stage: &Stage) -> jackfield::RuntimeBuilder<(), ()> {
    let mut builder = PluginRuntime::builder();
    for (plugin, part) in parts.iter().enumerate() {
        let actor = Actor { plugin, part: part.clone(), stage: stage.clone() };
        builder = match part.global {
            true => builder.plugin(InGlobal(actor)),
            false => builder.plugin(InSession(actor)),
        };
    }
    builder
}
