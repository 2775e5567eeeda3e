//! From the settings file to the runtime, and back to the person who edits it.

use jackfield::{ChangeError, Failure as PluginFailure, HookError, PluginRuntime, Problems, RuntimeSettings};

use crate::{failure::chain, plugins::Said};

/// What became of an edit: lines for the person who made it.
pub(crate) enum Followed {
    /// It is in force; this is what was done.
    Done(String),
    /// It is not; this is what is wrong. The last good settings stay in force.
    Refused(String),
}

/// Reads settings; beside them, what is likely a mistake.
pub(crate) fn read(file: &str, text: &str) -> Result<(RuntimeSettings, Vec<String>), String> {
    match RuntimeSettings::read_toml(text) {
        Ok((settings, notes)) => Ok((settings, lines(file, &notes))),
        Err(problems) => Err(lines(file, &problems).join("\n")),
    }
}

/// Makes the runtime follow `text`.
pub(crate) async fn follow(runtime: &PluginRuntime, file: &str, text: String) -> Followed {
    let (settings, notes) = match read(file, &text) {
        Ok(read) => read,
        Err(problems) => return Followed::Refused(problems),
    };
    match runtime.update_settings(settings).await {
        Ok(report) => {
            let mut said = notes;
            said.push(report.to_string());
            Followed::Done(said.join("\n"))
        }
        Err(error) => Followed::Refused(explain(file, &text, &error)),
    }
}

/// Why a change was not made, with file, line and column wherever the document has them.
pub(crate) fn explain(file: &str, text: &str, error: &ChangeError) -> String {
    let failures = |failures: &[PluginFailure]| -> Vec<String> {
        failures.iter().flat_map(|failure| explain_failure(file, text, failure)).collect()
    };
    match error {
        ChangeError::Refused(problems) => lines(file, &problems.clone().located_in_toml(text)).join("\n"),
        ChangeError::Reverted { failures: failed } => failures(failed).join("\n"),
        ChangeError::Degraded { failures: failed, lost } => {
            let mut said = failures(failed);
            said.push("and did not come back:".to_owned());
            said.extend(failures(lost));
            said.join("\n")
        }
        other => other.to_string(),
    }
}

/// A plugin may fail with problems of the document, which have a place in it, or with something that needs no
/// introduction.
fn explain_failure(file: &str, text: &str, failure: &PluginFailure) -> Vec<String> {
    let HookError::Failed(error) = &failure.error else { return vec![failure.to_string()] };
    if let Some(problems) = error.downcast_ref::<Problems>() {
        return lines(file, &problems.clone().located_in_toml(text));
    }
    if let Some(Said(said)) = error.downcast_ref() {
        return vec![said.clone()];
    }
    vec![format!("plugin `{}`: {}", failure.plugin, chain(&**error))]
}

/// One line a problem, in the order of the file.
fn lines(file: &str, problems: &Problems) -> Vec<String> {
    let line = |problem: &jackfield::Problem| {
        let gap = if problem.position.is_some() { "" } else { " " };
        format!("{file}:{gap}{problem}")
    };
    let mut problems: Vec<_> = problems.0.iter().collect();
    problems.sort_by_key(|problem| problem.position.map(|position| (position.line, position.column)));
    problems.into_iter().map(line).collect()
}
