//! `jackfield trace`: what a timer or MIDI program does, as a document.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use jackfield_engines::{MidiMapper, MidiMessage, MidiSettings, PortMessage, TracedMessage};
use serde_json::{Map, Value, json};

use crate::{
    failure::{Failure, Outcome, say},
    start::{Started, start},
};

/// What to trace, and for how long.
pub(crate) struct Trace {
    pub(crate) project: PathBuf,
    pub(crate) cycles: u64,
    /// What comes in.
    pub(crate) midi_input: Option<PathBuf>,
    /// Standard output unless given.
    pub(crate) out: Option<PathBuf>,
}

/// Runs the project's program for so many cycles, and writes down its values and the messages it sends.
pub(crate) fn trace(trace: &Trace) -> Outcome<()> {
    let Trace { project: path, cycles, midi_input, out } = trace;
    let input = match midi_input {
        Some(file) => read_input(file)?,
        None => BTreeMap::new(),
    };
    let Started { project, mut instance, watchdog } = start(path)?;
    let trace = match MidiSettings::of(&project.config) {
        // Reading the project has refused what is no settings.
        Some(settings) => {
            let settings = settings.unwrap_or_default();
            // What is left out is for `check` to say.
            let (mut mapper, _) = MidiMapper::for_program(&settings, instance.program(), &instance);
            let comes_in = |cycle| input.get(&cycle).map_or(&[][..], Vec::as_slice);
            jackfield_engines::trace_midi(&mut instance, *cycles, &mut mapper, comes_in)
        }
        None => jackfield_engines::trace(&mut instance, *cycles),
    };
    watchdog.finish();
    let after: Map<String, Value> = (trace.after.iter())
        .map(|moment| {
            let values = moment.values.iter().map(|(id, reading)| (id.clone(), reading.to_json()));
            (moment.cycle.to_string(), Value::Object(values.collect()))
        })
        .collect();
    let messages = trace.messages.iter().map(|TracedMessage { cycle, sent }| {
        json!({ "cycle": cycle, "message": sent.message.bytes(), "port": sent.port })
    });
    let messages: Vec<Value> = messages.collect();
    let engine = project.config.selected().map(|settings| settings.runtime.clone());
    let document = json!({
        "project": project.name,
        "engine": engine,
        "cycles": trace.cycles,
        "after": after,
        "messages": messages,
    });
    let text = format!("{document:#}\n");
    match out {
        Some(out) => fs::write(out, text).map_err(|error| Failure::unwritable(out, error))?,
        None => say(&text)?,
    }
    match trace.first_trap {
        None => Ok(()),
        Some((cycle, trap)) => Err(Failure::Work(format!(
            "{}: {} of {} cycles broke, the first was {cycle}: {trap}",
            path.display(),
            trace.traps,
            trace.cycles,
        ))),
    }
}

/// What comes in before each cycle, all of it over the first port: `{ "40": [[176, 20, 92]] }`.
fn read_input(file: &Path) -> Outcome<BTreeMap<u64, Vec<PortMessage>>> {
    let shown = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::input(format!("{shown}: cannot be read: {error}; check the path")))?;
    let wrong = |what: String| {
        let remedy = "give JSON such as {\"40\": [[176, 20, 92]]}: cycle, and messages of one to three bytes";
        Failure::input(format!("{shown}: {what}; {remedy}"))
    };
    let input: BTreeMap<u64, Vec<Vec<u8>>> =
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let message = |cycle: &u64, bytes: &Vec<u8>| match MidiMessage::new(bytes) {
        Some(message) => Ok(PortMessage { port: 1, message }),
        None => Err(wrong(format!("{bytes:?} before cycle {cycle} is no message"))),
    };
    let input = input.iter().map(|(cycle, messages)| {
        let messages: Outcome<Vec<_>> = messages.iter().map(|bytes| message(cycle, bytes)).collect();
        Ok((*cycle, messages?))
    });
    input.collect()
}
