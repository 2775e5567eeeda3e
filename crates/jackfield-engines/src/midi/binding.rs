use crate::{
    memory::{Memories, MemoryMap, Module, Variable},
    midi::{
        controllers::{ControllerInput, ControllerOutput},
        notes::{Gate, NoteInput, NoteOutput},
        place::{Place, Setting},
    },
    project::{MidiController, MidiNote, MidiSettings, Problem},
};

/// From which names of modules on it is clear what they are for.
const NOTE_OUT: &str = "midinoteout";
const NOTE_IN: &str = "midinotein";
const CONTROLLER_OUT: &str = "midiccout";
const CONTROLLER_IN: &str = "midiccin";

const LEFT_OUT: &str = "it is left out";

/// All modules that have to do with MIDI, found.
#[derive(Debug, Default)]
pub(super) struct Bound {
    pub(super) note_outputs: Vec<NoteOutput>,
    pub(super) note_inputs: Vec<NoteInput>,
    pub(super) controller_outputs: Vec<ControllerOutput>,
    pub(super) controller_inputs: Vec<ControllerInput>,
    /// What is left out, and why.
    pub(super) problems: Vec<Problem>,
}

impl Bound {
    /// Those known by their names first, in the order of the map; then those of the lists. A module that a list names
    /// is bound as the list says, and not by its name too.
    pub(super) fn new(settings: &MidiSettings, map: &MemoryMap, memory: &(impl Memories + ?Sized)) -> Self {
        let mut bound = Self::default();
        let Self { note_outputs, note_inputs, controller_outputs, controller_inputs, problems } = &mut bound;
        let find = Find { map, memory };
        for (which, note) in entries(map, NOTE_OUT, "midiNoteOutputs", &settings.note_outputs) {
            note_outputs.extend(kept(find.note_output(&which, &note), problems));
        }
        for (which, note) in entries(map, NOTE_IN, "midiNoteInputs", &settings.note_inputs) {
            note_inputs.extend(kept(find.note_input(&which, &note), problems));
        }
        for (which, one) in
            entries(map, CONTROLLER_OUT, "midiControlChangeOutputs", &settings.controller_outputs)
        {
            controller_outputs.extend(kept(find.controller_output(&which, &one), problems));
        }
        for (which, one) in
            entries(map, CONTROLLER_IN, "midiControlChangeInputs", &settings.controller_inputs)
        {
            controller_inputs.extend(kept(find.controller_input(&which, &one), problems));
        }
        bound
    }
}

fn kept<T>(found: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    found.map_err(|problem| problems.push(problem)).ok()
}

/// The modules whose name begins with `prefix`, unless the list names them, and then the list.
fn entries<'m, T: Entry>(
    map: &'m MemoryMap,
    prefix: &str,
    list: &'static str,
    listed: &[T],
) -> Vec<(Listed<'m>, T)> {
    let is_listed = |module: &Module| listed.iter().any(|entry| entry.module() == Some(module.id()));
    let named = map.modules().iter().filter(|module| module.id().starts_with(prefix) && !is_listed(module));
    let named = named.map(|module| (Listed::Named(module), T::default()));
    let listed = listed.iter().enumerate().map(|(index, entry)| {
        (Listed::At { list, index, module: entry.module().map(str::to_owned) }, entry.clone())
    });
    named.chain(listed).collect()
}

/// An entry of a list.
trait Entry: Clone + Default {
    fn module(&self) -> Option<&str>;
}

impl Entry for MidiNote {
    fn module(&self) -> Option<&str> {
        self.module_id.as_deref()
    }
}

impl Entry for MidiController {
    fn module(&self) -> Option<&str> {
        self.module_id.as_deref()
    }
}

/// How a module came to be bound.
enum Listed<'a> {
    Named(&'a Module),
    At { list: &'static str, index: usize, module: Option<String> },
}

impl Listed<'_> {
    fn module(&self) -> Option<&str> {
        match self {
            Self::Named(module) => Some(module.id()),
            Self::At { module, .. } => module.as_deref(),
        }
    }

    /// Where it stands, for messages.
    fn place(&self, member: &str) -> String {
        match self {
            Self::Named(module) => format!("compiledModules.{}", module.id()),
            Self::At { list, index, .. } if member.is_empty() => format!("runtimeSettings.{list}[{index}]"),
            Self::At { list, index, .. } => format!("runtimeSettings.{list}[{index}].{member}"),
        }
    }
}

/// What tells one module from another, also in the next program: the variable that makes it play, or be told.
fn key(which: &Listed<'_>, given: Option<&str>, usual: &str) -> String {
    id(which.module(), given.unwrap_or(usual)).replace(':', ".")
}

/// A name without a module is one of `module`.
fn id(module: Option<&str>, name: &str) -> String {
    match module {
        Some(module) if !name.contains(['.', ':']) => format!("{module}.{name}"),
        _ => name.to_owned(),
    }
}

struct Find<'a, M: ?Sized> {
    map: &'a MemoryMap,
    memory: &'a M,
}

