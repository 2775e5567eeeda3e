//! `jackfield check`: everything that is wrong with projects and settings files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use jackfield_engines::{AudioSettings, Limits, MidiMapper, MidiSettings, Program, Project};

use crate::{
    failure::{Failure, Outcome, chain, say},
    host::{Wishes, host},
    settings_file,
    workplace::Workplace,
};

/// Says `ok` for each file, or what is wrong with it. Exit code 2 if anything is.
pub(crate) fn check(files: &[PathBuf]) -> Outcome<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for file in files {
        let Findings { problems, notes } =
            if is_settings(file) { check_settings(file)? } else { check_project(file) };
        let verdict = if problems.is_empty() { vec![format!("{}: ok", file.display())] } else { Vec::new() };
        for line in notes.iter().chain(&problems).chain(&verdict) {
            say(&format!("{line}\n"))?;
        }
        if !problems.is_empty() {
            code = ExitCode::from(2);
        }
    }
    Ok(code)
}

/// What is wrong, and what is likely a mistake.
#[derive(Default)]
struct Findings {
    problems: Vec<String>,
    notes: Vec<String>,
}

/// A TOML file is settings, unless a program of its name lies beside it, whose it is then.
fn is_settings(file: &Path) -> bool {
    let is_toml = file.extension().is_some_and(|ending| ending == "toml");
    is_toml && !["wasm", "wat"].iter().any(|ending| file.with_extension(ending).is_file())
}

fn check_settings(file: &Path) -> Outcome<Findings> {
    let name = file.display().to_string();
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            let problem =
                format!("{name}: cannot be read: {error}; check the path, its permissions and its encoding");
            return Ok(Findings { problems: vec![problem], notes: Vec::new() });
        }
    };
    let (settings, notes) = match settings_file::read(&name, &text) {
        Ok(read) => read,
        Err(problems) => return Ok(Findings { problems: vec![problems], notes: Vec::new() }),
    };
    // A runtime without sessions runs nothing; it knows the plugins, and that is all it takes to plan.
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::work)?;
    let planned = tokio.block_on(async {
        let workplace = Workplace::new(None, Some(file.to_owned()))?;
        let runtime = host(&workplace, &Wishes::default()).init().await.map_err(Failure::work)?;
        Ok::<_, Failure>(runtime.plan(&settings))
    })?;
    let problems = match planned {
        Ok(_) => Vec::new(),
        Err(problems) => {
            vec![settings_file::explain(&name, &text, &jackfield::ChangeError::Refused(problems))]
        }
    };
    Ok(Findings { problems, notes })
}

fn check_project(file: &Path) -> Findings {
    let project = match Project::load(file) {
        Ok(project) => project,
        Err(error) => return Findings { problems: vec![error.to_string()], notes: Vec::new() },
    };
    let name = file.display();
    let mut findings = Findings::default();
    findings.notes.extend(project.left_out.iter().map(|problem| format!("{name}: note: {problem}")));
    let program = Program::compile(&project, &Limits::default());
    if let Some(Ok(settings)) = MidiSettings::of(&project.config)
        && let Ok(program) = &program
    {
        let (_, left_out) = MidiMapper::for_program(&settings, program, &[0_u8; 0]);
        findings.notes.extend(left_out.iter().map(|problem| format!("{name}: note: {problem}")));
    }
    findings.problems.extend(program.err().map(|error| format!("{name}: {}", chain(&error))));
    if let Some(settings) = project.config.selected()
        && let Ok(audio) = AudioSettings::read(settings)
    {
        let (_, left_out) = audio.routes(&project.map);
        let left_out = left_out.into_iter().chain(audio.out_of_reach());
        findings.notes.extend(left_out.map(|problem| format!("{name}: note: {problem}")));
    }
    findings
}
