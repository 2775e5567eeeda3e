//! `jackfield trace`: what a timer program does, as a document.

use std::{fs, io::Write, path::Path};

use jackfield_engines::{Instance, Limits, Program, Project};
use serde_json::{Map, Value, json};

use crate::failure::{Failure, Outcome, chain};

/// Runs the project's program for so many cycles, and writes its values to `out`, or to standard output.
pub(crate) fn trace(project: &Path, cycles: u64, out: Option<&Path>) -> Outcome<()> {
    let (project, mut instance) = start(project)?;
    let trace = jackfield_engines::trace(&mut instance, cycles);
    if let Some((cycle, trap)) = &trace.first_trap {
        eprintln!("jackfield: {} of {cycles} cycles broke, the first was {cycle}: {trap}", trace.traps);
    }
    let after: Map<String, Value> = (trace.after.iter())
        .map(|moment| {
            let values = moment.values.iter().map(|(id, reading)| (id.clone(), reading.to_json()));
            (moment.cycle.to_string(), Value::Object(values.collect()))
        })
        .collect();
    let engine = project.config.selected().map(|settings| settings.runtime.clone());
    let document = json!({
        "project": project.name,
        "engine": engine,
        "cycles": trace.cycles,
        "after": after,
        "messages": [], // for MIDI engines
    });
    let text = format!("{document:#}\n");
    match out {
        Some(path) => fs::write(path, text).map_err(|error| Failure::unwritable(path, error)),
        None => std::io::stdout().write_all(text.as_bytes()).map_err(Failure::work),
    }
}

/// A project, and its program made ready to run.
pub(crate) fn start(path: &Path) -> Outcome<(Project, Instance)> {
    let project = Project::load(path).map_err(Failure::input)?;
    let refused = |error: &(dyn std::error::Error + 'static)| {
        Failure::input(format!("{}: {}", path.display(), chain(error)))
    };
    let program = Program::compile(&project, &Limits::default()).map_err(|error| refused(&error))?;
    let instance = program.instantiate().map_err(|error| refused(&error))?;
    Ok((project, instance))
}
