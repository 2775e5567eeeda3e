use serde_json::Value;

use crate::project::{
    config::{EngineSettings, ProjectConfig},
    json::At,
    problem::Problem,
    settings::{PLACE, TIMER_RATES, TimerSettings, rate},
};

/// What the MIDI engine needs to know.
///
/// A module whose name begins with `midinoteout`, `midinotein`, `midiccout` or `midiccin` needs no mention here; the
/// lists are for all others.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MidiSettings {
    /// Ticks per second; 50 unless given.
    pub sample_rate: f64,
    /// From memory to notes.
    pub note_outputs: Vec<MidiNote>,
    /// From notes to memory.
    pub note_inputs: Vec<MidiNote>,
    /// From memory to controllers.
    pub controller_outputs: Vec<MidiController>,
    /// From controllers to memory.
    pub controller_inputs: Vec<MidiController>,
    /// Exported functions that are called with what comes in (newest generation only).
    pub handlers: Vec<MidiHandler>,
}

/// Where a note lies in memory. What is not named is the variable of the usual name in the module, if it has one.
///
/// A name without a module is one of `module_id`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MidiNote {
    /// The module.
    pub module_id: Option<String>,
    /// Usually `channel`, from 1 to 16.
    pub channel: Option<String>,
    /// Usually `port`, from 1.
    pub port: Option<String>,
    /// Usually `velocity`.
    pub velocity: Option<String>,
    /// Usually `gate`: the note sounds while it is not 0.
    pub gate: Option<String>,
    /// Usually `note`.
    pub note: Option<String>,
}

/// Where a controller lies in memory. What is not named is the variable of the usual name in the module, if it has one.
///
/// A name without a module is one of `module_id`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MidiController {
    /// The module.
    pub module_id: Option<String>,
    /// Usually `channel`, from 1 to 16.
    pub channel: Option<String>,
    /// Usually `port`, from 1.
    pub port: Option<String>,
    /// Usually `cc`: the number of the controller.
    pub controller: Option<String>,
    /// Usually `value`.
    pub value: Option<String>,
}

/// An exported function that is called with every message that comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MidiHandler {
    /// Its name among the `midi.inputs`.
    pub id: String,
    /// The port it listens to, counted from 0; all of them unless given.
    pub port: Option<u32>,
    /// The function, of three whole numbers: status, first and second byte of data.
    pub callback: String,
}

impl Default for MidiSettings {
    fn default() -> Self {
        Self {
            sample_rate: TimerSettings::default().sample_rate,
            note_outputs: Vec::new(),
            note_inputs: Vec::new(),
            controller_outputs: Vec::new(),
            controller_inputs: Vec::new(),
            handlers: Vec::new(),
        }
    }
}

impl MidiSettings {
    /// The name under which projects ask for the MIDI engine.
    pub(crate) const RUNTIME: &str = "WebWorkerMIDIRuntime";

    /// Its id.
    pub(crate) const ENGINE: &str = "midi";

    /// The settings of a project that asks for the MIDI engine; `None` if it asks for another one.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn of(config: &ProjectConfig) -> Option<Result<Self, Vec<Problem>>> {
        let selected = config.selected()?;
        [Self::RUNTIME, Self::ENGINE].contains(&selected.runtime.as_str()).then(|| Self::read(selected))
    }

    /// Reads the settings of a MIDI engine.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(settings: &EngineSettings) -> Result<Self, Vec<Problem>> {
        Self::read_at(settings, PLACE)
    }

    pub(super) fn read_at(settings: &EngineSettings, place: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let value = Value::Object(settings.settings.clone());
        let at = At::new(&value, place);
        let rate = rate(&at, &TIMER_RATES, &mut problems);
        let read = Self {
            sample_rate: rate.unwrap_or(Self::default().sample_rate),
            note_outputs: list(&at, "midiNoteOutputs", MidiNote::read, &mut problems),
            note_inputs: list(&at, "midiNoteInputs", MidiNote::read, &mut problems),
            controller_outputs: list(&at, "midiControlChangeOutputs", MidiController::read, &mut problems),
            controller_inputs: list(&at, "midiControlChangeInputs", MidiController::read, &mut problems),
            handlers: handlers(&at, &mut problems),
        };
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }
}

