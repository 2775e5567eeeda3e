use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{diary::Diary, fault::panic_as_told};
use crate::{
    context::{SessionContext, SettingsChange},
    error::PluginResult,
    manifest::{FeatureFlag, Manifest},
    plugin::Plugin,
    priority::Priority,
    registry::Registrar,
    report::Hook,
    slot::Slot,
};

/// A plugin of sessions that does nothing but write its life into a [`Diary`], as [`Diary::of`] says: to stand in for
/// those that the plugin under test lives with.
#[derive(Debug)]
pub struct Probe {
    id: &'static str,
    dependencies: Vec<&'static str>,
    flags: Vec<FeatureFlag>,
    offers: Vec<(Slot<str>, Priority)>,
    built: AtomicUsize,
    diary: Diary,
}

impl Probe {
    /// A plugin of this name.
    pub fn new(id: &'static str, diary: &Diary) -> Self {
        let (dependencies, flags, offers) = (Vec::new(), Vec::new(), Vec::new());
        Self { id, dependencies, flags, offers, built: AtomicUsize::new(0), diary: diary.clone() }
    }

    /// It needs that one.
    #[must_use]
    pub fn needs(mut self, plugin: &'static str) -> Self {
        self.dependencies.push(plugin);
        self
    }

    /// It has that flag.
    #[must_use]
    pub fn flag(mut self, flag: FeatureFlag) -> Self {
        self.flags.push(flag);
        self
    }

    /// It offers a text for `slot`: its name, and how many such texts it has made before.
    #[must_use]
    pub fn offers(mut self, slot: Slot<str>, priority: Priority) -> Self {
        self.offers.push((slot, priority));
        self
    }

    async fn live(&self, hook: Hook, cx: &SessionContext) -> PluginResult {
        self.diary.write_hook(self.id, hook, cx);
        match self.diary.injected(self.id, hook) {
            Some(fault) => fault.strike(self.id).await,
            None => Ok(()),
        }
    }
}

impl Plugin for Probe {
    fn manifest(&self) -> Manifest {
        let manifest =
            self.dependencies.iter().fold(Manifest::new(self.id), |manifest, id| manifest.depends_on(id));
        self.flags.iter().fold(manifest, |manifest, flag| manifest.flag(flag.clone()))
    }

    fn register(&self, services: &mut Registrar<'_>) {
        if self.diary.injected(self.id, Hook::Register).is_some() {
            panic_as_told(self.id);
        }
        for (slot, priority) in &self.offers {
            let broken = self.diary.injected(self.id, Hook::Build).is_some();
            let id = self.id;
            let text: Arc<str> = format!("{} {}", self.id, self.built.fetch_add(1, Ordering::Relaxed)).into();
            services.provide(*slot).priority(*priority).singleton(move |_| {
                if broken {
                    panic_as_told(id);
                }
                Arc::clone(&text)
            });
        }
    }

    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        self.live(Hook::Attach, cx).await
    }

    async fn settings_changed(&self, cx: &SessionContext, _: &SettingsChange) -> PluginResult {
        self.live(Hook::SettingsChanged, cx).await
    }

    async fn detach(&self, cx: &SessionContext) -> PluginResult {
        self.live(Hook::Detach, cx).await
    }
}
