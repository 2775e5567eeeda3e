//! Offers the MIDI engine, on the ports that the settings choose.

use std::sync::{Mutex, PoisonError};

use jackfield::prelude::*;
use jackfield_engines::{EngineFactory, MIDI, MidiEngine, PortChoice, PortName};

/// The plugin `engine-midi`. Its configuration is followed while it plays, at the engine's next look for ports.
#[derive(Debug)]
pub(crate) struct Midi {
    engine: Arc<dyn EngineFactory>,
    chosen: Arc<Mutex<Option<Live<MidiConfig>>>>,
}

/// Its configuration: `outputs = ["synth", 3]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MidiConfig {
    /// The ports to send to: the first is number 1. All of them unless given.
    outputs: Option<Vec<PortName>>,
    /// The ports to listen to: the first is number 1. All of them unless given.
    inputs: Option<Vec<PortName>>,
}

impl Midi {
    pub(crate) fn new(engine: MidiEngine) -> Self {
        let chosen: Arc<Mutex<Option<Live<MidiConfig>>>> = Arc::default();
        let (outputs, inputs) = (Arc::clone(&chosen), Arc::clone(&chosen));
        let engine = engine
            .with_outputs(move || choice(&outputs, |config| config.outputs.as_deref()))
            .with_inputs(move || choice(&inputs, |config| config.inputs.as_deref()));
        Self { engine: Arc::new(engine), chosen }
    }
}

fn choice(
    chosen: &Mutex<Option<Live<MidiConfig>>>,
    which: impl Fn(&MidiConfig) -> Option<&[PortName]>,
) -> PortChoice {
    let config = chosen.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Live::load);
    PortChoice::of(config.as_deref().and_then(which).map(<[_]>::to_vec))
}

impl Plugin for Midi {
    fn manifest(&self) -> Manifest {
        Manifest::new("engine-midi").about("plays MIDI programs").config::<MidiConfig>()
    }

    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(MIDI).value(Arc::clone(&self.engine));
    }

    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        *self.chosen.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.config::<MidiConfig>()?);
        Ok(())
    }
}
