//! Runtimes of the sizes that are measured.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield::{Envelope, NewSession, PluginRuntime, Session, prelude::*};

/// What sits in the slots.
#[derive(Clone)]
pub(crate) struct Thing(pub(crate) u64);

impl Thing {
    #[inline]
    pub(crate) fn value(&self) -> u64 {
        self.0
    }
}

/// An event that handlers add to.
#[derive(Clone, Copy)]
pub(crate) struct Tick(pub(crate) u64);

/// A text for ever, as the ids of slots are.
pub(crate) fn forever(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Slots of these numbers.
pub(crate) fn slots(numbers: std::ops::Range<usize>) -> Vec<Slot<Thing>> {
    numbers.map(|number| Slot::new(forever(format!("things.thing-{number}")))).collect()
}

/// A plugin of either scope, made to measure.
#[derive(Clone)]
pub(crate) struct Made {
    id: PluginId,
    slots: Arc<[Slot<Thing>]>,
    priority: Priority,
    handlers: usize,
    /// How much its hooks calculate.
    work: u32,
}

impl Made {
    /// One that does nothing at all.
    pub(crate) fn empty(number: usize) -> Self {
        let id = PluginId::parse(&format!("plugin-{number}")).expect("an id");
        Self { id, slots: Arc::new([]), priority: Priority::NORMAL, handlers: 0, work: 0 }
    }

    pub(crate) fn offering(self, slots: &[Slot<Thing>]) -> Self {
        Self { slots: slots.into(), ..self }
    }

    pub(crate) fn at(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    pub(crate) fn handling(self, handlers: usize) -> Self {
        Self { handlers, ..self }
    }

    pub(crate) fn working(self, work: u32) -> Self {
        Self { work, ..self }
    }

    pub(crate) fn id(&self) -> &PluginId {
        &self.id
    }

    fn offer(&self, services: &mut Registrar<'_>) {
        for slot in &*self.slots {
            services.provide(*slot).priority(self.priority).singleton(|_| Arc::new(Thing(1)));
        }
    }

    fn begin(&self, context: &jackfield::Context) {
        for _ in 0..self.handlers {
            context.on(|tick: &mut Envelope<Tick>| tick.0 += 1);
        }
        calculate(self.work);
    }
}

fn calculate(rounds: u32) {
    for _ in 0..rounds {
        black_box((0..100_u64).fold(black_box(1), |product: u64, n| product.wrapping_mul(n | 1)));
    }
}

impl Plugin for Made {
    fn manifest(&self) -> Manifest {
        Manifest::of(self.id.clone())
    }
    fn register(&self, services: &mut Registrar<'_>) {
        self.offer(services);
    }
    async fn attach(&self, context: &SessionContext) -> PluginResult {
        self.begin(context);
        Ok(())
    }
}

/// The same for the global scope.
pub(crate) struct Global(pub(crate) Made);

impl GlobalPlugin for Global {
    fn manifest(&self) -> Manifest {
        Manifest::of(self.0.id.clone())
    }
    fn register(&self, services: &mut Registrar<'_>) {
        self.0.offer(services);
    }
    async fn attach(&self, context: &GlobalContext) -> PluginResult {
        self.0.begin(context);
        Ok(())
    }
}

/// A Tokio runtime on this thread alone: what is measured is Jackfield, not the way to another thread.
pub(crate) fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a Tokio runtime")
}

/// Measures something that awaits by awaiting it again and again.
pub(crate) fn awaiting<T>(
    tokio: &tokio::runtime::Runtime,
    mut op: impl AsyncFnMut() -> T,
) -> impl FnMut(u64) -> Duration {
    move |times| {
        tokio.block_on(async {
            let start = Instant::now();
            for _ in 0..times {
                black_box(op().await);
            }
            start.elapsed()
        })
    }
}

/// A runtime with these plugins in its sessions.
pub(crate) async fn with_plugins(plugins: impl IntoIterator<Item = Made>) -> PluginRuntime {
    let mut builder = PluginRuntime::builder();
    for plugin in plugins {
        builder = builder.plugin::<jackfield::PerSession>(plugin);
    }
    builder.init().await.expect("a runtime")
}

/// A runtime with these plugins in its global scope.
pub(crate) async fn with_global(
    plugins: impl IntoIterator<Item = Made>,
    settings: RuntimeSettings,
) -> PluginRuntime {
    let mut builder = PluginRuntime::builder().settings(settings);
    for plugin in plugins {
        builder = builder.plugin::<jackfield::PerRuntime>(Global(plugin));
    }
    builder.init().await.expect("a runtime")
}

pub(crate) async fn session(runtime: &PluginRuntime) -> Session {
    runtime.create_session(NewSession::new("session", ())).await.expect("a session")
}

pub(crate) async fn sessions(runtime: &PluginRuntime, count: usize) -> Vec<Session> {
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        sessions.push(session(runtime).await);
    }
    sessions
}

/// Settings in which these plugins are off.
pub(crate) fn without<'a>(plugins: impl IntoIterator<Item = &'a Made>) -> RuntimeSettings {
    let mut settings = RuntimeSettings::default();
    plugins.into_iter().for_each(|plugin| settings.disable(plugin.id()));
    settings
}

/// The twenty plugins of the session that is opened and closed: a service and a handler each.
pub(crate) fn twenty() -> Vec<Made> {
    let slots = slots(0..20);
    (0..20).map(|number| Made::empty(number).offering(&slots[number..=number]).handling(1)).collect()
}
