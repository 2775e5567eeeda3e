//! Settings of the engines.

use std::sync::LazyLock;

use jackfield_engines::{
    AudioSettings, EngineSettings, MidiMapper, MidiSettings, Project, Rate, TimerSettings,
};
use jackfield_testkit::fixtures;
use serde_json::Value;

use crate::problems;

pub(crate) const WORDS: &[&str] = &[
    "\"sampleRate\":",
    "\"audioOutputBuffers\":",
    "\"audioInputBuffers\":",
    "\"memoryId\":",
    "\"moduleId\":",
    "\"channel\":",
    "\"output\":",
    "\"input\":",
    "\"midiNoteOutputs\":",
    "\"midiNoteInputs\":",
    "\"midiControlChangeOutputs\":",
    "\"midiControlChangeInputs\":",
    "\"noteMemoryId\":",
    "\"noteOnOffMemoryId\":",
    "\"channelMemoryId\":",
    "\"velocityMemoryId\":",
    "\"portMemoryId\":",
    "\"selectedCCMemoryId\":",
    "\"valueMemoryId\":",
    "\"midi\":",
    "\"inputs\":",
    "\"callback\":",
    "\"port\":",
    "counter.count",
    "shelf.slots",
];

static TALLY: LazyLock<Option<Project>> = LazyLock::new(|| Project::load(fixtures::project("tally")).ok());

/// The members of one engine's settings.
pub(crate) fn run(input: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(input) else { return false };
    let Ok(Value::Object(settings)) = serde_json::from_str(text) else { return false };
    let Some(tally) = &*TALLY else { panic!("fixture `tally` cannot be read") };
    let settings = EngineSettings { runtime: "AudioWorkletRuntime".to_owned(), settings };
    let all_said = |found: Vec<jackfield_engines::Problem>| {
        assert!(!found.is_empty());
        for problem in &found {
            problems::check(problem, text);
            assert!(problem.place.starts_with("runtimeSettings"), "{problem:?}");
        }
    };
    match AudioSettings::read(&settings) {
        Ok(audio) => {
            assert!((1_000..=768_000).contains(&audio.sample_rate));
            let (addresses, left_out) = audio.routes(&tally.map);
            let routes = addresses.outputs.len() + addresses.inputs.len();
            assert_eq!(routes + left_out.len(), audio.outputs.len() + audio.inputs.len());
            left_out.iter().for_each(|problem| problems::check(problem, text));
        }
        Err(found) => all_said(found),
    }
    match TimerSettings::read(&settings) {
        Ok(timer) => assert!(Rate::per_second(timer.sample_rate).is_some()),
        Err(found) => all_said(found),
    }
    match MidiSettings::read(&settings) {
        Ok(midi) => {
            assert!(Rate::per_second(midi.sample_rate).is_some());
            let memory = vec![0; 4_096];
            let (mut mapper, left_out) = MidiMapper::new(&midi, &tally.map, &memory);
            left_out.iter().for_each(|problem| problems::check(problem, text));
            mapper.after_cycle(&memory, |sent| assert!(sent.port > 0));
            mapper.end(|sent| assert!(sent.port > 0));
        }
        Err(found) => all_said(found),
    }
    true
}
