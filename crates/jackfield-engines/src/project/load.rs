use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::project::{
    assets,
    config::ProjectConfig,
    json::{self, At},
    parts::{Parts, Project, checked_config},
    problem::{Problem, ProjectError},
};

const PROJECT_ENDING: &str = ".project.json";

impl Project {
    /// Reads a project from a file or a directory.
    ///
    /// * `NAME.project.json`, or any other `.json`: a runtime-ready project, with `compiledWasm`, `compiledModules`,
    ///   `compiledProjectConfig` and perhaps `memorySnapshot`. Without `compiledWasm`, `NAME.wasm` beside it is used.
    /// * `NAME.wasm` or `NAME.wat`: with `NAME.map.json` beside it, and the settings in `NAME.toml` or
    ///   `NAME.config.json`, if there are any. The TOML has the keys of `compiledProjectConfig`, in camel case:
    ///   `[runtimeSettings]`, `runtime = "AudioWorkletRuntime"`, `sampleRate = 48000` and so on.
    /// * A directory: the one `*.project.json` in it.
    ///
    /// Costs reading the files and one pass over them; blocks meanwhile.
    ///
    /// # Errors
    /// Everything that is wrong, with its place and what to do.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ProjectError> {
        let path = path.as_ref();
        if path.is_dir() {
            let fail = |problem| ProjectError { path: Some(path.to_owned()), problems: vec![problem] };
            return load_file(&project_in(path).map_err(fail)?).map(with_assets);
        }
        load_file(path).map(with_assets)
    }

    /// The files that it consists of or may, whether or not they are there: for whoever wants to know when to load it
    /// again. None if it came from memory.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let Some(path) = &self.path else { return Vec::new() };
        let beside = ["wasm", "map.json", "toml", "config.json"].map(|ending| with_ending(path, ending));
        let assets = self.config.binary_assets.iter();
        let assets = assets.filter_map(|asset| assets::local(&asset.url, directory_of(path)));
        let mut files = vec![path.clone()];
        files.extend(beside.into_iter().filter(|file| file != path));
        files.extend(assets);
        files
    }
}

fn with_assets(mut project: Project) -> Project {
    if let Some(path) = &project.path {
        let wanted = &project.config.binary_assets;
        let (assets, left_out) = assets::load(wanted, directory_of(path), &project.map);
        project.assets = assets;
        project.left_out.extend(left_out);
    }
    project
}

fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn load_file(path: &Path) -> Result<Project, ProjectError> {
    let fail = |problem| ProjectError { path: Some(path.to_owned()), problems: vec![problem] };
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let bytes = read(path).map_err(fail)?;
    match ending.as_str() {
        "wasm" | "wat" => load_program(path, bytes),
        _ if bytes.starts_with(b"\0asm") => load_program(path, bytes),
        _ => {
            let text = text(bytes).map_err(fail)?;
            let beside = with_ending(path, "wasm");
            let mut sibling = |problems: &mut Vec<Problem>| match fs::read(&beside) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => {
                    problems.push(unreadable(&beside, &error));
                    None
                }
            };
            Project::from_text(name(path), Some(path.to_owned()), &text, &mut sibling)
        }
    }
}

/// A binary, or its text form, with the files that belong to it.
fn load_program(path: &Path, bytes: Vec<u8>) -> Result<Project, ProjectError> {
    let fail = |problems| ProjectError { path: Some(path.to_owned()), problems };
    let mut problems = Vec::new();
    let wasm = Some(if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("wat")) {
        assembled(bytes).map_err(|problem| fail(vec![problem]))?
    } else if bytes.is_empty() {
        return Err(fail(vec![Problem::whole("is empty", "compile the program again")]));
    } else {
        bytes
    });
    let map = read_map(&with_ending(path, "map.json")).map_err(|problem| fail(vec![problem]))?;
    let config = match read_config(path) {
        Ok(Some((place, config))) => {
            let mut found = Vec::new();
            let config = checked_config(&At::new(&config, ""), &mut found);
            problems.extend(found.into_iter().map(|problem| in_file(&place, problem)));
            config
        }
        Ok(None) => ProjectConfig::default(),
        Err(problem) => {
            problems.push(problem);
            ProjectConfig::default()
        }
    };
    let parts = Parts { name: name(path), path: Some(path.to_owned()), wasm, config, snapshot: None };
    parts.assemble(&At::new(&map, ""), problems)
}

