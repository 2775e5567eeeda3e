//! Programs with several memories: their own, and one for each region.

use std::{fs, path::Path, thread};

use jackfield_engines::{
    AccessError, BlockRunner, ContractError, Instance, Limits, Memories, MidiMapper, MidiMessage,
    MidiSettings, Offline, PortMessage, Program, ProgramError, Project, ProjectError, Reading, Start,
    TrapKind, Value, trace, trace_midi,
};
use jackfield_testkit::{fixtures, realtime};
use serde_json::{Value as Json, json};
use tempfile::tempdir;

use crate::support::{audio_settings, compiled, from_init, from_wat, loose, offline, render};

const IMPORTS: [&str; 3] = [
    r#"(import "host" "memory" (memory $memory 1 1 shared))"#,
    r#"(import "host" "samples" (memory $samples 2 2 shared))"#,
    r#"(import "host" "display" (memory $display 1 1 shared))"#,
];

fn regions() -> Project {
    loose("regions/regions.wat")
}

/// The fixture with another text and another map, and perhaps more settings.
fn edited(text: &str, map: &Json, config: &Json) -> Result<Project, ProjectError> {
    let folder = tempdir().unwrap();
    write(folder.path(), text, map, config);
    Project::load(folder.path().join("edited.wat"))
}

fn write(folder: &Path, text: &str, map: &Json, config: &Json) {
    fs::write(folder.join("edited.wat"), text).unwrap();
    fs::write(folder.join("edited.map.json"), map.to_string()).unwrap();
    fs::write(folder.join("edited.config.json"), config.to_string()).unwrap();
}

fn text() -> String {
    fs::read_to_string(fixtures::path("regions/regions.wat")).unwrap()
}

fn map() -> Json {
    fixtures::json("regions/regions.map.json")
}

fn config() -> Json {
    fixtures::json("regions/regions.config.json")
}

fn value(instance: &Instance, id: &str) -> Value {
    instance.program().map().read(instance, id).unwrap()
}

/// What the fixture does: left is the level, right is what came in times the level, and every frame is counted twice.
#[track_caller]
fn check_it_plays(project: &Project) {
    let input: Vec<f32> = (0..256_u16).map(|frame| f32::from(frame) / 256.0).collect();
    let mut offline = offline(project);
    let [left, right] = render(&mut offline, 2, Some(&input));
    assert_eq!(left, [0.5; 256]);
    assert_eq!(right, input.iter().map(|sample| sample * 0.5).collect::<Vec<_>>());
    for id in ["player:count", "view:count"] {
        assert_eq!(value(offline.instance(), id), Value::I32(256), "{id}");
    }
    assert_eq!(value(offline.instance(), "wave:far"), Value::F32(0.5));
}

// A.1, A.8
#[test]
fn a_program_plays_whose_channels_come_from_its_regions_and_go_there() {
    let project = regions();
    let program = compiled(&project);
    assert_eq!(program.regions().collect::<Vec<_>>(), ["samples", "display"]);
    assert_eq!(program.memory_bytes(), 4 * 65_536);
    assert!(program.always_ends());
    check_it_plays(&project);
    assert_eq!(project.left_out, []);
}

#[test]
fn memories_are_known_by_their_names_in_whatever_order_they_are_imported() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut text = text();
        for (import, place) in IMPORTS.iter().zip(["first", "second", "third"]) {
            assert!(text.contains(import));
            text = text.replace(import, place);
        }
        for (place, import) in ["first", "second", "third"].iter().zip(order) {
            text = text.replace(place, IMPORTS[import]);
        }
        check_it_plays(&edited(&text, &map(), &config()).unwrap());
    }
}

#[test]
fn where_no_region_is_named_memories_are_known_by_their_numbers() {
    let mut map = map();
    assert_eq!(forget(&mut map, &["memoryRegionName", "pointeeMemoryRegionName"]), 8);
    check_it_plays(&edited(&text(), &map, &config()).unwrap());
    // A variable that says nothing lies where its module does.
    let variables = map.pointer_mut("/memoryPlan/modules/wave/memory").unwrap();
    assert_eq!(forget(variables, &["memoryIndex"]), 3);
    check_it_plays(&edited(&text(), &map, &config()).unwrap());
}

/// Takes these members away wherever they are, and counts them.
fn forget(json: &mut Json, keys: &[&str]) -> usize {
    let Json::Object(members) = json else { return 0 };
    let here = keys.iter().filter(|key| members.remove(**key).is_some()).count();
    here + members.values_mut().map(|member| forget(member, keys)).sum::<usize>()
}

