//! Whatever a project or a binary is turned into, it is read or refused; nothing panics.

use std::sync::LazyLock;

use jackfield_engines::{AudioSettings, Limits, Memories, Program, Project, Rate, TimerSettings};
use jackfield_testkit::fixtures;
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use serde_json::{Value, json};

static PROJECTS: LazyLock<[Value; 3]> = LazyLock::new(|| {
    ["dc/dc.project.json", "legacy-config/selected-audio.project.json", "wat/greedy.project.json"].map(
        |file| {
            let mut project = fixtures::json(file);
            // Without what is not read, so that most changes hit what is.
            project.as_object_mut().unwrap().remove("codeBlocks");
            for module in project["compiledModules"].as_object_mut().unwrap().values_mut() {
                module
                    .as_object_mut()
                    .unwrap()
                    .retain(|key, _| !key.ends_with("Function") && !key.ends_with("Body"));
            }
            project
        },
    )
});

static NEWEST: LazyLock<Value> = LazyLock::new(|| {
    let mut project = fixtures::json("new-abi/new-abi.map.json");
    project["compiledProjectConfig"] = fixtures::json("new-abi/new-abi.config.json");
    let wasm = std::fs::read(fixtures::path("new-abi/new-abi.wasm")).unwrap();
    project["compiledWasm"] = json!(base64(&wasm));
    project
});

static REGIONS: LazyLock<Value> = LazyLock::new(|| {
    let mut project = fixtures::json("regions/regions.map.json");
    project["compiledProjectConfig"] = fixtures::json("regions/regions.config.json");
    let wasm = Project::load(fixtures::path("regions/regions.wat")).unwrap().wasm;
    project["compiledWasm"] = json!(base64(&wasm));
    project
});

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec![
            json!(null),
            json!(true),
            json!(-1),
            json!(0),
            json!(0.5),
            json!(65_535),
            json!(4_294_967_295_u64),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1e300),
            json!(-1e-300),
            json!(""),
            json!("."),
            json!("é:"),
            json!("AAAA"),
            json!([]),
            json!({}),
            json!([[[]]]),
            json!({ "runtime": "AudioWorkletRuntime", "audioOutputBuffers": [{ "memoryId": 4_294_967_295_u64 }] }),
        ]),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(|text| json!(text)),
    ]
}

/// Replaces the `index`th value of the document, counted in reading order and around.
fn replace(document: &mut Value, index: usize, value: Value) {
    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Object(members) => members.values().map(count).sum(),
            _ => 0,
        }
    }
    fn at(value: &mut Value, index: usize) -> &mut Value {
        if index == 0 {
            return value;
        }
        let children: Vec<&mut Value> = match value {
            Value::Array(items) => items.iter_mut().collect(),
            Value::Object(members) => members.values_mut().collect(),
            _ => unreachable!("the index lies within the document"),
        };
        let mut left = index - 1;
        for child in children {
            let size = count(child);
            if left < size {
                return at(child, left);
            }
            left -= size;
        }
        unreachable!("the index lies within the document")
    }
    let index = index % count(document);
    *at(document, index) = value;
}

/// As large as the memories of all of them.
struct Known([Vec<u8>; 3]);

impl Memories for Known {
    fn bytes(&self, number: u32) -> Option<&[u8]> {
        self.0.get(number as usize).map(Vec::as_slice)
    }

    fn bytes_mut(&mut self, number: u32) -> Option<&mut [u8]> {
        self.0.get_mut(number as usize).map(Vec::as_mut_slice)
    }
}

/// Reads it, and looks at all of it if it can be read.
fn survey(text: &str) {
    let project = match Project::from_json("mutated", text) {
        Ok(project) => project,
        Err(error) => {
            assert!(!error.problems.is_empty());
            assert_eq!(error.to_string().lines().count(), error.problems.len(), "{error}");
            return;
        }
    };
    let memories = Known([vec![0; 65_536], vec![0; 131_072], vec![0; 65_536]]);
    for variable in project.map.variables() {
        let inside = variable.end() <= memories.0[variable.memory as usize].len() as u64;
        assert_eq!(variable.reading(&memories).is_ok(), inside);
        let last = variable.elements.saturating_sub(1);
        assert_eq!(variable.read(&memories, last).is_ok(), inside && variable.elements > 0);
    }
    for settings in &project.config.runtime_settings {
        if let Ok(audio) = AudioSettings::read(settings) {
            audio.routes(&project.map);
        }
        if let Ok(timer) = TimerSettings::read(settings) {
            assert!(Rate::per_second(timer.sample_rate).is_some());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_project_with_other_values_is_read_or_refused(
        which in 0..5_usize,
        changes in prop::collection::vec((any::<usize>(), odd()), 1..4),
    ) {
        let newest = if which == 3 { &NEWEST } else { &REGIONS };
        let mut project = PROJECTS.get(which).unwrap_or(newest).clone();
        for (index, value) in changes {
            replace(&mut project, index, value);
        }
        survey(&project.to_string());
    }

    #[test]
    fn a_project_with_other_bytes_is_read_or_refused(
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        end in any::<usize>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = PROJECTS[2].to_string().into_bytes();
        for (place, byte) in changes {
            let place = place % bytes.len();
            bytes[place] = byte;
        }
        if cut {
            bytes.truncate(end % bytes.len());
        }
        survey(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_binary_with_other_bytes_is_compiled_or_refused(
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        end in any::<usize>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = std::fs::read(fixtures::path("wat/late-runaway.wasm")).unwrap();
        for (place, byte) in changes {
            let place = place % bytes.len();
            bytes[place] = byte;
        }
        if cut {
            bytes.truncate(end % bytes.len());
        }
        let text = json!({ "compiledWasm": base64(&bytes), "compiledModules": {} }).to_string();
        if let Ok(project) = Project::from_json("mutated", &text)
            && let Ok(program) = Program::compile(&project, &Limits::default())
            && let Ok(instance) = program.blank()
        {
            assert_eq!(instance.memory().len() as u64, program.memory_bytes());
        }
    }
}
