//! `jackfield check`: says `ok`, or everything that is wrong.

use std::fs;

use jackfield_testkit::fixtures;

use crate::support::{Done, Place};

#[track_caller]
fn check(place: &Place, files: &[&str]) -> Done {
    place.run(&[&["check"], files].concat())
}

/// These lines, and nothing else, with this exit code.
#[track_caller]
fn finds(done: &Done, code: i32, lines: &[&str]) {
    assert_eq!(done.stdout.lines().collect::<Vec<_>>(), lines);
    assert_eq!((done.code, done.stderr.as_str()), (Some(code), ""), "{done:?}");
}

#[test]
fn all_good_fixtures_are_ok() {
    let mut files = Vec::new();
    for folder in fs::read_dir(fixtures::path("")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() || folder.ends_with("wat") {
            continue;
        }
        for file in fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path().into_os_string().into_string().unwrap();
            let is_loose =
                file.ends_with(".wasm") && (file.contains("/extras/") || file.contains("/new-abi/"));
            if is_loose || file.ends_with(".project.json") {
                files.push(file);
            }
        }
    }
    assert!(files.len() > 20, "{files:?}");
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let said = check(&Place::new(), &files).good();
    let verdicts: Vec<_> = said.lines().filter(|line| !line.contains(": note: ")).collect();
    let ok: Vec<_> = files.iter().map(|file| format!("{file}: ok")).collect();
    assert_eq!(verdicts, ok);
}

#[test]
fn the_demonstration_and_its_settings_are_ok() {
    let projects = concat!(env!("CARGO_MANIFEST_DIR"), "/../../projects/first-light");
    let settings = format!("{projects}/jackfield.toml");
    let said = check(&Place::new(), &[projects, &settings]).good();
    assert_eq!(said, format!("{projects}: ok\n{settings}: ok\n"));
}

#[test]
fn routes_that_lead_nowhere_are_noted_and_no_problem() {
    let file = fixtures::path("extras/audioRouting.wasm");
    let file = file.to_str().unwrap();
    let note = |route: &str, id: &str| {
        format!(
            "{file}: note: runtimeSettings.audioOutputBuffers[{route}].memoryId: no variable `{id}`; the route is left out"
        )
    };
    let said = check(&Place::new(), &[file]).good();
    let other =
        "runtimeSettings.audioOutputBuffers[6]: there is no output 1, only output 0; the route is left out";
    let expected = [
        note("1", "nosuch.block"),
        note("2", "stub.nosuch"),
        note("3", "nodot"),
        format!("{file}: note: {other}"),
        format!("{file}: ok"),
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

// E.3
#[test]
fn midi_modules_that_cannot_play_are_noted_and_no_problem() {
    let file = fixtures::path("extras/midiCcAndFilters.wasm");
    let file = file.to_str().unwrap();
    let said = check(&Place::new(), &[file]).good();
    let note = format!("{file}: note: compiledModules.midinoteout6: has no variable `gate`; it is left out");
    assert_eq!(said.lines().collect::<Vec<_>>(), [note, format!("{file}: ok")]);
}

#[test]
fn every_problem_of_a_project_is_listed_with_its_place() {
    let place = Place::new();
    let mut project = fixtures::json("dc/dc.project.json");
    project["compiledProjectConfig"]["runtimeSettings"]["sampleRate"] = (-1).into();
    project["compiledModules"]["speakers"]["memoryMap"]["left"]["byteAddress"] = 10_000_000.into();
    project["compiledModules"]["speakers"]["memoryMap"]["right"]["elementWordSize"] = 3.into();
    place.write("dc.project.json", project.to_string());
    let done = check(&place, &["dc.project.json"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    let lines: Vec<_> = done.stdout.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with("dc.project.json: compiled")), "{done:?}");
    for place in ["runtimeSettings.sampleRate: ", "memoryMap.left: ", "memoryMap.right: "] {
        assert_eq!(lines.iter().filter(|line| line.contains(place)).count(), 1, "{place} in {done:?}");
    }
}

#[test]
fn every_problem_of_a_settings_file_is_listed_with_its_place() {
    let place = Place::new();
    place.edit("[plugins.recoder]\nenabled = true\n\n[plugins.knobs.config]\n\"a.b\" = \"loud\"\n\n[services.\"x:y\"]\n");
    finds(
        &check(&place, &["jackfield.toml"]),
        2,
        &[
            "jackfield.toml:1:10: plugins.recoder: there is no plugin `recoder`; did you mean `recorder`?",
            "jackfield.toml:5:1: plugins.knobs.config.\"a.b\": invalid type: string \"loud\", expected f64",
            "jackfield.toml:7:11: services.\"x:y\": there is no plugin `x`; remove it, or add the plugin",
        ],
    );
}

#[test]
fn what_is_likely_a_mistake_is_told_and_no_problem() {
    let place = Place::new();
    place.edit("[plugin.meter]\nenabled = true\n");
    finds(
        &check(&place, &["jackfield.toml"]),
        0,
        &[
            "jackfield.toml:1:2: plugin: `plugin` means nothing here; did you mean `plugins`?",
            "jackfield.toml: ok",
        ],
    );
}

#[test]
fn several_files_are_checked_and_one_bad_one_is_enough() {
    let place = Place::with("dc");
    place.edit("[plugins.meter]\nenabled = false\n");
    place.write("bad.toml", "[plugins.meta]\n");
    finds(
        &check(&place, &["dc.project.json", "bad.toml", "gone.project.json", "jackfield.toml"]),
        2,
        &[
            "dc.project.json: ok",
            "bad.toml:1:10: plugins.meta: there is no plugin `meta`; did you mean `meter`?",
            "gone.project.json: there is no such file; check the path",
            "jackfield.toml: ok",
        ],
    );
    finds(
        &check(&place, &["dc.project.json", "jackfield.toml"]),
        0,
        &["dc.project.json: ok", "jackfield.toml: ok"],
    );
}

#[test]
fn the_settings_of_a_program_are_checked_with_it() {
    let place = Place::new();
    fs::copy(fixtures::path("wat/runaway.wasm"), place.file("tone.wasm")).unwrap();
    fs::copy(fixtures::path("wat/wat.map.json"), place.file("tone.map.json")).unwrap();
    place.write("tone.toml", "[runtimeSettings]\nruntime = \"AudioWorkletRuntime\"\nsampleRate = 0\n");
    let done = check(&place, &["tone.wasm"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stdout.contains("tone.toml") && done.stdout.contains("sampleRate"), "{done:?}");
    place.write("tone.toml", "[runtimeSettings]\nruntime = \"AudioWorkletRuntime\"\nsampleRate = 48000\n");
    finds(&check(&place, &["tone.wasm"]), 0, &["tone.wasm: ok"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_nobody_can_hear_is_a_failure_and_no_panic() {
    let place = Place::with("dc");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output =
        crate::support::jackfield(&place).args(["check", "dc.project.json"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("jackfield: standard output cannot be written: "), "{stderr}");
}
