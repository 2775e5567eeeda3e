use crate::engine::{AudioEngine, AudioTuning, OnFault};
use crate::plugin::AUDIO;
use jackfield::{Live, Manifest, Plugin, Registrar};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Offers the audio engine. Its service is configured by [`AudioEngineConfig`].
#[derive(Debug)]
pub struct AudioEnginePlugin {
    engine: AudioEngine,
}

/// How the audio engine behaves where that is a matter of taste. Followed while it plays.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AudioEngineConfig {
    /// For how long both are heard when an edited program takes over from the one that plays, in milliseconds; 0 cuts.
    #[schemars(range(max = 10_000))]
    pub fade_ms: u32,
    /// What is heard when a program breaks.
    pub on_fault: OnFault,
}

impl AudioEnginePlugin {
    /// A plugin called `engine-audio` that offers `engine`.
    #[must_use]
    pub fn new(engine: AudioEngine) -> Self {
        Self { engine }
    }
}

impl Default for AudioEngineConfig {
    fn default() -> Self {
        Self { fade_ms: 20, on_fault: OnFault::default() }
    }
}

impl AudioEngineConfig {
    fn tuning(&self) -> AudioTuning {
        AudioTuning::default()
            .with_fade(Duration::from_millis(self.fade_ms.into()))
            .with_on_fault(self.on_fault)
    }
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Plugin<G, S> for AudioEnginePlugin {
    fn manifest(&self) -> Manifest {
        Manifest::new("engine-audio").about("plays audio programs")
    }

    fn register(&self, services: &mut Registrar<'_>) {
        let engine = self.engine.clone();
        services.provide(AUDIO).configured(move |config: Live<AudioEngineConfig>| {
            Arc::new(engine.clone().with_tuning(move || config.load().tuning()))
        });
    }
}
