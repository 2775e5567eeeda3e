//! Files that a project wants in its memory. E.5

use crate::support::compiled;
use jackfield_engines::{Project, Reading, Start, Value};
use jackfield_testkit::fixtures;
use serde_json::json;
use std::fs;
use tempfile::{TempDir, tempdir};

/// `ramp`, wanting files in its memory.
fn place(assets: &serde_json::Value) -> (TempDir, Project) {
    let directory = tempdir().unwrap();
    let mut project = fixtures::json("ramp/ramp.project.json");
    project["compiledProjectConfig"]["binaryAssets"] = assets.clone();
    fs::write(directory.path().join("samples.raw"), [1_u8, 2, 3, 4, 5]).unwrap();
    fs::write(directory.path().join("long.raw"), vec![7_u8; 4096]).unwrap();
    let path = directory.path().join("ramp.project.json");
    fs::write(&path, project.to_string()).unwrap();
    let project = Project::load(&path).unwrap();
    (directory, project)
}

fn array() -> String {
    let project = Project::load(fixtures::project("ramp")).unwrap();
    project.map.variables().find(|variable| variable.elements == 128).unwrap().id.clone()
}

#[test]
fn a_file_is_in_its_variable_when_the_program_starts_as_far_as_that_reaches() {
    let (_directory, project) = place(&json!([{ "url": "samples.raw", "memoryId": array() }]));
    for start in [Start::Init, Start::Snapshot] {
        let instance = compiled(&project).instantiate_from(start).unwrap();
        let variable = project.map.variable(&array()).unwrap();
        let at = variable.byte_address as usize;
        assert_eq!(instance.memory()[at..at + 6], [1, 2, 3, 4, 5, 0]);
    }
    let (_directory, project) = place(&json!([{ "url": "long.raw", "memoryId": array() }]));
    let instance = compiled(&project).instantiate_from(Start::Init).unwrap();
    let variable = project.map.variable(&array()).unwrap();
    let Reading::Many(values) = variable.reading(instance.memory()).unwrap() else { panic!("an array") };
    assert!(values.iter().all(|value| *value == Value::F32(f32::from_le_bytes([7; 4]))));
    let end = usize::try_from(variable.end()).unwrap();
    assert_ne!(instance.memory()[end..end + 4], [7; 4], "not a byte further");
}

#[test]
fn what_cannot_be_had_is_left_out_and_said() {
    let (directory, project) = place(&json!([
        { "url": "gone.raw", "memoryId": array() },
        { "url": "https://example.com/a.raw", "memoryId": array() },
        { "url": "samples.raw", "memoryId": "nobody.there" },
    ]));
    let gone = directory.path().join("gone.raw");
    let said: Vec<String> = project.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(project.assets, []);
    assert!(said[0].starts_with(&format!("binaryAssets: {} cannot be read: ", gone.display())), "{said:?}");
    assert_eq!(
        said[1],
        "binaryAssets: `https://example.com/a.raw` is not on this machine, and nothing is fetched; put the file beside \
         the project, and name it there"
    );
    assert!(
        said[2].starts_with("binaryAssets: `samples.raw` belongs nowhere: no variable `nobody.there`"),
        "{said:?}"
    );
    compiled(&project).instantiate_from(Start::Init).unwrap();
}

#[test]
fn the_newest_generation_names_several_variables_for_one_file() {
    let directory = tempdir().unwrap();
    for (from, to) in [("new-abi/new-abi.wasm", "a.wasm"), ("new-abi/new-abi.map.json", "a.map.json")] {
        fs::copy(fixtures::path(from), directory.path().join(to)).unwrap();
    }
    let mut config = fixtures::json("new-abi/new-abi.config.json");
    let project = Project::load(fixtures::path("new-abi/new-abi.wasm")).unwrap();
    let ids: Vec<String> = project.map.variables().take(2).map(|variable| variable.id.clone()).collect();
    config["bin"] = json!({ "table": { "url": "t.raw", "memories": { "one": ids[0], "two": ids[1] } } });
    fs::write(directory.path().join("a.config.json"), config.to_string()).unwrap();
    fs::write(directory.path().join("t.raw"), [9; 8]).unwrap();
    let project = Project::load(directory.path().join("a.wasm")).unwrap();
    let loaded: Vec<&str> = project.assets.iter().map(|asset| asset.memory_id.as_str()).collect();
    assert_eq!((loaded, project.left_out.len()), (ids.iter().map(String::as_str).collect(), 0));
    assert!(
        project.files().contains(&directory.path().join("t.raw")),
        "an edit of it is an edit of the project"
    );
}
