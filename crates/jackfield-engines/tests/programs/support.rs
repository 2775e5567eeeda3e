//! What the scenarios share: from a fixture to a running program, and comparing what it left.

use jackfield_engines::{
    AudioSettings, Block, EngineSettings, Instance, Limits, MemoryMap, Offline, Program, Project, Start,
};
use jackfield_testkit::fixtures;
use serde_json::Value;

/// The project of a fixture with a folder of its own.
pub(crate) fn project(name: &str) -> Project {
    Project::load(fixtures::project(name)).unwrap()
}

/// A program that lies beside its map and its settings.
pub(crate) fn loose(path: &str) -> Project {
    Project::load(fixtures::path(path)).unwrap()
}

pub(crate) fn compiled(project: &Project) -> Program {
    Program::compile(project, &Limits::default()).unwrap()
}

/// A copy with the program's own initial values: the one the expectations start from.
pub(crate) fn from_init(project: &Project) -> Instance {
    compiled(project).instantiate_from(Start::Init).unwrap()
}

/// The audio settings of the engine the project selects.
pub(crate) fn audio_settings(project: &Project) -> AudioSettings {
    AudioSettings::read(project.config.selected().unwrap()).unwrap()
}

pub(crate) fn settings(runtime: &str, settings: Value) -> EngineSettings {
    let Value::Object(settings) = settings else { panic!("settings are an object") };
    EngineSettings { runtime: runtime.to_owned(), settings }
}

/// From initial values, with the routes that lead somewhere.
pub(crate) fn offline(project: &Project) -> Offline {
    let (addresses, _) = audio_settings(project).routes(&project.map);
    Offline::new(from_init(project), addresses)
}

/// The first `count` blocks of both channels. `input` holds the frames of the one input channel, if it is connected.
pub(crate) fn render(offline: &mut Offline, count: usize, input: Option<&[f32]>) -> [Vec<f32>; 2] {
    let mut channels = [Vec::new(), Vec::new()];
    for index in 0..count {
        let block = block(offline, index, input);
        for (channel, frames) in channels.iter_mut().zip(&block) {
            channel.extend_from_slice(frames);
        }
    }
    channels
}

/// The next block, which is number `index` of the input.
pub(crate) fn block(offline: &mut Offline, index: usize, input: Option<&[f32]>) -> [Block; 2] {
    let input: Vec<Block> = input.iter().map(|frames| frames.as_chunks().0[index]).collect();
    // Not silent beforehand, so that a channel nobody writes shows.
    let mut output = [[f32::NAN; 128]; 2];
    offline.render_block(&input, &mut output).unwrap();
    output
}

/// Compares rendered channels with the `outputs` of an expectation, bit for bit.
#[track_caller]
pub(crate) fn check_outputs(channels: &[Vec<f32>; 2], outputs: &Value) {
    let outputs = outputs.as_array().unwrap();
    assert!(!outputs.is_empty());
    for output in outputs {
        let channel = &channels[usize::try_from(output["channel"].as_u64().unwrap()).unwrap()];
        if let Some(text) = output.get("float32Base64") {
            let expected = fixtures::samples(text);
            assert_eq!(channel.len(), expected.len());
            let differs = channel.iter().zip(&expected).position(|(a, b)| a.to_bits() != b.to_bits());
            assert_eq!(differs, None, "first frame of channel {} that differs", output["channel"]);
        }
        assert_eq!(fixtures::sha256_of_samples(channel), output["sha256"].as_str().unwrap());
    }
}

/// Compares memory with an expectation: the hash of its first `bytes` bytes, and the scalars.
#[track_caller]
pub(crate) fn check_memory(map: &MemoryMap, memory: &[u8], bytes: &Value, expected: &Value) {
    let bytes = usize::try_from(bytes.as_u64().unwrap()).unwrap();
    if let Some(scalars) = expected.get("scalars") {
        check_scalars(map, memory, scalars);
    }
    assert_eq!(fixtures::sha256(&memory[..bytes]), expected["sha256"].as_str().unwrap());
}

#[track_caller]
pub(crate) fn check_scalars(map: &MemoryMap, memory: &[u8], scalars: &Value) {
    let scalars = scalars.as_object().unwrap();
    assert!(!scalars.is_empty());
    for (id, expected) in scalars {
        let value = map.read(memory, id).unwrap();
        let bits = match expected["t"].as_str().unwrap() {
            "i32" => u64::from(i32::try_from(expected["v"].as_i64().unwrap()).unwrap().cast_unsigned()),
            "f32" => expected["bits"].as_u64().unwrap(),
            "f64" => expected["bits"].as_str().unwrap().parse().unwrap(),
            other => panic!("a value of type {other}"),
        };
        assert_eq!(value.bits(), bits, "{id} is {value}, expected {expected}");
    }
}

/// A program of our own without named variables.
pub(crate) fn from_wat(text: &str) -> Project {
    from_parts(text, r#"{ "compiledModules": {} }"#)
}

/// A program that does nothing, with this map.
pub(crate) fn from_wat_with(map: &Value) -> Project {
    let text = r#"(module (import "js" "memory" (memory 1 1))
        (func (export "init")) (func (export "cycle")) (func (export "buffer")))"#;
    from_parts(text, &map.to_string())
}

fn from_parts(text: &str, map: &str) -> Project {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.wat");
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.path().join("own.map.json"), map).unwrap();
    Project::load(&file).unwrap()
}
