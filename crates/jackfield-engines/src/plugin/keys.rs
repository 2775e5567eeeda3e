use crate::device::{Clock, SystemClock};
use crate::engine::MidiEngine;
use crate::midi::PortMessage;
use crate::plugin::{ENGINES, Engines};
use crate::ports::{self, MidiDevice, PortChoice, PortName};
use crate::project::MidiHandler;
use jackfield::{Manifest, Plugin, PluginResult, SessionContext};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;

/// Calls the functions that a project names in `midi.inputs` with what comes in over MIDI, whichever engine plays it. The
/// engine `midi` does so by itself, between two ticks.
pub struct KeysPlugin {
    device: Arc<dyn MidiDevice>,
    clock: Arc<dyn Clock>,
}

/// Its configuration: `inputs = ["keyboard", 3]`. Followed at the next look for ports.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// The ports to listen to: the first is number 1. All of them unless given.
    pub inputs: Option<Vec<PortName>>,
}

impl KeysPlugin {
    /// A plugin called `keys` that listens to the inputs of `device`.
    #[must_use]
    pub fn new(device: Arc<dyn MidiDevice>) -> Self {
        Self::with_clock(device, Arc::new(SystemClock::new()))
    }

    /// The same by another clock.
    #[must_use]
    pub fn with_clock(device: Arc<dyn MidiDevice>, clock: Arc<dyn Clock>) -> Self {
        Self { device, clock }
    }
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Plugin<G, S> for KeysPlugin {
    fn manifest(&self) -> Manifest {
        Manifest::new("keys")
            .about("tells the program what comes in over MIDI, whichever engine plays")
            .depends_on("engine-manager")
            .config::<KeysConfig>()
    }

    async fn attach(&self, cx: &SessionContext<G, S>) -> PluginResult {
        let (engines, config) = (cx.resolve(ENGINES)?, cx.config::<KeysConfig>()?);
        let chosen = {
            let engines = Arc::clone(&engines);
            move || match handlers(&engines).is_empty() {
                true => PortChoice::These(Vec::new()),
                false => PortChoice::of(config.load().inputs.clone()),
            }
        };
        let mut keys = Keys { engines, complaint: None };
        let heard = move |came| keys.heard(came);
        let listener =
            ports::listen(Arc::clone(&self.device), Arc::new(chosen), Arc::clone(&self.clock), heard)?;
        cx.at_detach(async move {
            // Ports take their time.
            if tokio::task::spawn_blocking(move || listener.finish()).await?.is_err() {
                tracing::error!(target: "jackfield::engine", "The thread that listens to MIDI ports panicked");
            }
            Ok(())
        });
        Ok(())
    }
}

/// Who hears what comes in, in the program that plays.
struct Keys {
    engines: Arc<Engines>,
    /// What went wrong last, to be said once.
    complaint: Option<String>,
}

impl Keys {
    fn heard(&mut self, came: PortMessage) {
        for handler in handlers(&self.engines).into_iter().filter(|handler| handler.hears(came.port)) {
            let called =
                self.engines.console().calls().call(&handler.callback, &came.message.padded().map(f64::from));
            let complaint = called.err().map(|error| format!("midi.inputs.{}: {error}", handler.id));
            if complaint.is_some() && complaint != self.complaint {
                tracing::warn!(target: "jackfield::engine", "{}", complaint.as_deref().unwrap_or_default());
            }
            self.complaint = complaint;
        }
    }
}

/// The handlers of the project that plays, unless its engine calls them.
fn handlers(engines: &Engines) -> Vec<MidiHandler> {
    let playing = engines.console().playing();
    if playing.borrow().as_ref().is_none_or(|playing| playing.engine == MidiEngine::ID) {
        return Vec::new();
    }
    let project = engines.store().project.get();
    project.as_ref().as_ref().map(|project| MidiHandler::of(&project.config)).unwrap_or_default()
}

impl fmt::Debug for KeysPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysPlugin").field("device", &self.device).finish_non_exhaustive()
    }
}
