//! Engines as plugins: the one place where this crate knows `jackfield`.
//!
//! An engine is a service, offered by a plugin in a slot of the namespace `engine`. The manager is a plugin too; it
//! keeps the session's one engine true to the project store and to what the registry has, so that switching an
//! engine's plugin off makes it fall back to the default engine in the same change.

use crate::events::EngineEvent;
use crate::factory::{EngineFactory, EngineRegistry};
use crate::id::EngineId;
use crate::manager::ManagerStatus;
use jackfield::{
    Bus, EmitError, Manifest, Namespace, Plugin, PluginResult, Registrar, ResolveError, Scope,
    SessionContext, SettingsChange, Slot,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

mod audio;
mod engines;
mod keys;
mod timer;

pub use self::{
    audio::{AudioEngineConfig, AudioEnginePlugin},
    engines::Engines,
    keys::{KeysConfig, KeysPlugin},
    timer::{MissedTicks, TimerEngineConfig, TimerEnginePlugin},
};

/// The registry of engines: every slot in it holds one.
pub const ENGINE: Namespace = Namespace::new("engine");

/// Plays audio.
pub const AUDIO: Slot<dyn EngineFactory> = Slot::new("engine.audio");
/// Ticks on a thread of its own; the default.
pub const WORKER: Slot<dyn EngineFactory> = Slot::new("engine.worker");
/// Ticks on the host's loop.
pub const MAIN: Slot<dyn EngineFactory> = Slot::new("engine.main");

/// Ticks like the worker, and plays on MIDI ports.
pub const MIDI: Slot<dyn EngineFactory> = Slot::new("engine.midi");

/// What a session plays with, and what its people see and turn. Offered by [`EngineManagerPlugin`].
pub const ENGINES: Slot<Engines> = Slot::new("engines");

/// Offers one engine.
pub struct EnginePlugin {
    id: &'static str,
    about: &'static str,
    slot: Slot<dyn EngineFactory>,
    factory: Arc<dyn EngineFactory>,
}

impl EnginePlugin {
    /// A plugin called `id` that offers what `factory` makes, in a slot of the namespace [`ENGINE`].
    ///
    /// # Panics
    ///
    /// If `slot` lies elsewhere: nobody would look for an engine there.
    #[must_use]
    #[track_caller]
    pub fn new(
        id: &'static str,
        about: &'static str,
        slot: Slot<dyn EngineFactory>,
        factory: impl EngineFactory + 'static,
    ) -> Self {
        assert!(ENGINE.contains(&slot.id()), "the slot of an engine lies in the namespace `{ENGINE}`");
        Self { id, about, slot, factory: Arc::new(factory) }
    }
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Plugin<G, S> for EnginePlugin {
    fn manifest(&self) -> Manifest {
        Manifest::new(self.id).about(self.about)
    }

    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(self.slot).value(Arc::clone(&self.factory));
    }
}

/// The configuration of [`EngineManagerPlugin`].
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EngineManagerConfig {
    /// The engine that plays when the project asks for none, or for one that is not there.
    pub default: String,
}

impl Default for EngineManagerConfig {
    fn default() -> Self {
        Self { default: "worker".to_owned() }
    }
}

/// Keeps the one engine of each session. Offers [`ENGINES`]; emits [`EngineEvent`](crate::EngineEvent) and
/// [`ManagerStatus`](crate::ManagerStatus) on the session's bus.
#[derive(Debug)]
pub struct EngineManagerPlugin;

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Plugin<G, S> for EngineManagerPlugin {
    fn manifest(&self) -> Manifest {
        Manifest::new("engine-manager")
            .about("keeps the one engine that plays")
            .config::<EngineManagerConfig>()
    }

    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(ENGINES).singleton(|_| Arc::new(Engines::new()));
    }

    async fn attach(&self, cx: &SessionContext<G, S>) -> PluginResult {
        let engines = cx.resolve(ENGINES)?;
        let (sender, events) = mpsc::unbounded_channel();
        cx.hold(engines.events().subscribe(move |event| {
            // An error means that nobody tells them any more: the plugin is on its way out.
            sender.send(event.clone()).ok();
        }));
        engines.take_up(registry_of(cx.scope()), default_of(cx)?);
        let manager = engines.start_manager();
        let (status, bus) = (manager.status(), cx.bus().clone());
        cx.at_detach({
            let (status, bus) = (status.clone(), bus.clone());
            async move {
                let at_the_end = status.borrow().clone();
                // Whoever has to wait over it has to do without: here it would hold up the plugin's end.
                bus.emit_sync(at_the_end).ok();
                Ok(())
            }
        });
        cx.spawn(tell(bus, events, status));
        // What is kept ends in reverse: first the engine, while all it says is still told.
        cx.at_detach({
            let engines = Arc::clone(&engines);
            async move {
                engines.close_manager().await;
                Ok(())
            }
        });
        if engines.store().project.get().is_some() {
            engines.follow().await?; // brought back by an undo: it plays what it played
        }
        Ok(())
    }

    async fn settings_changed(&self, cx: &SessionContext<G, S>, _: &SettingsChange) -> PluginResult {
        cx.resolve(ENGINES)?.change_to(registry_of(cx.scope()), default_of(cx)?).await
    }
}

fn default_of<G, S>(cx: &SessionContext<G, S>) -> Result<EngineId, jackfield::NoSuchConfig> {
    let config = cx.config::<EngineManagerConfig>()?.load();
    Ok(EngineId::from(config.default.as_str()))
}

/// The engines that win their slots.
fn registry_of(scope: &Scope) -> EngineRegistry {
    let engine = |slot| match scope.resolve_id::<dyn EngineFactory>(&slot) {
        Ok(engine) => Some(engine),
        Err(ResolveError::NotRegistered { .. } | ResolveError::Disabled { .. }) => None,
        Err(error) => {
            tracing::warn!(target: "jackfield::engine", "An engine is left out: {error}");
            None
        }
    };
    EngineRegistry::new(scope.slots_in(&ENGINE).into_iter().filter_map(engine))
}

/// Tells the session what engines and their manager have to say, one after the other.
async fn tell(
    bus: Bus,
    mut events: mpsc::UnboundedReceiver<EngineEvent>,
    mut status: watch::Receiver<ManagerStatus>,
) {
    loop {
        let told = tokio::select! {
            biased;
            Some(event) = events.recv() => bus.emit(event).await.map(drop),
            Ok(()) = status.changed() => {
                let now = status.borrow_and_update().clone();
                bus.emit(now).await.map(drop)
            }
            else => return,
        };
        match told {
            Ok(()) => {}
            Err(EmitError::Closed { .. }) => return,
            Err(error) => tracing::warn!(target: "jackfield::engine", "{error}"),
        }
    }
}

impl fmt::Debug for EnginePlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnginePlugin").field("id", &self.id).field("slot", &self.slot).finish_non_exhaustive()
    }
}
