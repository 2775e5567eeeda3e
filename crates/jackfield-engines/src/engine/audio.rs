//! The audio engine: a program's blocks, to a device.

mod tuning;
mod voices;
mod bell;
mod lent;
mod outlet;
mod playing;

pub use self::tuning::{AudioTuning, OnFault};

use crate::device::{Clock, Device, SystemClock};
use crate::engine::audio::playing::Loaded;
use crate::engine::ready;
use crate::factory::{EngineContext, EngineError, EngineFactory, Prepared};
use crate::id::EngineId;
use crate::program::{CodeCache, Compiler, Limits};
use crate::project::AudioSettings;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long one block of a program may take. A hundred times what it lasts at 48 kHz, so nothing that plays
/// comes near.
const CALL_LIMIT: Duration = Duration::from_millis(250);

/// Says how the engine behaves at the moment when it is asked.
type Tuning = Arc<dyn Fn() -> AudioTuning + Send + Sync>;

/// Plays a program's `buffer` on a device, 128 frames at a time, whatever the device's block.
///
/// Id `audio`, alias `AudioWorkletRuntime`. A new program takes over from the one that plays without a pause, and keeps
/// the live values of the variables that both have, see [`Carry`](crate::Carry); another rate, or other inputs, make
/// a new start. A program that traps or does not return is silenced, or gives way to the one before it, and the device
/// plays on. A device that goes away while it plays does not end the program: it plays on where nobody hears it, and on
/// the device again when that is back, which is looked for every two seconds.
#[derive(Clone)]
pub struct AudioEngine {
    devices: Devices,
    looking: Arc<dyn Clock>,
    compiler: Compiler,
    call_limit: Duration,
    tuning: Tuning,
}

/// Where to play: here, or else there.
#[derive(Debug, Clone)]
struct Devices {
    first: Arc<dyn Device>,
    otherwise: Option<Arc<dyn Device>>,
    block: Option<usize>,
}

impl AudioEngine {
    /// The engine's id.
    pub const ID: EngineId = EngineId::new("audio");

    /// An engine that plays on this device.
    #[must_use]
    pub fn new(device: Arc<dyn Device>) -> Self {
        let devices = Devices { first: device, otherwise: None, block: None };
        Self {
            devices,
            looking: Arc::new(SystemClock::new()),
            compiler: Compiler::default(),
            call_limit: CALL_LIMIT,
            tuning: Arc::new(AudioTuning::default),
        }
    }

    /// The same, playing on `device` when the first cannot be opened, or goes away, until it can be had. Why it cannot is
    /// logged as a warning, and shown. What the first would hear is silent there.
    #[must_use]
    pub fn or_on(mut self, device: Arc<dyn Device>) -> Self {
        self.devices.otherwise = Some(device);
        self
    }

    /// The same, looking by another clock whether a device is back.
    #[must_use]
    pub fn looking_by(mut self, clock: Arc<dyn Clock>) -> Self {
        self.looking = clock;
        self
    }

    /// The same, asking the device for blocks of so many frames.
    #[must_use]
    pub fn with_block(mut self, frames: usize) -> Self {
        self.devices.block = Some(frames);
        self
    }

    /// The same, behaving as `tuning` says when it is asked: whenever a program takes over, or breaks. Asked on a thread
    /// that may wait, but must not be held up.
    #[must_use]
    pub fn with_tuning(mut self, tuning: impl Fn() -> AudioTuning + Send + Sync + 'static) -> Self {
        self.tuning = Arc::new(tuning);
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

    /// The same, ending a block that takes longer than this.
    #[must_use]
    pub fn with_call_limit(mut self, limit: Duration) -> Self {
        self.call_limit = limit;
        self
    }
}

impl EngineFactory for AudioEngine {
    fn id(&self) -> EngineId {
        Self::ID
    }

    fn aliases(&self) -> &[&'static str] {
        &["AudioWorkletRuntime"]
    }

    fn defaults(&self) -> Map<String, Value> {
        Map::from_iter([("sampleRate".to_owned(), json!(AudioSettings::default().sample_rate))])
    }

    fn stand_in(&self, meant: &Map<String, Value>) -> Map<String, Value> {
        ready::with_rate_of(self.defaults(), meant, AudioSettings::read)
    }

    fn schema(&self) -> Schema {
        let routes = |port: &str| {
            json!({
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["memoryId"],
                    "properties": {
                        "memoryId": { "type": ["string", "integer"], "description": "The variable with the samples." },
                        "channel": { "type": "integer", "minimum": 0, "default": 0 },
                        port: { "type": "integer", "minimum": 0, "default": 0 },
                    },
                },
            })
        };
        json_schema!({
            "type": "object",
            "properties": {
                "sampleRate": { "type": "integer", "minimum": 1000, "maximum": 768_000, "default": 44100 },
                "audioOutputBuffers": routes("output"),
                "audioInputBuffers": routes("input"),
            },
        })
    }

    fn prepare(&self, cx: EngineContext) -> BoxFuture<'_, Result<Box<dyn Prepared>, EngineError>> {
        async move {
            let settings = ready::read(&Self::ID, &cx.settings, AudioSettings::read)?;
            let project = cx.project.clone().ok_or(EngineError::NoProject)?;
            let addresses = ready::addresses(&settings, &project);
            let instance = ready::instance(Arc::clone(&project), self.compiler.clone()).await?;
            let loaded = Loaded {
                instance,
                addresses,
                settings,
                project,
                console: cx.console,
                events: cx.events,
                devices: self.devices.clone(),
                looking: Arc::clone(&self.looking),
                call_limit: self.call_limit,
                compiler: self.compiler.clone(),
                tuning: Arc::clone(&self.tuning),
            };
            Ok(Box::new(loaded) as Box<dyn Prepared>)
        }
        .boxed()
    }
}

impl fmt::Debug for AudioEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioEngine").field("devices", &self.devices).finish_non_exhaustive()
    }
}
