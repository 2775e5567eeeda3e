//! The MIDI engine: a program's ticks on a thread of their own, and its notes on MIDI ports.

mod playing;

use crate::device::{Clock, SystemClock};
use crate::engine::midi::playing::Loaded;
use crate::engine::ready;
use crate::factory::{EngineContext, EngineError, EngineFactory, Prepared};
use crate::id::EngineId;
use crate::instance::Instance;
use crate::midi::MidiMapper;
use crate::ports::{Chosen, MidiDevice, MidiRecorder, MidiTraffic, PortChoice};
use crate::program::{CodeCache, Compiler, Limits};
use crate::project::{MidiHandler, MidiSettings, Project};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long one tick of a program may take.
const CALL_LIMIT: Duration = Duration::from_millis(500);

/// Calls a program's `cycle` as the worker does, and plays what it says on MIDI ports; what comes in over them is told
/// to the program before its next tick.
///
/// Id `midi`, alias `WebWorkerMIDIRuntime`. Which modules play is clear from their names or said by the settings, see
/// [`MidiSettings`]. Ports may come and go: they are looked for every two seconds. However it ends, by a stop, another
/// project or a program that breaks, it ends every note that sounds, where it sounds.
#[derive(Clone)]
pub struct MidiEngine {
    device: Arc<dyn MidiDevice>,
    outputs: Chosen,
    inputs: Chosen,
    recorder: Option<MidiRecorder>,
    traffic: MidiTraffic,
    clock: Arc<dyn Clock>,
    looking: Arc<dyn Clock>,
    compiler: Compiler,
    call_limit: Duration,
}

impl MidiEngine {
    /// The engine's id.
    pub const ID: EngineId = EngineId::new(MidiSettings::ENGINE);

    /// An engine that plays on the ports of this device, all of them, in their order.
    #[must_use]
    pub fn new(device: Arc<dyn MidiDevice>) -> Self {
        let clock = Arc::new(SystemClock::new());
        Self::with_clocks(device, Arc::clone(&clock) as _, clock)
    }

    /// The same by other clocks: one for the ticks, and one for looking which ports there are.
    #[must_use]
    pub fn with_clocks(
        device: Arc<dyn MidiDevice>,
        ticking: Arc<dyn Clock>,
        looking: Arc<dyn Clock>,
    ) -> Self {
        Self {
            device,
            outputs: Arc::new(|| PortChoice::All),
            inputs: Arc::new(|| PortChoice::All),
            recorder: None,
            traffic: MidiTraffic::default(),
            clock: ticking,
            looking,
            compiler: Compiler::default(),
            call_limit: CALL_LIMIT,
        }
    }

    /// The same, with the outputs that this says whenever ports are looked for. Where the choice changes while notes
    /// sound, they end.
    #[must_use]
    pub fn with_outputs(mut self, choice: impl Fn() -> PortChoice + Send + Sync + 'static) -> Self {
        self.outputs = Arc::new(choice);
        self
    }

    /// The same, with the inputs that this says whenever ports are looked for.
    #[must_use]
    pub fn with_inputs(mut self, choice: impl Fn() -> PortChoice + Send + Sync + 'static) -> Self {
        self.inputs = Arc::new(choice);
        self
    }

    /// The same, keeping what is sent, whether or not there is a port for it.
    #[must_use]
    pub fn with_recorder(mut self, recorder: MidiRecorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// The same with other limits for programs.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.compiler = self.compiler.with_limits(limits);
        self
    }

    /// The same, keeping compiled code in `cache`, if there is one.
    #[must_use]
    pub fn with_cache(mut self, cache: impl Into<Option<CodeCache>>) -> Self {
        self.compiler = self.compiler.with_cache(cache);
        self
    }

    /// The same, ending a tick that takes longer than this.
    #[must_use]
    pub fn with_call_limit(mut self, limit: Duration) -> Self {
        self.call_limit = limit;
        self
    }

    /// What goes over the ports, of all engines that this makes.
    #[must_use]
    pub fn traffic(&self) -> MidiTraffic {
        self.traffic.clone()
    }
}

