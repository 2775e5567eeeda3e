use std::{fs, path::Path};

use jackfield_engines::{Problem, Project, ProjectError};
use jackfield_testkit::fixtures;
use serde_json::{Value, json};

/// The one problem of `text`, read as a project.
#[track_caller]
fn problem(text: &str) -> Problem {
    only(&Project::from_json("bad", text).unwrap_err())
}

/// The one problem of the `dc` project after `change`.
#[track_caller]
fn changed(change: impl FnOnce(&mut Value)) -> Problem {
    let mut project = fixtures::json("dc/dc.project.json");
    change(&mut project);
    problem(&project.to_string())
}

#[track_caller]
fn only(error: &ProjectError) -> Problem {
    assert_eq!(error.problems.len(), 1, "{error}");
    let problem = error.problems[0].clone();
    assert!(!problem.message.is_empty() && !problem.remedy.is_empty());
    problem
}

#[track_caller]
fn load(path: impl AsRef<Path>) -> ProjectError {
    let error = Project::load(&path).unwrap_err();
    assert_eq!(error.path.as_deref(), Some(path.as_ref()));
    error
}

#[test]
fn a_missing_file_is_named() {
    let error = load(fixtures::path("nowhere.project.json"));
    assert_eq!(only(&error).message, "there is no such file");
    assert!(
        error.to_string().contains("nowhere.project.json: there is no such file; check the path"),
        "{error}"
    );
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let error = load(fixtures::path("dc/dc.wasm/inside.project.json"));
    assert!(only(&error).message.starts_with("cannot be read: "), "{error}");
}

#[test]
fn a_directory_needs_exactly_one_project() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(only(&load(folder.path())).message, "has no project in it: no `*.project.json`");
    fs::write(folder.path().join("song.wasm"), "").unwrap();
    assert!(only(&load(folder.path())).remedy.ends_with("song.wasm"));
    for name in ["b", "a"] {
        fs::copy(fixtures::project("dc"), folder.path().join(format!("{name}.project.json"))).unwrap();
    }
    let message = only(&load(folder.path())).message;
    assert_eq!(message, "has 2 projects in it: a.project.json, b.project.json");
    fs::remove_file(folder.path().join("b.project.json")).unwrap();
    assert_eq!(Project::load(folder.path()).unwrap().name, "a");
}

#[test]
fn what_is_not_json_is_located() {
    let problem = problem("{\n  \"compiledWasm\": oops }");
    assert_eq!(problem.position.map(|position| (position.line, position.column)), Some((2, 19)));
    assert!(problem.to_string().starts_with("line 2, column 19: not JSON: expected value; "), "{problem}");
}

#[test]
fn cut_base64_says_that_it_was_cut() {
    let problem = changed(|project| {
        let text = project["compiledWasm"].as_str().unwrap();
        project["compiledWasm"] = json!(text[..text.len() - 5]);
    });
    assert_eq!(problem.place, "compiledWasm");
    assert!(problem.message.contains("cut off"), "{problem}");
}

#[test]
fn what_is_not_webassembly_says_so() {
    for bytes in ["", "aGVsbG8gd29ybGQ="] {
        let problem = changed(|project| project["compiledWasm"] = json!(bytes));
        assert!(problem.message.starts_with("is not WebAssembly"), "{problem}");
    }
}

#[test]
fn a_program_that_was_cut_is_located() {
    let problem = changed(|project| {
        let text = project["compiledWasm"].as_str().unwrap();
        project["compiledWasm"] = json!(text[..text.len() / 8 * 4]);
    });
    assert!(problem.place.starts_with("byte "), "{problem}");
    assert!(problem.message.starts_with("is not whole WebAssembly: "), "{problem}");
}

