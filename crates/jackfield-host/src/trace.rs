//! `jackfield trace`: what a timer or MIDI program does, as a document.

use std::{fs, path::Path};

use jackfield_engines::{MidiMapper, MidiSettings, TracedMessage};
use serde_json::{Map, Value, json};

use crate::{
    failure::{Failure, Outcome, say},
    start::{Started, start},
};

/// Runs the project's program for so many cycles, and writes its values to `out`, or to standard output.
pub(crate) fn trace(path: &Path, cycles: u64, out: Option<&Path>) -> Outcome<()> {
    let Started { project, mut instance, watchdog } = start(path)?;
    let trace = match MidiSettings::of(&project.config) {
        // Reading the project has refused what is no settings.
        Some(settings) => {
            let settings = settings.unwrap_or_default();
            // What is left out is for `check` to say.
            let (mut mapper, _) = MidiMapper::for_program(&settings, instance.program(), instance.memory());
            jackfield_engines::trace_midi(&mut instance, cycles, &mut mapper, |_| &[])
        }
        None => jackfield_engines::trace(&mut instance, cycles),
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