impl<M: Memories + ?Sized> Find<'_, M> {
    fn note_output(&self, which: &Listed<'_>, note: &MidiNote) -> Result<NoteOutput, Problem> {
        Ok(NoteOutput {
            note: self.required(which, "noteMemoryId", note.note.as_deref(), "note")?,
            gate: self.required(which, "noteOnOffMemoryId", note.gate.as_deref(), "gate")?,
            channel: self.setting(which, "channelMemoryId", note.channel.as_deref(), "channel", 1)?,
            velocity: self.setting(which, "velocityMemoryId", note.velocity.as_deref(), "velocity", 127)?,
            port: self.setting(which, "portMemoryId", note.port.as_deref(), "port", 1)?,
            state: Gate::default(),
            key: key(which, note.gate.as_deref(), "gate"),
        })
    }

    fn note_input(&self, which: &Listed<'_>, note: &MidiNote) -> Result<NoteInput, Problem> {
        let found = NoteInput {
            note: self.optional(which, "noteMemoryId", note.note.as_deref(), "note")?,
            gate: self.optional(which, "noteOnOffMemoryId", note.gate.as_deref(), "gate")?,
            velocity: self.optional(which, "velocityMemoryId", note.velocity.as_deref(), "velocity")?,
            channel: self.setting(which, "channelMemoryId", note.channel.as_deref(), "channel", 0)?,
            port: self.setting(which, "portMemoryId", note.port.as_deref(), "port", 0)?,
            held: None,
            key: key(which, note.gate.as_deref().or(note.note.as_deref()), "gate"),
        };
        if found.note.is_none() && found.gate.is_none() {
            return Err(Problem::new(which.place(""), "has neither `note` nor `gate` to be told", LEFT_OUT));
        }
        Ok(found)
    }

    fn controller_output(
        &self,
        which: &Listed<'_>,
        one: &MidiController,
    ) -> Result<ControllerOutput, Problem> {
        Ok(ControllerOutput {
            controller: self.required(which, "selectedCCMemoryId", one.controller.as_deref(), "cc")?,
            value: self.required(which, "valueMemoryId", one.value.as_deref(), "value")?,
            channel: self.setting(which, "channelMemoryId", one.channel.as_deref(), "channel", 1)?,
            port: self.setting(which, "portMemoryId", one.port.as_deref(), "port", 1)?,
            last: None,
            key: key(which, one.value.as_deref(), "value"),
        })
    }

    fn controller_input(&self, which: &Listed<'_>, one: &MidiController) -> Result<ControllerInput, Problem> {
        let channel = match which {
            // By its name alone, a module without a channel listens to none.
            Listed::Named(_) => Setting::At(self.required(which, "", None, "channel")?),
            Listed::At { .. } => {
                self.setting(which, "channelMemoryId", one.channel.as_deref(), "channel", 0)?
            }
        };
        Ok(ControllerInput {
            controller: self.required(which, "selectedCCMemoryId", one.controller.as_deref(), "cc")?,
            value: self.required(which, "valueMemoryId", one.value.as_deref(), "value")?,
            channel,
            port: self.setting(which, "portMemoryId", one.port.as_deref(), "port", 0)?,
        })
    }

    fn setting(
        &self,
        which: &Listed<'_>,
        member: &str,
        given: Option<&str>,
        usual: &str,
        otherwise: i32,
    ) -> Result<Setting, Problem> {
        let place = self.optional(which, member, given, usual)?;
        Ok(place.map_or(Setting::Always(otherwise), Setting::At))
    }

    fn required(
        &self,
        which: &Listed<'_>,
        member: &str,
        given: Option<&str>,
        usual: &str,
    ) -> Result<Place, Problem> {
        self.optional(which, member, given, usual)?
            .ok_or_else(|| Problem::new(which.place(""), format!("has no variable `{usual}`"), LEFT_OUT))
    }

    /// What is named must be there; what is not may be.
    fn optional(
        &self,
        which: &Listed<'_>,
        member: &str,
        given: Option<&str>,
        usual: &str,
    ) -> Result<Option<Place>, Problem> {
        let place = |variable: &Variable| Place::of(variable, self.memory);
        let module = which.module();
        let Some(given) = given else {
            let module = match module {
                Some(id) => self.map.module(id).map(Some).ok_or_else(|| self.no_module(which, id))?,
                None => None,
            };
            return Ok(module.and_then(|module| module.variable(usual)).map(place));
        };
        let id = id(module, given);
        match self.map.variable(&id) {
            Ok(variable) => Ok(Some(place(variable))),
            Err(unknown) => Err(Problem::new(which.place(member), unknown.to_string(), LEFT_OUT)),
        }
    }

    fn no_module(&self, which: &Listed<'_>, id: &str) -> Problem {
        let nearest =
            self.map.nearest_module(id).map(|id| format!("; nearest is `{id}`")).unwrap_or_default();
        Problem::new(which.place("moduleId"), format!("no module `{id}`{nearest}"), LEFT_OUT)
    }
}