fn read_map(path: &Path) -> Result<Value, Problem> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("has no memory map: {} is missing", path.display());
            return Err(Problem::whole(message, "put the map there that was made with the program"));
        }
        Err(error) => return Err(unreadable(path, &error)),
    };
    text(bytes).and_then(|text| json::parse(&text)).map_err(|problem| in_file(path, problem))
}

/// The settings of a program that is no JSON project, and the file they are in.
fn read_config(path: &Path) -> Result<Option<(PathBuf, Value)>, Problem> {
    type Parse = fn(&str) -> Result<Value, Problem>;
    let ways: [(&str, Parse); 2] = [("toml", parse_toml), ("config.json", json::parse)];
    for (ending, parse) in ways {
        let path = with_ending(path, ending);
        match fs::read(&path) {
            Ok(bytes) => {
                let value =
                    text(bytes).and_then(|text| parse(&text)).map_err(|problem| in_file(&path, problem))?;
                return Ok(Some((path, value)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(&path, &error)),
        }
    }
    Ok(None)
}

fn parse_toml(text: &str) -> Result<Value, Problem> {
    toml::from_str(text).map_err(|error| {
        let problem = Problem::whole(format!("not TOML: {}", error.message()), "mend it there");
        let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return problem };
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        problem.at(line, column)
    })
}

fn assembled(bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let text = text(bytes)?;
    wat::parse_str(&text).map_err(|error| {
        // The first line is the message, the second the place; the rest is a picture of the source.
        let said = error.to_string();
        let mut lines = said.lines();
        let message = lines.next().unwrap_or_default();
        let problem = Problem::whole(format!("not WebAssembly text: {message}"), "mend it there");
        match lines.next().and_then(place_in_wat) {
            Some((line, column)) => problem.at(line, column),
            None => problem,
        }
    })
}

/// Line and column of `     --> <anon>:3:14`.
fn place_in_wat(text: &str) -> Option<(usize, usize)> {
    let (_, place) = text.split_once("--> ")?;
    let mut numbers = place.rsplitn(3, ':');
    let column = numbers.next()?.trim().parse().ok()?;
    Some((numbers.next()?.parse().ok()?, column))
}

/// The one project in a directory.
fn project_in(directory: &Path) -> Result<PathBuf, Problem> {
    let entries = fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(
            entry.map_err(|error| unreadable(directory, &error))?.file_name().to_string_lossy().into_owned(),
        );
    }
    names.sort_unstable();
    let projects: Vec<_> = names.iter().filter(|name| name.ends_with(PROJECT_ENDING)).collect();
    match projects.as_slice() {
        [one] => Ok(directory.join(one)),
        [] => {
            let program = names.iter().find(|name| name.ends_with(".wasm") || name.ends_with(".wat"));
            let remedy = program.map_or_else(
                || "put a runtime-ready project there, or name another directory or a file".to_owned(),
                |program| format!("name the program itself: {}", directory.join(program).display()),
            );
            Err(Problem::whole(format!("has no project in it: no `*{PROJECT_ENDING}`"), remedy))
        }
        several => {
            let names = several.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            let message = format!("has {} projects in it: {names}", several.len());
            Err(Problem::whole(message, "name the one that is meant"))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Problem::whole("there is no such file", "check the path"),
        _ => Problem::whole(format!("cannot be read: {error}"), "check the path, and the file's permissions"),
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::whole(format!("{} cannot be read: {error}", path.display()), "check its permissions")
}

fn text(bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let remedy = "give a project in JSON, a `.wasm` or a `.wat`";
        Problem::new(format!("byte {offset}"), "not text in UTF-8", remedy)
    })
}

fn in_file(path: &Path, problem: Problem) -> Problem {
    Problem { message: format!("in {}: {}", path.display(), problem.message), ..problem }
}

/// `first-light` of `first-light.project.json`, `first-light.wasm` and so on.
fn name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(stem) = name.strip_suffix(PROJECT_ENDING) {
        return stem.to_owned();
    }
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or(name)
}

/// `first-light.map.json` beside `first-light.wasm`.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    path.with_file_name(format!("{}.{ending}", name(path)))
}
