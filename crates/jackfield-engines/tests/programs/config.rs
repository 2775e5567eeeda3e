use jackfield_engines::{
    AudioSettings, EngineSettings, Problem, Project, ProjectConfig, Route, RouteTarget, TimerSettings,
};
use jackfield_testkit::fixtures;
use serde_json::{Value, json};

use crate::support::{audio_settings, check_memory, check_outputs, offline, render, settings};

fn legacy(variant: &str) -> Project {
    Project::load(fixtures::path(&format!("legacy-config/{variant}.project.json"))).unwrap()
}

/// A playable project whose settings are `config`.
fn with_config(config: Value) -> Result<ProjectConfig, Vec<Problem>> {
    let mut project = fixtures::json("dc/dc.project.json");
    project["compiledProjectConfig"] = config;
    Project::from_json("dc", &project.to_string())
        .map(|project| project.config)
        .map_err(|error| error.problems)
}

#[test]
fn one_object_is_the_selected_engine() {
    // C.1
    let project = Project::load(fixtures::project("dc")).unwrap();
    assert_eq!(project.config.selected().unwrap().runtime, "AudioWorkletRuntime");
    assert_eq!(audio_settings(&project).sample_rate, 48_000);
    assert_eq!(project.config.memory_size_bytes, 65_536);
}

#[test]
fn an_index_selects_from_a_list() {
    // C.2
    let project = legacy("selected-audio");
    let expected = fixtures::json("legacy-config/legacy-config.expected.json");
    let audio = &expected["variants"]["selected-audio"]["audio"];
    assert_eq!(project.config.selected_runtime, 1);
    let mut offline = offline(&project);
    check_outputs(&render(&mut offline, 64, None), &audio["outputs"]);
    let bytes = &fixtures::expected("tally")["memoryAfterInit"]["bytes"];
    check_memory(&project.map, offline.instance().memory(), bytes, &audio["memoryAfter64Buffers"]);
}

#[test]
fn an_index_past_the_list_selects_nothing() {
    // C.2, J-29
    let config = legacy("index-out-of-range").config;
    assert_eq!((config.selected_runtime, config.runtime_settings.len()), (3, 2));
    assert_eq!(config.selected(), None);
    let list = json!([{ "runtime": "MainThreadLogicRuntime" }]);
    let config = with_config(json!({ "runtimeSettings": list, "selectedRuntime": -1 })).unwrap();
    assert_eq!(config.selected(), None);
}

#[test]
fn an_engine_nobody_knows_is_for_the_manager_to_refuse() {
    // C.2, D.1
    let config = legacy("unknown-runtime").config;
    assert_eq!(config.selected().unwrap().runtime, "SteamOrganRuntime");
}

#[test]
fn without_settings_nothing_is_selected() {
    let config = with_config(json!({})).unwrap();
    assert_eq!(config, ProjectConfig::default());
    assert_eq!(config.selected(), None);
}

#[test]
fn the_newest_settings_come_out_in_the_same_form() {
    // B.4
    let config = Project::load(fixtures::path("new-abi/new-abi.wasm")).unwrap().config;
    let EngineSettings { runtime, settings } = config.selected().unwrap();
    assert_eq!(runtime, "AudioWorkletRuntime");
    assert_eq!(
        settings["audioOutputBuffers"][1],
        json!({ "memoryId": "speakers:right", "channel": 1, "output": 0 })
    );
    assert_eq!(settings["midi"]["inputs"]["0"]["callback"], "onKey");
}

#[test]
fn the_newest_settings_may_name_a_word() {
    // B.4
    let config = json!({ "runtime": "AudioWorkletRuntime", "audioRuntime": {
        "sampleRate": 48_000, "audioOutBufferRAddress": 33, "audioInBufferLAddress": "in:left" } });
    let settings = AudioSettings::read(with_config(config).unwrap().selected().unwrap()).unwrap();
    assert_eq!(settings.outputs, [Route { target: RouteTarget::Word(33), channel: 1, port: 0 }]);
    let target = RouteTarget::Variable("in:left".to_owned());
    assert_eq!(settings.inputs, [Route { target, channel: 0, port: 0 }]);
    assert_eq!(settings.routes(&jackfield_engines::MemoryMap::default()).0.outputs[0].byte_address, 132);
}

#[test]
fn every_engine_has_a_rate_of_its_own_when_none_is_given() {
    // C.3, J-28
    assert_eq!(AudioSettings::read(&settings("AudioWorkletRuntime", json!({}))).unwrap().sample_rate, 44_100);
    assert_eq!(
        TimerSettings::read(&settings("MainThreadLogicRuntime", json!({}))).unwrap().sample_rate,
        50.0
    );
}

#[test]
fn a_rate_that_cannot_be_played_is_refused_with_its_place() {
    // J-28
    for rate in
        [json!(0), json!(-48_000), json!(50), json!(1e12), json!(44_100.5), json!(null), json!("fast")]
    {
        let list = json!([{ "runtime": "None" }, { "runtime": "AudioWorkletRuntime", "sampleRate": rate }]);
        let problems = with_config(json!({ "runtimeSettings": list, "selectedRuntime": 1 })).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].place, "compiledProjectConfig.runtimeSettings[1].sampleRate");
    }
    for rate in [json!(0), json!(-1), json!(1_001), json!(1e-300)] {
        let timer = json!({ "runtime": "MainThreadLogicRuntime", "sampleRate": rate });
        let problems = with_config(json!({ "runtimeSettings": timer })).unwrap_err();
        assert_eq!(problems[0].place, "compiledProjectConfig.runtimeSettings.sampleRate");
    }
}