#[test]
fn a_project_without_a_program_says_how_to_get_one() {
    let problem = problem(r#"{ "codeBlocks": [], "viewport": {} }"#);
    assert!(problem.message.contains("without a compiled program"), "{problem}");
    assert!(problem.remedy.contains("runtime-ready"), "{problem}");
}

#[test]
fn a_program_beside_a_project_without_one_is_used() {
    // B.2: what the seed exports holds no binary.
    let folder = tempfile::tempdir().unwrap();
    let mut project = fixtures::json("dc/dc.project.json");
    project.as_object_mut().unwrap().remove("compiledWasm");
    let file = folder.path().join("dc.project.json");
    fs::write(&file, project.to_string()).unwrap();
    assert!(only(&load(&file)).message.contains("without a compiled program"));
    fs::copy(fixtures::path("dc/dc.wasm"), folder.path().join("dc.wasm")).unwrap();
    assert_eq!(*Project::load(&file).unwrap().wasm, *fs::read(fixtures::path("dc/dc.wasm")).unwrap());
}

#[test]
fn source_text_is_not_a_program() {
    let error = load(fixtures::path("new-abi/new-abi.8f4e"));
    assert!(only(&error).message.contains("source"), "{error}");
}

#[test]
fn something_else_is_not_a_project() {
    assert!(problem("[1, 2]").message.contains("not a project"));
    assert!(problem("{}").message.contains("neither `compiledWasm` nor `codeBlocks`"));
    assert_eq!(problem("").message, "not JSON: EOF while parsing a value");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("noise.json");
    fs::write(&file, [b'{', 0xff, 0xfe]).unwrap();
    assert_eq!(only(&load(&file)).place, "byte 1");
}

#[test]
fn a_map_that_points_outside_memory_names_the_variable() {
    let problem = changed(|project| {
        project["compiledModules"]["speakers"]["memoryMap"]["left"]["byteAddress"] = json!(65_532);
    });
    assert_eq!(problem.place, "compiledModules.speakers.memoryMap.left");
    assert_eq!(problem.message, "takes bytes 65532 to 66044, but the memory has 65536");
}

#[test]
fn a_snapshot_larger_than_memory_is_refused() {
    let problem = changed(|project| project["memorySnapshot"] = json!("AAAA".repeat(30_000)));
    assert_eq!(problem.place, "memorySnapshot");
}

#[test]
fn a_variable_that_makes_no_sense_is_located() {
    let place = "compiledModules.speakers.memoryMap.left";
    let at = |key: &str, value: Value| {
        changed(|project| project["compiledModules"]["speakers"]["memoryMap"]["left"][key] = value)
    };
    assert_eq!(at("byteAddress", json!(-4)).place, format!("{place}.byteAddress"));
    assert_eq!(at("byteAddress", json!(1.5)).message, "1.5 is not a whole number from 0 to 4294967295");
    assert_eq!(at("elementWordSize", json!(3)).place, place);
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let mut project = fixtures::json("dc/dc.project.json");
    project["compiledWasm"] = json!("?");
    project["memorySnapshot"] = json!(7);
    project["compiledModules"]["speakers"]["memoryMap"]["left"] = json!({});
    project["compiledProjectConfig"]["runtimeSettings"]["sampleRate"] = json!(0);
    let error = Project::from_json("bad", &project.to_string()).unwrap_err();
    let places: Vec<_> = error.problems.iter().map(|problem| problem.place.as_str()).collect();
    let variable = "compiledModules.speakers.memoryMap.left";
    let rate = "compiledProjectConfig.runtimeSettings.sampleRate";
    assert_eq!(places, ["compiledWasm", rate, "memorySnapshot", variable, variable, variable]);
    assert_eq!(error.to_string().lines().count(), 6);
}

#[test]
fn a_program_without_its_map_says_which_file_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dc.wasm");
    fs::copy(fixtures::path("dc/dc.wasm"), &file).unwrap();
    assert!(only(&load(&file)).message.contains("dc.map.json is missing"));
    fs::write(folder.path().join("dc.map.json"), "{").unwrap();
    assert!(only(&load(&file)).message.contains("dc.map.json: not JSON"));
}

#[test]
fn text_that_does_not_assemble_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("odd.wat");
    fs::write(&file, "(module (func $a (nonsense)))").unwrap();
    assert!(only(&load(&file)).message.starts_with("not WebAssembly text: "));
}