#[test]
fn a_block_of_a_program_with_regions_does_not_touch_the_allocator() {
    let project = regions();
    let mut runner = BlockRunner::new(from_init(&project), audio_settings(&project).routes(&project.map).0);
    let (level, mut output) = (project.map.get("wave:level").unwrap(), [[0.0; 128]; 2]);
    Program::prepare_thread();
    realtime(|| {
        level.write(runner.instance_mut(), 0, Value::F32(0.25)).unwrap();
        runner.run(&[[0.5; 128]], &mut output).unwrap();
    });
    assert_eq!(output, [[0.25; 128], [0.125; 128]]);
}

#[test]
fn instances_have_regions_of_their_own() {
    let program = compiled(&regions());
    let (mut first, second) = (program.instantiate().unwrap(), program.instantiate().unwrap());
    program.map().write(&mut first, "wave:level", Value::F32(0.75)).unwrap();
    assert_eq!(
        [value(&first, "wave:level"), value(&second, "wave:level")],
        [Value::F32(0.75), Value::F32(0.5)]
    );
    assert_eq!(first.bytes(1).unwrap().len(), 2 * 65_536);
    assert!(first.bytes(3).is_none() && first.bytes_mut(u32::MAX).is_none());
}

#[test]
fn bytes_alone_are_the_own_memory_and_whoever_looks_for_a_region_in_them_is_told() {
    let mut instance = from_init(&regions());
    let map = instance.program().map().clone();
    let level = map.get("wave:level").unwrap();
    let error = AccessError::NoSuchMemory { number: 1 };
    assert_eq!(level.read(instance.memory(), 0), Err(error));
    assert_eq!(level.reading(instance.memory()), Err(error));
    assert_eq!(level.write(instance.memory_mut(), 0, Value::F32(1.0)), Err(error));
    assert_eq!(
        error.to_string(),
        "there is no memory 1; give the whole instance, not only the bytes of its own memory"
    );
    assert!(map.read(instance.memory(), "player:count").is_ok());
}

// B.2
#[test]
fn a_snapshot_is_of_the_own_memory_and_regions_have_their_initial_values() {
    let mut project = Project::clone(&regions());
    let mut snapshot = vec![0; 12];
    snapshot[8] = 23;
    project.snapshot = Some(snapshot.into());
    let instance = compiled(&project).instantiate_from(Start::Snapshot).unwrap();
    assert_eq!(value(&instance, "player:count"), Value::I32(23));
    assert_eq!(value(&instance, "wave:level"), Value::F32(0.5));
    let instance = compiled(&project).instantiate_from(Start::Init).unwrap();
    assert_eq!(value(&instance, "player:count"), Value::I32(0));
}

// E.5
#[test]
fn a_file_is_loaded_into_a_region() {
    let folder = tempdir().unwrap();
    let mut config = config();
    config["bin"] = json!({ "table": { "url": "t.raw", "memory": "wave:microphone" } });
    write(folder.path(), &text(), &map(), &config);
    fs::write(folder.path().join("t.raw"), 1.5_f32.to_le_bytes()).unwrap();
    let project = Project::load(folder.path().join("edited.wat")).unwrap();
    assert_eq!(project.left_out, []);
    let instance = from_init(&project);
    assert_eq!(value(&instance, "wave:microphone"), Value::F32(1.5));
    let others = ["speakers:left", "view:right"].map(|id| value(&instance, id));
    assert_eq!(others, [Value::F32(0.0); 2], "at the same address elsewhere");
}

#[test]
fn a_trace_has_the_values_of_all_memories() {
    let trace = trace(&mut from_init(&regions()), 10);
    let last = trace.after.last().unwrap();
    let read = |id: &str| &last.values.iter().find(|(found, _)| found == id).unwrap().1;
    assert_eq!(read("view:count"), &Reading::One(Value::I32(10)));
    assert_eq!(read("wave:far"), &Reading::One(Value::F32(0.5)));
    assert_eq!(last.values.len(), 8, "every variable of the map");
}

// E.3, E.4
#[test]
fn modules_in_regions_play_notes_and_follow_controllers_and_pointers_lead_from_one_region_to_another() {
    let project = loose("regions/keys.wat");
    let settings = MidiSettings::of(&project.config).unwrap().unwrap();
    let mut instance = from_init(&project);
    let (mut mapper, left_out) = MidiMapper::for_program(&settings, instance.program(), &instance);
    assert_eq!(left_out, []);
    let turn = [PortMessage { port: 1, message: MidiMessage::new(&[0xb0, 20, 77]).unwrap() }];
    let trace =
        trace_midi(&mut instance, 2, &mut mapper, |cycle| if cycle == 1 { &turn[..] } else { &[][..] });
    let sent: Vec<_> = trace.messages.iter().map(|message| message.sent.message.bytes().to_vec()).collect();
    assert_eq!(sent, [[0x90, 64, 127], [0x80, 64, 127]], "64 is what is pointed at");
    assert_eq!(value(&instance, "midiccin:value"), Value::I32(77));
}