#[test]
fn a_rate_nobody_selected_is_nobodys_problem() {
    let list = json!([{ "runtime": "MainThreadLogicRuntime" }, { "runtime": "AudioWorkletRuntime", "sampleRate": 0 }]);
    let config = with_config(json!({ "runtimeSettings": list })).unwrap();
    assert_eq!(config.selected().unwrap().runtime, "MainThreadLogicRuntime");
}

#[test]
fn settings_from_before_one_project_config_are_found_in_the_project_itself() {
    // B.3
    let mut project = fixtures::json("dc/dc.project.json");
    let config = project.as_object_mut().unwrap().remove("compiledProjectConfig").unwrap();
    project["runtimeSettings"] = json!([config["runtimeSettings"]]);
    project["selectedRuntime"] = json!(0);
    let project = Project::from_json("dc", &project.to_string()).unwrap();
    assert_eq!(audio_settings(&project).sample_rate, 48_000);
}

#[test]
fn a_route_that_leads_nowhere_is_left_out_with_a_warning() {
    // E.2
    let project = Project::load(fixtures::project("dc")).unwrap();
    let buffers = json!([{ "memoryId": "speakers.lft", "channel": 0, "output": 0 }]);
    let settings =
        AudioSettings::read(&settings("AudioWorkletRuntime", json!({ "audioOutputBuffers": buffers })))
            .unwrap();
    let (addresses, warnings) = settings.routes(&project.map);
    assert_eq!(addresses.outputs, []);
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        warnings[0].to_string(),
        "runtimeSettings.audioOutputBuffers[0].memoryId: no variable `speakers.lft`; nearest is `speakers.left`; \
         the route is left out"
    );
}

#[test]
fn a_program_takes_its_settings_from_a_toml_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["dc.wasm", "dc.map.json"] {
        std::fs::copy(fixtures::path(&format!("dc/{file}")), folder.path().join(file)).unwrap();
    }
    let program = folder.path().join("dc.wasm");
    assert_eq!(Project::load(&program).unwrap().config, ProjectConfig::default());

    let toml = "memorySizeBytes = 65536\n[runtimeSettings]\nruntime = \"AudioWorkletRuntime\"\nsampleRate = 48000\n\
                [[runtimeSettings.audioOutputBuffers]]\nmemoryId = \"speakers.left\"\nchannel = 0\n";
    std::fs::write(folder.path().join("dc.toml"), toml).unwrap();
    let settings = audio_settings(&Project::load(&program).unwrap());
    assert_eq!((settings.sample_rate, settings.outputs.len()), (48_000, 1));

    std::fs::write(folder.path().join("dc.toml"), "memorySizeBytes = 1\n[runtimeSettings\n").unwrap();
    let error = Project::load(&program).unwrap_err();
    assert_eq!(error.problems[0].position.map(|position| position.line), Some(2), "{error}");
}

// C.1: what the editor makes of config blocks is what a host is given; the blocks themselves it never sees.
#[test]
fn every_config_that_the_editor_compiles_is_read_as_it_is_or_refused_with_its_places() {
    let file = fixtures::json("extras/configCompile.cases.json");
    for case in file["cases"].as_array().unwrap() {
        let (name, given) = (case["name"].as_str().unwrap(), &case["config"]);
        let refused: &[&str] = match name {
            // J-28: the default of a timer is no rate for sound.
            "audio runtime without sampleRate inherits 50 from the logic default" => {
                &["runtimeSettings.sampleRate"]
            }
            "zero and negative numbers are accepted" => &["memorySizeBytes", "runtimeSettings.sampleRate"],
            _ => &[],
        };
        let mut given_here = given.clone();
        // There is no `m.b` in this project; what becomes of assets is told elsewhere.
        let assets = given_here["binaryAssets"].take();
        given_here["binaryAssets"] = json!([]);
        match with_config(given_here) {
            Ok(config) => {
                assert!(refused.is_empty(), "{name}");
                let selected = config.selected().unwrap();
                let mut settings = selected.settings.clone();
                settings.insert("runtime".to_owned(), json!(selected.runtime));
                assert_eq!(Value::Object(settings), given["runtimeSettings"], "{name}");
                assert_eq!(json!(config.memory_size_bytes), given["memorySizeBytes"], "{name}");
                assert_eq!(json!(config.disable_auto_compilation), given["disableAutoCompilation"], "{name}");
            }
            Err(problems) => {
                let places: Vec<_> = problems.iter().map(|problem| problem.place.as_str()).collect();
                let expected: Vec<_> =
                    refused.iter().map(|place| format!("compiledProjectConfig.{place}")).collect();
                assert_eq!(places, expected, "{name}: {problems:?}");
            }
        }
        for asset in assets.as_array().unwrap() {
            assert_eq!(asset, &json!({ "url": "https://x.test/a.pcm", "memoryId": "m.b" }), "{name}");
        }
    }
}