impl MidiHandler {
    /// The key under which settings have the handlers.
    pub(crate) const KEY: &str = "midi";

    /// Whether it is called with what comes in over this port, counted from 1 as messages count them.
    pub(crate) fn hears(&self, port: u32) -> bool {
        self.port.is_none_or(|wanted| u64::from(wanted) + 1 == u64::from(port))
    }

    /// The handlers of a project. They are its own, whichever engine its settings are meant for; those that make no
    /// sense are left out.
    #[must_use]
    pub fn of(config: &ProjectConfig) -> Vec<Self> {
        let Some(of_any) = Self::settings(config) else { return Vec::new() };
        let settings = serde_json::Map::from_iter([(Self::KEY.to_owned(), of_any.clone())]);
        handlers(&At::new(&Value::Object(settings), PLACE), &mut Vec::new())
    }

    /// What a project's settings say of them.
    pub(crate) fn settings(config: &ProjectConfig) -> Option<&Value> {
        config.runtime_settings.iter().find_map(|engine| engine.settings.get(Self::KEY))
    }
}

impl MidiNote {
    fn read(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        at.object(problems)?;
        let mut member = |key| name(at, key, problems);
        Some(Self {
            module_id: member("moduleId")?,
            channel: member("channelMemoryId")?,
            port: member("portMemoryId")?,
            velocity: member("velocityMemoryId")?,
            gate: member("noteOnOffMemoryId")?,
            note: member("noteMemoryId")?,
        })
    }
}

impl MidiController {
    fn read(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        at.object(problems)?;
        let mut member = |key| name(at, key, problems);
        Some(Self {
            module_id: member("moduleId")?,
            channel: member("channelMemoryId")?,
            port: member("portMemoryId")?,
            controller: member("selectedCCMemoryId")?,
            value: member("valueMemoryId")?,
        })
    }
}

/// The names that are given; `None` for one that is no text.
fn name(at: &At<'_>, key: &str, problems: &mut Vec<Problem>) -> Option<Option<String>> {
    match at.get(key) {
        None => Some(None),
        Some(at) => at.text(problems).map(|text| Some(text.to_owned())),
    }
}

fn list<T>(
    at: &At<'_>,
    key: &str,
    read: impl Fn(&At<'_>, &mut Vec<Problem>) -> Option<T>,
    problems: &mut Vec<Problem>,
) -> Vec<T> {
    let Some(list) = at.get(key) else { return Vec::new() };
    list.list(problems).iter().filter_map(|at| read(at, problems)).collect()
}

/// `midi.inputs`: an object of handlers by name, or a list of them.
fn handlers(at: &At<'_>, problems: &mut Vec<Problem>) -> Vec<MidiHandler> {
    let Some(inputs) = at.get(MidiHandler::KEY).and_then(|at| at.get("inputs")) else { return Vec::new() };
    let all: Vec<(String, At<'_>)> = if inputs.value.is_array() {
        inputs.list(problems).into_iter().enumerate().map(|(id, at)| (id.to_string(), at)).collect()
    } else {
        inputs.members(problems)
    };
    all.into_iter().filter_map(|(id, at)| handler(id, &at, problems)).collect()
}

fn handler(id: String, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<MidiHandler> {
    at.object(problems)?;
    let port = match at.get("port") {
        Some(port) => Some(port.whole(problems)?),
        None => None,
    };
    let Some(callback) = at.get("callback") else {
        let remedy = "name an exported function that takes status and two bytes of data";
        problems.push(Problem::new(&at.place, "has no `callback`", remedy));
        return None;
    };
    let callback = callback.text(problems)?.to_owned();
    Some(MidiHandler { id, port, callback })
}
