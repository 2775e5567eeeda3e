//! What the host is made of.

use std::sync::Arc;

use jackfield::{PluginRuntime, RuntimeBuilder};
use jackfield_engines::{
    AudioEngine, AudioEnginePlugin, CodeCache, Device, EngineManagerPlugin, EnginePlugin, MAIN, NullDevice,
    TimerEngine, WORKER,
};

use crate::{
    plugins::{knobs::Knobs, meter::Meter, project::ProjectLoader, recorder::Recorder},
    workplace::Workplace,
};

/// What a person says on the command line, over what the settings say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// The engine to play with, whatever the project asks for.
    pub(crate) engine: Option<String>,
    /// The null device, even where there is a sound card.
    pub(crate) silent: bool,
    /// Where compiled code is kept.
    pub(crate) cache: Option<CodeCache>,
}

/// The host: a runtime of these plugins.
pub(crate) fn host(workplace: &Workplace, wishes: &Wishes) -> RuntimeBuilder<(), ()> {
    let timer = |engine: TimerEngine| match &wishes.cache {
        Some(cache) => engine.with_cache(cache.clone()),
        None => engine,
    };
    PluginRuntime::builder()
        .plugin(AudioEnginePlugin::new(audio(wishes)))
        .plugin(EnginePlugin::new(
            "engine-worker",
            "ticks on its own thread",
            WORKER,
            timer(TimerEngine::worker()),
        ))
        .plugin(EnginePlugin::new(
            "engine-main",
            "ticks on the host's loop",
            MAIN,
            timer(TimerEngine::main()),
        ))
        .plugin(EngineManagerPlugin)
        .plugin(ProjectLoader::new(workplace.clone(), wishes.engine.clone()))
        .plugin(Knobs)
        .plugin(Meter)
        .plugin(Recorder::new(workplace.clone()))
}

/// The audio engine, on the sound card if there is one, and keeping time without one.
fn audio(wishes: &Wishes) -> AudioEngine {
    let null: Arc<dyn Device> = Arc::new(NullDevice::new());
    let engine = match sound_card().filter(|_| !wishes.silent) {
        Some(card) => AudioEngine::new(card).or_on(null),
        None => AudioEngine::new(null),
    };
    match &wishes.cache {
        Some(cache) => engine.with_cache(cache.clone()),
        None => engine,
    }
}

#[cfg(feature = "cpal")]
fn sound_card() -> Option<Arc<dyn Device>> {
    Some(Arc::new(jackfield_engines::CpalDevice::default()))
}

#[cfg(not(feature = "cpal"))]
fn sound_card() -> Option<Arc<dyn Device>> {
    None
}
