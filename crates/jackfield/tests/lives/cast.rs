//! Who plays in these scenarios.

use std::sync::{Arc, OnceLock};

use jackfield::{BoxError, Context, Service, prelude::*};
use jackfield_testkit::Diary;

pub(crate) fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

pub(crate) fn id(plugin: &str) -> PluginId {
    PluginId::parse(plugin).unwrap()
}

/// A runtime of these parts, and a session of it.
pub(crate) async fn open(parts: Vec<Part>, toml: &str) -> (PluginRuntime, Session) {
    let runtime = start(parts, toml).await;
    let session = runtime.create_session("one").await.unwrap();
    (runtime, session)
}

pub(crate) async fn start(parts: Vec<Part>, toml: &str) -> PluginRuntime {
    let builder = PluginRuntime::builder().settings(settings(toml));
    parts.into_iter().fold(builder, jackfield::RuntimeBuilder::plugin).init().await.unwrap()
}

type Register = dyn Fn(&mut Registrar<'_>) + Send + Sync;
type Hook = dyn Fn(&Context) -> PluginResult + Send + Sync;
type Told = dyn Fn(&Context, &SettingsChange) -> PluginResult + Send + Sync;

/// A plugin made of closures, of sessions; [`Part::once`] makes it a global one.
pub(crate) struct Part {
    manifest: Manifest,
    register: Vec<Box<Register>>,
    attach: Vec<Box<Hook>>,
    told: Vec<Box<Told>>,
    detach: Vec<Box<Hook>>,
}

/// A [`Part`] of the global scope.
pub(crate) struct Once(Part);

impl Part {
    pub(crate) fn new(id: &'static str) -> Self {
        Self::of(Manifest::new(id))
    }

    pub(crate) fn of(manifest: Manifest) -> Self {
        Self { manifest, register: Vec::new(), attach: Vec::new(), told: Vec::new(), detach: Vec::new() }
    }

    /// One that writes `+id`, `~id` and `-id` as it attaches, is told and detaches.
    pub(crate) fn noted(manifest: Manifest, diary: &Diary) -> Self {
        let id = manifest.id().to_string();
        let write = |sign: &str| {
            let (diary, line) = (diary.clone(), format!("{sign}{id}"));
            move || diary.write(line.clone())
        };
        let (attached, told, detached) = (write("+"), write("~"), write("-"));
        Self::of(manifest)
            .attaches(move |_| {
                attached();
                Ok(())
            })
            .hears(move |_, _| {
                told();
                Ok(())
            })
            .detaches(move |_| {
                detached();
                Ok(())
            })
    }

    pub(crate) fn registers(mut self, register: impl Fn(&mut Registrar<'_>) + Send + Sync + 'static) -> Self {
        self.register.push(Box::new(register));
        self
    }

    pub(crate) fn attaches(
        mut self,
        attach: impl Fn(&Context) -> PluginResult + Send + Sync + 'static,
    ) -> Self {
        self.attach.push(Box::new(attach));
        self
    }

    pub(crate) fn hears(
        mut self,
        told: impl Fn(&Context, &SettingsChange) -> PluginResult + Send + Sync + 'static,
    ) -> Self {
        self.told.push(Box::new(told));
        self
    }

    pub(crate) fn detaches(
        mut self,
        detach: impl Fn(&Context) -> PluginResult + Send + Sync + 'static,
    ) -> Self {
        self.detach.push(Box::new(detach));
        self
    }

    pub(crate) fn once(self) -> Once {
        Once(self)
    }

    fn declare(&self, services: &mut Registrar<'_>) {
        self.register.iter().for_each(|register| register(services));
    }
}

impl Plugin for Part {
    fn manifest(&self) -> Manifest {
        self.manifest.clone()
    }
    fn register(&self, services: &mut Registrar<'_>) {
        self.declare(services);
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        self.attach.iter().try_for_each(|attach| attach(cx))
    }
    async fn settings_changed(&self, cx: &SessionContext, change: &SettingsChange) -> PluginResult {
        self.told.iter().try_for_each(|told| told(cx, change))
    }
    async fn detach(&self, cx: &SessionContext) -> PluginResult {
        self.detach.iter().try_for_each(|detach| detach(cx))
    }
}

impl GlobalPlugin for Once {
    fn manifest(&self) -> Manifest {
        self.0.manifest.clone()
    }
    fn register(&self, services: &mut Registrar<'_>) {
        self.0.declare(services);
    }
    async fn attach(&self, cx: &GlobalContext) -> PluginResult {
        self.0.attach.iter().try_for_each(|attach| attach(cx))
    }
    async fn settings_changed(&self, cx: &GlobalContext, change: &SettingsChange) -> PluginResult {
        self.0.told.iter().try_for_each(|told| told(cx, change))
    }
    async fn detach(&self, cx: &GlobalContext) -> PluginResult {
        self.0.detach.iter().try_for_each(|detach| detach(cx))
    }
}

/// A service that writes `+name` and `-name`, and listens to [`Beat`] in between. If it finds the note `name`, it fails
/// to attach.
pub(crate) struct Player {
    pub(crate) name: &'static str,
    pub(crate) diary: Diary,
}

pub(crate) struct Beat;

/// What it is that failed.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0} is out of tune")]
pub(crate) struct OutOfTune(pub(crate) &'static str);

impl Service for Player {
    fn attach(&self, cx: &Context) -> PluginResult {
        self.diary.write(format!("+{}", self.name));
        let (diary, name) = (self.diary.clone(), self.name);
        cx.on(move |_: &mut Envelope<Beat>| diary.write(name));
        if self.diary.take_note(self.name) { Err(OutOfTune(self.name).into()) } else { Ok(()) }
    }
    async fn detach(&self, _: &Context) -> PluginResult {
        self.diary.write(format!("-{}", self.name));
        Ok(())
    }
}

/// Offers a [`Player`] of this name for `slot`.
pub(crate) fn player(services: &mut Registrar<'_>, slot: Slot<Player>, name: &'static str, diary: &Diary) {
    let diary = diary.clone();
    let make = move |_: &jackfield::Resolver<'_>| Ok(Arc::new(Player { name, diary: diary.clone() }));
    services.provide(slot).stateful(make, |player| player);
}

/// Writes its line when it is dropped.
pub(crate) struct Note(pub(crate) Diary, pub(crate) &'static str);
impl Drop for Note {
    fn drop(&mut self) {
        self.0.write(self.1);
    }
}

/// The runtime, for hooks that look at it; set once it has started.
pub(crate) type Handle = Arc<OnceLock<PluginRuntime>>;

pub(crate) fn fails(what: &'static str) -> PluginResult {
    Err(BoxError::from(what))
}
