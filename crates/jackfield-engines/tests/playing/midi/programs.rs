//! MIDI programs made for the purpose: gates that open and close at random, and one that breaks.

use jackfield_engines::Project;
use serde_json::{Value, json};
use std::sync::Arc;

/// The modules of a map: name, and the byte addresses of its variables, all of them whole numbers.
pub(crate) fn map(modules: &[(&str, &[(&str, u32)])]) -> Value {
    let variable = |address: u32| json!({ "byteAddress": address, "numberOfElements": 1, "elementWordSize": 4, "isInteger": true });
    let modules = modules.iter().enumerate().map(|(index, (id, variables))| {
        let variables = variables.iter().map(|(name, address)| ((*name).to_owned(), variable(*address)));
        let module = json!({ "index": index, "memoryMap": Value::Object(variables.collect()) });
        ((*id).to_owned(), module)
    });
    Value::Object(modules.collect())
}

/// A project of this program, for the MIDI engine at 100 ticks a second, with these settings besides.
pub(crate) fn project(wat: &str, modules: &Value, settings: &Value) -> Arc<Project> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.wat");
    std::fs::write(&file, wat).unwrap();
    let map = json!({ "compiledModules": modules });
    std::fs::write(folder.path().join("own.map.json"), map.to_string()).unwrap();
    let mut runtime = json!({ "runtime": "WebWorkerMIDIRuntime", "sampleRate": 100 });
    runtime.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let config = json!({ "runtimeSettings": runtime });
    std::fs::write(folder.path().join("own.config.json"), config.to_string()).unwrap();
    Arc::new(Project::load(&file).unwrap())
}

/// Four modules whose every variable is random at every tick, in range and out of it. Breaks at tick `breaks`.
pub(crate) fn gates(seed: i32, breaks: i32) -> Arc<Project> {
    let wat = format!(
        r#"(module
          (import "js" "memory" (memory 1 1))
          (func (export "init") (i32.store (i32.const 0) (i32.const {seed})))
          (func $random (result i32)
            (i32.store (i32.const 0)
              (i32.add (i32.mul (i32.load (i32.const 0)) (i32.const 1664525)) (i32.const 1013904223)))
            (i32.shr_u (i32.load (i32.const 0)) (i32.const 8)))
          (func (export "cycle") (local $at i32)
            (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (i32.const 1)))
            (if (i32.eq (i32.load (i32.const 4)) (i32.const {breaks})) (then unreachable))
            (local.set $at (i32.const 16))
            (loop $modules
              (i32.store offset=0 (local.get $at) (i32.rem_u (call $random) (i32.const 136)))
              (i32.store offset=4 (local.get $at)
                (i32.rem_u (i32.shr_u (call $random) (i32.const 9)) (i32.const 2)))
              (i32.store offset=8 (local.get $at) (i32.rem_u (call $random) (i32.const 18)))
              (i32.store offset=12 (local.get $at) (i32.rem_u (call $random) (i32.const 130)))
              (i32.store offset=16 (local.get $at) (i32.rem_u (call $random) (i32.const 4)))
              (local.set $at (i32.add (local.get $at) (i32.const 20)))
              (br_if $modules (i32.lt_u (local.get $at) (i32.const 96)))))
          (func (export "buffer")))"#
    );
    let names = ["midinoteout1", "midinoteout2", "midinoteout3", "midinoteout4"];
    let variables: Vec<[(&str, u32); 5]> = (0..4)
        .map(|index| {
            let at = 16 + index * 20;
            [("note", at), ("gate", at + 4), ("channel", at + 8), ("velocity", at + 12), ("port", at + 16)]
        })
        .collect();
    let modules: Vec<(&str, &[(&str, u32)])> =
        names.into_iter().zip(variables.iter().map(<[_; 5]>::as_slice)).collect();
    project(&wat, &map(&modules), &json!({}))
}

/// Plays each note that its handler is told, on the first port; the handler listens to the second. Every other message
/// ends the note.
pub(crate) fn echo() -> Arc<Project> {
    let wat = r#"(module
      (import "js" "memory" (memory 1 1))
      (func (export "init"))
      (func (export "cycle"))
      (func (export "buffer"))
      (func (export "onKey") (param $status i32) (param $note i32) (param $velocity i32)
        (i32.store (i32.const 16) (local.get $note))
        (i32.store (i32.const 20) (i32.eqz (i32.load (i32.const 20))))
        (i32.store (i32.const 24) (local.get $velocity))))"#;
    let modules = map(&[("midinoteout1", &[("note", 16), ("gate", 20), ("velocity", 24)])]);
    project(wat, &modules, &json!({ "midi": { "inputs": { "keys": { "port": 1, "callback": "onKey" } } } }))
}

/// One module of this name that plays this note while its `hold` is not 0, which it is not at first.
pub(crate) fn held(module: &str, note: u8) -> Arc<Project> {
    let wat = format!(
        r#"(module
          (import "js" "memory" (memory 1 1))
          (func (export "init") (i32.store (i32.const 24) (i32.const 1)))
          (func (export "cycle")
            (i32.store (i32.const 16) (i32.const {note}))
            (i32.store (i32.const 20) (i32.load (i32.const 24))))
          (func (export "buffer")))"#
    );
    project(&wat, &map(&[(module, &[("note", 16), ("gate", 20), ("hold", 24)])]), &json!({}))
}
