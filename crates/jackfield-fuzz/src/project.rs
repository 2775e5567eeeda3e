//! A project's text.

use jackfield_engines::{AudioSettings, MidiSettings, Project, Rate, TimerSettings};

use crate::{map, problems};

pub(crate) const WORDS: &[&str] = &[
    "\"compiledWasm\":",
    "\"compiledModules\":",
    "\"memoryMap\":",
    "\"memoryPlan\":",
    "\"memorySnapshot\":",
    "\"compiledProjectConfig\":",
    "\"compiledConfig\":",
    "\"runtimeSettings\":",
    "\"selectedRuntime\":",
    "\"memorySizeBytes\":",
    "\"binaryAssets\":",
    "\"bin\":",
    "\"disableAutoCompilation\":",
    "\"runtime\":",
    "\"AudioWorkletRuntime\"",
    "\"WebWorkerMIDIRuntime\"",
    "\"WebWorkerLogicRuntime\"",
    "\"MainThreadRuntime\"",
    "\"audioRuntime\":",
    "\"sampleRate\":",
    "\"audioOutputBuffers\":",
    "\"memoryId\":",
    "\"url\":",
    "null",
    "4294967295",
    "1e300",
    "\"\\u0000\"",
    "\"\\ud800\"",
];

pub(crate) fn run(input: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(input) else { return false };
    let project = match Project::from_json("fuzz", text) {
        Ok(project) => project,
        Err(error) => {
            problems::check_refusal(&error, text);
            return false;
        }
    };
    assert_eq!(project.files(), Vec::<std::path::PathBuf>::new(), "it came from memory");
    map::survey(&project.map, &mut [0; 4_096]);
    for settings in &project.config.runtime_settings {
        match AudioSettings::read(settings) {
            Ok(audio) => {
                let (addresses, left_out) = audio.routes(&project.map);
                let routes = addresses.outputs.len() + addresses.inputs.len();
                assert_eq!(routes + left_out.len(), audio.outputs.len() + audio.inputs.len());
                left_out.iter().for_each(|problem| problems::check(problem, text));
            }
            Err(found) => assert!(!found.is_empty()),
        }
        match TimerSettings::read(settings) {
            Ok(timer) => assert!(Rate::per_second(timer.sample_rate).is_some()),
            Err(found) => assert!(!found.is_empty()),
        }
    }
    if let Some(Err(found)) = MidiSettings::of(&project.config) {
        assert!(!found.is_empty());
    }
    true
}
