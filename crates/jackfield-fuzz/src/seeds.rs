//! Inputs to begin with, made from the fixtures.

use std::{fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jackfield_testkit::fixtures;
use serde_json::{Map, Value, json};

/// The longest fixture that is worth changing at random.
const LONGEST: usize = 16_384;

/// Projects as they lie there, without what nobody reads.
pub(crate) fn projects() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Value> = read(".project.json").into_iter().map(lean).collect();
    seeds.extend(newest());
    seeds.extend(programs_beside(".map.json").into_iter().map(lean));
    texts(&seeds)
}

/// Their maps: what comes after the key in the seed's form, and members in the newest.
pub(crate) fn maps() -> Vec<Vec<u8>> {
    let modules =
        read(".map.json").into_iter().map(lean).filter_map(|map| map.get("compiledModules").cloned());
    let mut seeds = texts(&modules.collect::<Vec<_>>());
    let newest = fixtures::json("new-abi/new-abi.map.json").to_string();
    seeds.push(newest.as_bytes()[1..newest.len() - 1].to_vec());
    let pairs: Vec<Vec<u8>> = seeds.windows(2).map(|pair| pair.join(&0)).collect();
    seeds.extend(pairs);
    seeds
}

/// The settings of every engine in every project.
pub(crate) fn engine_settings() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for config in read(".config.json").into_iter().chain(read(".project.json")) {
        let config = config.get("compiledProjectConfig").cloned().unwrap_or(config);
        match config.get("runtimeSettings") {
            Some(Value::Array(list)) => seeds.extend(list.clone()),
            Some(settings) => seeds.push(settings.clone()),
            None => seeds.push(config),
        }
    }
    texts(&seeds)
}

/// Every binary.
pub(crate) fn binaries() -> Vec<Vec<u8>> {
    let bytes = files(".wasm").into_iter().filter_map(|path| fs::read(path).ok());
    bytes.filter(|bytes| bytes.len() <= LONGEST).collect()
}

/// Loops of each kind, and then some.
pub(crate) fn programs() -> Vec<Vec<u8>> {
    let one = |kind: u8| vec![0, 2, kind, 1, 9, 1, 0, 0, 0, kind, 1, 9, 1, 0, 1, 0, 0];
    (0..18).map(one).chain([(0..=255).collect(), vec![6; 64], vec![7; 64]]).collect()
}

/// A note, a controller, and memory full of ones.
pub(crate) fn midi() -> Vec<Vec<u8>> {
    let memory = [60_u8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 100, 0, 0, 0, 1, 0, 0, 0].repeat(5)[..96].to_vec();
    let happens = [12, 9, 1, 3, 0x90, 60, 100, 12, 0, 4, 0, 12, 10, 1, 3, 0xb0, 74, 1, 12, 15, 12];
    vec![[memory, happens.to_vec()].concat(), [vec![1; 96], happens.to_vec()].concat()]
}

/// Documents of both kinds.
pub(crate) fn documents() -> Vec<Vec<u8>> {
    let mut seeds = plans();
    let json = json!({
        "version": 2, "plugins": { "formal": { "enabled": true, "config": { "title": "Dr", "list": [1, 2.5, "x"] } } },
        "services": { "formal:chat.greeter": { "priority": 700, "config": { "deep": { "er": null } } } },
        "more": [{ "a": 1 }, { "b": [true, -0.0, 1e300] }],
    });
    seeds.push(json.to_string().into_bytes());
    let toml = "version = 3\nwhen = 1979-05-27T07:32:00Z\n[plugins.formal]\nenabled = true\nconfig = { title = 'Dr' }\n\
        [services.'formal:chat.greeter']\npriority = 700.5\n[[services.'*:chat.greeter'.config.list]]\na = 1\n";
    seeds.push(toml.into());
    let project = fs::read(PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../projects/first-light/jackfield.toml"
    )));
    seeds.extend(project.ok());
    seeds
}

/// Settings for the plugins of the target.
pub(crate) fn plans() -> Vec<Vec<u8>> {
    [
        "",
        "[plugins.base]\nenabled = false\n",
        "[plugins.lab]\nenabled = true\nconfig = { loud = 3, names = ['a', 'b'] }\n",
        "[services.'lead:voice']\nenabled = false\n[services.'*:voice']\nconfig.loud = 7\n",
        "[services.'bass:voice']\npriority = 900\nconfig.loud = 11\n[plugins.nobody]\nenabled = true\n",
    ]
    .map(Vec::from)
    .into()
}

fn texts(values: &[Value]) -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = values.iter().map(|value| value.to_string().into_bytes()).collect();
    texts.retain(|text| text.len() <= LONGEST);
    texts.sort();
    texts.dedup();
    texts
}

/// Without what nobody reads, so that most changes hit what is read.
fn lean(mut project: Value) -> Value {
    let Some(members) = project.as_object_mut() else { return project };
    members.retain(|key, _| !["codeBlocks", "viewport"].contains(&key.as_str()));
    let modules = members.get_mut("compiledModules").and_then(Value::as_object_mut);
    for module in modules.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        module.retain(|key, _| ["index", "memoryMap"].contains(&key.as_str()));
    }
    project
}

/// The newest generation has no project file of its own.
fn newest() -> Option<Value> {
    let mut project = fixtures::json("new-abi/new-abi.map.json");
    project["compiledProjectConfig"] = fixtures::json("new-abi/new-abi.config.json");
    project["compiledWasm"] = STANDARD.encode(fs::read(fixtures::path("new-abi/new-abi.wasm")).ok()?).into();
    Some(project)
}

/// Maps with the program beside them.
fn programs_beside(ending: &str) -> Vec<Value> {
    let whole = |path: PathBuf| {
        let text = path.to_str()?;
        let wasm = fs::read(text.replace(ending, ".wasm")).ok()?;
        let mut project: Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        project["compiledWasm"] = STANDARD.encode(wasm).into();
        let config = fs::read(text.replace(ending, ".config.json")).ok();
        if let Some(config) = config.and_then(|config| serde_json::from_slice::<Value>(&config).ok()) {
            project["compiledProjectConfig"] = config;
        }
        Some(project)
    };
    files(ending).into_iter().filter_map(whole).collect()
}

fn read(ending: &str) -> Vec<Value> {
    let files = files(ending).into_iter().filter_map(|path| fs::read(path).ok());
    files.filter_map(|bytes| serde_json::from_slice(&bytes).ok()).collect()
}

/// All fixtures whose names end like this, in order.
fn files(ending: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(fixtures::path("")).into_iter().flatten().flatten();
    let within = folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
    let mut found: Vec<PathBuf> =
        within.map(|file| file.path()).filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    found.sort();
    found
}
