use std::{
    collections::{HashMap, HashSet},
    future::pending,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use jackfield::{
    FeatureFlag, Hook, Manifest, Plugin, PluginResult, Priority, Registrar, SessionContext, SettingsChange,
    Slot,
};

/// What plugins did, in the order in which they did it; and what they shall fail at. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct Diary(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    lines: Vec<String>,
    faults: HashMap<(String, Hook), Fault>,
    notes: HashSet<String>,
}

/// How a hook fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It returns an error.
    Error,
    /// It panics.
    Panic,
    /// It never returns.
    Hang,
}

impl Diary {
    /// Writes a line.
    pub fn write(&self, line: impl Into<String>) {
        self.lock().lines.push(line.into());
    }

    /// The lines since the last time, joined by blanks.
    pub fn take(&self) -> String {
        mem::take(&mut self.lock().lines).join(" ")
    }

    /// From now on, this hook of `plugin` fails like this.
    pub fn inject(&self, plugin: &str, hook: Hook, fault: Fault) {
        self.lock().faults.insert((plugin.to_owned(), hook), fault);
    }

    /// Leaves a note for somebody to find.
    pub fn note(&self, note: &str) {
        self.lock().notes.insert(note.to_owned());
    }

    /// Whether there is such a note; it is gone then.
    pub fn take_note(&self, note: &str) -> bool {
        self.lock().notes.remove(note)
    }

    /// From now on, all hooks work.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    fn fault(&self, plugin: &str, hook: Hook) -> Option<Fault> {
        self.lock().faults.get(&(plugin.to_owned(), hook)).copied()
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A plugin of sessions that writes its life into a [`Diary`]: `+a` when it attaches, `-a` when it detaches, `~a` when
/// it is told of new settings. It holds a guard that writes `.a` when it is dropped.
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

    async fn live(&self, hook: Hook, sign: char) -> PluginResult {
        self.diary.write(format!("{sign}{}", self.id));
        match self.diary.fault(self.id, hook) {
            None => Ok(()),
            Some(Fault::Error) => Err(format!("{} was told to fail", self.id).into()),
            Some(Fault::Panic) => panic!("{} was told to panic", self.id),
            Some(Fault::Hang) => pending().await,
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
        assert!(self.diary.fault(self.id, Hook::Register).is_none(), "{} was told to panic", self.id);
        for (slot, priority) in &self.offers {
            let broken = self.diary.fault(self.id, Hook::Build);
            let text: Arc<str> = format!("{} {}", self.id, self.built.fetch_add(1, Ordering::Relaxed)).into();
            services.provide(*slot).priority(*priority).singleton(move |_| {
                assert!(broken.is_none(), "the builder was told to panic");
                Arc::clone(&text)
            });
        }
    }

    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        cx.hold(Note { line: format!(".{}", self.id), diary: self.diary.clone() });
        self.live(Hook::Attach, '+').await
    }

    async fn settings_changed(&self, _: &SessionContext, _: &SettingsChange) -> PluginResult {
        self.live(Hook::SettingsChanged, '~').await
    }

    async fn detach(&self, _: &SessionContext) -> PluginResult {
        self.live(Hook::Detach, '-').await
    }
}

struct Note {
    line: String,
    diary: Diary,
}
impl Drop for Note {
    fn drop(&mut self) {
        self.diary.write(mem::take(&mut self.line));
    }
}