/// A program of the newest generation with these imports, which does nothing.
fn importing(imports: &str) -> Project {
    let functions = r#"(func (export "initDefaults")) (func (export "main"))"#;
    from_wat(&format!("(module {imports} {functions})"))
}

#[track_caller]
fn refused(imports: &str) -> ContractError {
    match Program::compile(&importing(imports), &Limits::default()).unwrap_err() {
        ProgramError::OtherContract { difference, .. } => difference,
        other => panic!("{other}"),
    }
}

#[test]
fn memories_that_no_host_gives_are_refused_with_what_is_wrong_with_them() {
    let memory = r#"(import "host" "memory" (memory 1))"#;
    let said = |imports: &str| refused(imports).to_string();
    assert_eq!(
        said(r#"(import "host" "samples" (memory 1))"#),
        "imports region `host.samples`, but no `host.memory`; a program with regions imports both"
    );
    assert_eq!(
        said(&format!(r#"{memory} (import "env" "samples" (memory 1))"#)),
        "imports a memory as `env.samples`; all of a program's regions are imported from `host`"
    );
    assert_eq!(
        said(&format!(
            r#"{memory} (import "host" "samples" (memory 1)) (import "host" "samples" (memory 1))"#
        )),
        "imports `host.samples` twice; each memory is imported once"
    );
    assert_eq!(
        said(&format!("{memory} {memory}")),
        "imports `host.memory` twice; each memory is imported once"
    );
    assert_eq!(
        said(&format!("{memory} (memory 1)")),
        "has memories that it does not import: 1 of them; a program imports all of its memory"
    );
    assert_eq!(
        said(r#"(import "js" "memory" (memory 1)) (import "js" "samples" (memory 1))"#),
        "imports `js.samples` besides `js.memory`; only a program of the newest generation has regions, and imports \
         `host.memory`"
    );
    let many: String = (1..=32).map(|n| format!(r#"(import "host" "r{n}" (memory 0))"#)).collect();
    assert_eq!(
        said(&format!("{memory} {many}")),
        "imports 33 memories; a program may have 32, its own and its regions"
    );
    let wide = format!(r#"{memory} (import "host" "samples" (memory i64 1))"#);
    assert_eq!(refused(&wide), ContractError::UnusualMemory);
}

#[test]
fn the_limit_is_for_all_memories_together_when_a_program_starts() {
    let project = importing(
        r#"(import "host" "memory" (memory 1)) (import "host" "a" (memory 1)) (import "host" "b" (memory 2))"#,
    );
    let compile = |pages: u64| {
        Program::compile(&project, &Limits::default().max_memory_bytes(pages * 65_536)).map(|_| ())
    };
    compile(4).unwrap();
    let error = compile(3).unwrap_err();
    assert!(matches!(error, ProgramError::TooMuchMemory { bytes: 0x4_0000, limit: 0x3_0000, .. }), "{error}");
}

#[test]
fn the_limit_is_for_all_memories_together_when_they_grow() {
    // Each tick grows both by a page, if it can.
    let project = from_wat(
        r#"(module (import "host" "memory" (memory $own 1)) (import "host" "a" (memory $a 1 2))
            (func (export "initDefaults"))
            (func (export "main")
                (i32.store $own (i32.const 4) (memory.grow $own (i32.const 1)))
                (i32.store $own (i32.const 8) (memory.grow $a (i32.const 1)))))"#,
    );
    let limits = Limits::default().max_memory_bytes(5 * 65_536);
    let mut instance = Program::compile(&project, &limits).unwrap().instantiate().unwrap();
    let mut sizes = Vec::new();
    for _ in 0..3 {
        instance.cycle().unwrap();
        sizes.push([0, 1].map(|number| instance.bytes(number).unwrap().len() / 65_536));
    }
    // The region has reached its own maximum, which takes nothing from the other.
    assert_eq!(sizes, [[2, 2], [3, 2], [3, 2]]);
    assert_eq!(instance.memory()[4..12], [0xff; 8], "both were refused");
}

#[test]
fn a_program_with_regions_that_never_returns_is_ended() {
    let project = from_wat(
        r#"(module (import "host" "memory" (memory 1)) (import "host" "a" (memory $a 1))
            (func (export "initDefaults"))
            (func (export "main") (loop $again
                (i32.store $a (i32.const 4) (i32.const 1))
                (br_if $again (i32.load $a (i32.const 4))))))"#,
    );
    let program = compiled(&project);
    assert!(!program.always_ends());
    let mut instance = program.instantiate().unwrap();
    let interrupt = instance.interrupt_handle();
    let running = thread::spawn(move || (instance.cycle(), instance));
    while interrupt.call_in_progress().is_none() {
        thread::yield_now();
    }
    interrupt.interrupt();
    let (result, _instance) = running.join().unwrap();
    assert_eq!(result.unwrap_err().kind, TrapKind::Interrupted);
}

/// All that is said about the map after `change`.
#[track_caller]
fn said(change: impl FnOnce(&mut Json)) -> Vec<String> {
    let mut map = map();
    change(&mut map);
    let error = edited(&text(), &map, &config()).unwrap_err();
    error.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_region_that_is_not_imported_is_named_once_however_much_lies_in_it() {
    let wave = |map: &mut Json| {
        let text = map.to_string().replace(r#""samples""#, r#""sample""#);
        *map = text.parse().unwrap();
    };
    assert_eq!(
        said(wave),
        [
            "pointerMetadataByModuleId.player.level.pointeeMemoryRegionName: there is no region `sample`: the program \
             imports `host.memory`, `host.samples`, `host.display` only; compile the program again: map and program are \
             made together"
        ]
    );
    let level = "memoryPlan.modules.wave.memory.level.memoryIndex";
    let numbered = said(|map| {
        forget(map, &["memoryRegionName"]);
        map["memoryPlan"]["modules"]["wave"]["memory"]["level"]["memoryIndex"] = json!(3);
    });
    assert_eq!(
        numbered,
        [format!(
            "{level}: there is no memory 3: the program imports 3, counted from 0; compile the program again: map and \
             program are made together"
        )]
    );
}

#[test]
fn what_is_no_region_is_located() {
    let at = "memoryPlan.modules.wave.memory.level";
    let problems = said(|map| {
        let level = &mut map["memoryPlan"]["modules"]["wave"]["memory"]["level"];
        level["memoryRegionName"] = json!(1);
    });
    assert_eq!(problems, [format!("{at}.memoryRegionName: 1 is not a text; make it a text")]);
}

#[test]
fn a_region_that_is_too_small_for_what_lies_in_it_is_named() {
    let problems = said(|map| {
        map["memoryPlan"]["modules"]["view"]["memory"]["count"]["byteAddress"] = json!(65_534);
        map["requiredMemoryBytesByRegion"]["display"] = json!(65_540);
    });
    let remedy = "compile the program again: map and program are made together";
    assert_eq!(
        problems,
        [
            format!(
                "requiredMemoryBytesByRegion.display: needs 65540 bytes, but the program imports `host.display` with \
                 65536; {remedy}"
            ),
            format!(
                "memoryPlan.modules.view.memory.count: takes bytes 65534 to 65538, but region `display` has 65536; \
                 {remedy}"
            ),
        ]
    );
}

#[test]
fn a_region_that_the_map_does_not_know_is_remarked_upon_and_the_program_plays() {
    let mut map = map();
    for module in ["wave", "view"] {
        map["memoryPlan"]["modules"].as_object_mut().unwrap().remove(module);
    }
    map["requiredMemoryBytesByRegion"].as_object_mut().unwrap().remove("display");
    let project = edited(&text(), &map, &config()).unwrap();
    let remarks: Vec<_> = project.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        remarks,
        [
            "memoryPlan.modules: nothing lies in region `display`, which the program imports; if something does, compile \
             the program again"
        ]
    );
    let instance = from_init(&project);
    let mut offline = Offline::new(instance, audio_settings(&project).routes(&project.map).0);
    assert_eq!(render(&mut offline, 1, None)[0], [0.5; 128]);
}

#[test]
fn an_export_of_a_program_with_regions_is_called_like_any_other() {
    let project = from_wat(
        r#"(module (import "host" "memory" (memory 1)) (import "host" "a" (memory $a 1))
            (func (export "initDefaults")) (func (export "main"))
            (func (export "put") (param i32) (i32.store $a (i32.const 4) (local.get 0))))"#,
    );
    let mut instance = from_init(&project);
    let put = instance.program().call("put", &[7.0]).unwrap();
    assert_eq!(instance.call(&put), Ok(()));
    assert_eq!(instance.bytes(1).unwrap()[4], 7);
}
