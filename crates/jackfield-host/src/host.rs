//! What the host is made of.

use std::sync::Arc;

use jackfield::{PluginRuntime, RuntimeBuilder};
use jackfield_engines::{
    AudioEngine, AudioEnginePlugin, CodeCache, Device, EngineManagerPlugin, KeysPlugin, MidiDevice,
    MidiEngine, MidiRecorder, NullDevice, NullMidi, TimerEngine, TimerEnginePlugin,
};

use crate::{
    plugins::{knobs::Knobs, meter::Meter, midi::Midi, project::ProjectLoader, recorder::Recorder},
    workplace::Workplace,
};

/// What a person says on the command line, over what the settings say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// The engine to play with, whatever the project asks for.
    pub(crate) engine: Option<String>,
    /// The null device, even where there is a sound card, and no MIDI ports.
    pub(crate) silent: bool,
    /// Where compiled code is kept.
    pub(crate) cache: Option<CodeCache>,
    /// What keeps the MIDI messages that are sent.
    pub(crate) midi_recorder: Option<MidiRecorder>,
}

/// The host: a runtime of these plugins.
pub(crate) fn host(workplace: &Workplace, wishes: &Wishes) -> RuntimeBuilder<(), ()> {
    let (worker, main) = (TimerEngine::worker(), TimerEngine::main());
    let (worker, main) = (worker.with_cache(wishes.cache.clone()), main.with_cache(wishes.cache.clone()));
    PluginRuntime::builder()
        .plugin(AudioEnginePlugin::new(audio(wishes)))
        .plugin(Midi::new(midi(wishes)))
        .plugin(TimerEnginePlugin::new(worker))
        .plugin(TimerEnginePlugin::new(main))
        .plugin(EngineManagerPlugin)
        .plugin(ProjectLoader::new(workplace.clone(), wishes.engine.clone()))
        .plugin(KeysPlugin::new(midi_device(wishes)))
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
    engine.with_cache(wishes.cache.clone())
}

/// The MIDI engine, on the machine's ports. Where there are none, nobody hears it.
fn midi(wishes: &Wishes) -> MidiEngine {
    let engine = MidiEngine::new(midi_device(wishes)).with_cache(wishes.cache.clone());
    match &wishes.midi_recorder {
        Some(recorder) => engine.with_recorder(recorder.clone()),
        None => engine,
    }
}

fn midi_device(wishes: &Wishes) -> Arc<dyn MidiDevice> {
    midi_ports().filter(|_| !wishes.silent).unwrap_or_else(|| Arc::new(NullMidi))
}

#[cfg(feature = "midir")]
fn midi_ports() -> Option<Arc<dyn MidiDevice>> {
    Some(Arc::new(jackfield_engines::MidirDevice::new()))
}

#[cfg(not(feature = "midir"))]
fn midi_ports() -> Option<Arc<dyn MidiDevice>> {
    None
}

#[cfg(feature = "cpal")]
fn sound_card() -> Option<Arc<dyn Device>> {
    Some(Arc::new(jackfield_engines::CpalDevice::default()))
}

#[cfg(not(feature = "cpal"))]
fn sound_card() -> Option<Arc<dyn Device>> {
    None
}