/// The settings, with the handlers of the project where the engine's own name none: in the newest generation they
/// belong to the project, whichever engine it is meant for.
fn settings(settings: &Map<String, Value>, project: &Project) -> Result<MidiSettings, EngineError> {
    let mut settings = settings.clone();
    if let (None, Some(handlers)) = (settings.get(MidiHandler::KEY), MidiHandler::settings(&project.config)) {
        settings.insert(MidiHandler::KEY.to_owned(), handlers.clone());
    }
    ready::read(&MidiEngine::ID, &settings, MidiSettings::read)
}

/// What an instance plays. Modules and handlers that are left out are told.
fn mapper(settings: &MidiSettings, project: &Project, instance: &Instance) -> MidiMapper {
    let (mapper, left_out) = MidiMapper::for_program(settings, instance.program(), instance);
    for problem in left_out {
        tracing::warn!(target: "jackfield::engine", "Project `{}`: {problem}", project.name);
    }
    mapper
}

impl EngineFactory for MidiEngine {
    fn id(&self) -> EngineId {
        Self::ID
    }

    fn aliases(&self) -> &[&'static str] {
        &[MidiSettings::RUNTIME]
    }

    fn defaults(&self) -> Map<String, Value> {
        Map::from_iter([("sampleRate".to_owned(), json!(MidiSettings::default().sample_rate))])
    }

    fn stand_in(&self, meant: &Map<String, Value>) -> Map<String, Value> {
        ready::with_rate_of(self.defaults(), meant, MidiSettings::read)
    }

    fn schema(&self) -> Schema {
        let list = |members: &[(&str, &str)]| {
            let name = |about: &str| json!({ "type": "string", "description": about });
            let properties = members.iter().map(|(key, about)| ((*key).to_owned(), name(about)));
            json!({
                "type": "array",
                "items": { "type": "object", "properties": Map::from_iter(properties) },
            })
        };
        let notes = list(&[
            ("moduleId", "The module. Variables that are not named are those of the usual names in it."),
            ("channelMemoryId", "The variable with the channel, from 1 to 16."),
            ("portMemoryId", "The variable with the number of the port, from 1."),
            ("velocityMemoryId", "The variable with the velocity."),
            ("noteOnOffMemoryId", "The variable that is not 0 while the note sounds."),
            ("noteMemoryId", "The variable with the note."),
        ]);
        let controllers = list(&[
            ("moduleId", "The module. Variables that are not named are those of the usual names in it."),
            ("channelMemoryId", "The variable with the channel, from 1 to 16."),
            ("portMemoryId", "The variable with the number of the port, from 1."),
            ("selectedCCMemoryId", "The variable with the number of the controller."),
            ("valueMemoryId", "The variable with the controller's value."),
        ]);
        json_schema!({
            "type": "object",
            "properties": {
                "sampleRate": { "type": "number", "minimum": 0.001, "maximum": 1000, "default": 50 },
                "midiNoteOutputs": notes,
                "midiNoteInputs": notes,
                "midiControlChangeOutputs": controllers,
                "midiControlChangeInputs": controllers,
                "midi": {
                    "type": "object",
                    "properties": {
                        "inputs": {
                            "type": "object",
                            "additionalProperties": {
                                "type": "object",
                                "required": ["callback"],
                                "properties": {
                                    "port": { "type": "integer", "minimum": 0, "description": "From 0; all unless given." },
                                    "callback": { "type": "string", "description": "The exported function." },
                                },
                            },
                        },
                    },
                },
            },
        })
    }

    fn prepare(&self, cx: EngineContext) -> BoxFuture<'_, Result<Box<dyn Prepared>, EngineError>> {
        async move {
            let project = cx.project.clone().ok_or(EngineError::NoProject)?;
            let settings = settings(&cx.settings, &project)?;
            let instance = ready::instance(Arc::clone(&project), self.compiler.clone()).await?;
            let mapper = mapper(&settings, &project, &instance);
            let loaded = Loaded {
                engine: self.clone(),
                instance,
                mapper,
                settings,
                project,
                console: cx.console,
                events: cx.events,
            };
            Ok(Box::new(loaded) as Box<dyn Prepared>)
        }
        .boxed()
    }
}

impl fmt::Debug for MidiEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MidiEngine").field("device", &self.device).finish_non_exhaustive()
    }
}
