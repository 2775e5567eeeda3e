//! The settings of the engines, as the editor knows them.

use crate::support::settings;
use jackfield_engines::{
    AudioEngine, AudioSettings, EngineManagerConfig, EngineRegistry, EngineSettings, MidiEngine,
    MidiSettings, NullDevice, NullMidi, Problem, TimerEngine, TimerSettings,
};
use jackfield_testkit::fixtures;
use serde_json::{Map, Value, json};
use std::sync::Arc;

fn engines() -> EngineRegistry {
    EngineRegistry::new([
        Arc::new(TimerEngine::worker()) as _,
        Arc::new(TimerEngine::main()) as _,
        Arc::new(AudioEngine::new(Arc::new(NullDevice::new()))) as _,
        Arc::new(MidiEngine::new(Arc::new(NullMidi))) as _,
    ])
}

fn file() -> Value {
    fixtures::json("extras/runtimeSettings.fields.json")
}

/// Whether a schema takes values of a recorded type.
fn takes(schema: &Value, recorded: &str) -> bool {
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    kinds.iter().any(|kind| kind == recorded || (recorded == "number" && kind == "integer"))
}

// C.3, J-28
#[test]
fn each_engine_has_the_defaults_and_the_fields_that_the_editor_knows_and_no_others() {
    let (engines, file) = (engines(), file());
    for (runtime, recorded) in file["runtimes"].as_object().unwrap() {
        let engine = engines.get(runtime).unwrap();
        let (defaults, known) = (engine.defaults(), &recorded["defaults"]);
        assert_eq!(defaults.keys().collect::<Vec<_>>(), ["sampleRate"], "{runtime}");
        assert_eq!(known.as_object().unwrap().len(), 2, "{runtime}: the other is its name");
        assert_eq!(defaults["sampleRate"].as_f64(), known["sampleRate"].as_f64(), "{runtime}");
        let schema = engine.factory().schema().to_value();
        let fields = recorded["fields"].as_object().unwrap();
        for (field, kind) in fields {
            let schema = &schema["properties"][field];
            let Some(members) = kind["listOf"].as_object() else {
                assert!(takes(schema, kind.as_str().unwrap()), "{runtime}.{field}: {schema}");
                continue;
            };
            assert!(takes(schema, "array"), "{runtime}.{field}: {schema}");
            for (member, kind) in members {
                let schema = &schema["items"]["properties"][member];
                assert!(takes(schema, kind.as_str().unwrap()), "{runtime}.{field}.{member}: {schema}");
            }
        }
        let ours = schema["properties"].as_object().unwrap().keys();
        let more: Vec<_> = ours.filter(|field| !fields.contains_key(*field)).collect();
        // What the newest generation adds for MIDI.
        let newest: &[&str] = if runtime == "WebWorkerMIDIRuntime" { &["midi"] } else { &[] };
        assert_eq!(more, newest, "{runtime}");
    }
    assert_eq!(engines.iter().count(), file["runtimes"].as_object().unwrap().len());
}

#[test]
fn the_default_engine_is_the_editors() {
    let engines = engines();
    let ours = engines.get(&EngineManagerConfig::default().default).unwrap();
    assert!(ours.is(engines.get(file()["default"].as_str().unwrap()).unwrap()));
}

/// Reads settings as the engine of that name does.
fn read(runtime: &str, given: Value) -> Vec<Problem> {
    let given: EngineSettings = settings(runtime, given);
    let read = match runtime {
        "AudioWorkletRuntime" => AudioSettings::read(&given).map(drop),
        "WebWorkerMIDIRuntime" => MidiSettings::read(&given).map(drop),
        _ => TimerSettings::read(&given).map(drop),
    };
    read.err().unwrap_or_default()
}

// C.3: all members of list items are optional. A route without its variable leads nowhere, which we say.
#[test]
fn every_field_is_read_and_every_member_of_a_list_may_be_missing() {
    let file = file();
    for (runtime, recorded) in file["runtimes"].as_object().unwrap() {
        assert_eq!(read(runtime, json!({})), [], "{runtime}");
        assert_eq!(read(runtime, json!({ "sampleRate": 1000 })), [], "{runtime}");
        for (field, kind) in recorded["fields"].as_object().unwrap() {
            let Some(members) = kind["listOf"].as_object() else { continue };
            let value = |(name, kind): (&String, &Value)| {
                (name.clone(), if kind == "number" { json!(1) } else { json!("module.variable") })
            };
            let whole: Map<_, _> = members.iter().map(value).collect();
            for missing in members.keys().map(Some).chain([None]) {
                let mut item = whole.clone();
                missing.map(|missing| item.remove(missing));
                let problems = read(runtime, json!({ field: [item] }));
                let is_a_route = missing.is_some_and(|missing| missing == "memoryId");
                let places: Vec<_> = problems.iter().map(|problem| problem.place.clone()).collect();
                let expected = is_a_route.then(|| format!("runtimeSettings.{field}[0]"));
                assert_eq!(places, Vec::from_iter(expected), "{runtime}.{field} without {missing:?}");
            }
        }
    }
}
