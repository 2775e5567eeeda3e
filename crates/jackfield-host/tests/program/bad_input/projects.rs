//! Projects that cannot be played.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jackfield_testkit::fixtures;
use serde_json::Value;

use super::{check, refused};
use crate::support::Place;

/// The fixture `dc` with something wrong about it, as `song.project.json`.
fn spoilt(spoil: impl FnOnce(&mut Value)) -> Place {
    spoilt_fixture("dc", spoil)
}

fn spoilt_fixture(fixture: &str, spoil: impl FnOnce(&mut Value)) -> Place {
    let place = Place::new();
    let mut project = fixtures::json(&format!("{fixture}/{fixture}.project.json"));
    spoil(&mut project);
    place.write("song.project.json", project.to_string());
    place
}

/// All commands refuse `song.project.json` with this.
#[track_caller]
fn check_song(place: &Place, message: &str) {
    check(place, "song.project.json", &format!("song.project.json: {message}"));
}

#[test]
fn what_is_not_json() {
    let place = Place::new();
    place.write("song.project.json", "{\"compiledWasm\":\n  oops}\n");
    check_song(
        &place,
        "line 2, column 3: not JSON: expected value; mend it there, or write the file again from what made it",
    );
}

#[test]
fn json_that_is_no_project() {
    let place = Place::new();
    place.write("song.project.json", "[1, 2]");
    check_song(&place, "a list is not a project; give a runtime-ready project, a JSON object");
    place.write("song.project.json", "{}");
    check_song(
        &place,
        "is not a project: it has neither `compiledWasm` nor `codeBlocks`; give a runtime-ready project, or a \
         `.wasm` with its `.map.json` beside it",
    );
}

#[test]
fn what_is_not_text() {
    let place = Place::new();
    place.write("song.project.json", b"\x89PNG\r\n\x1a\n");
    check_song(&place, "byte 0: not text in UTF-8; give a project in JSON, a `.wasm` or a `.wat`");
}

#[test]
fn base64_that_was_cut_off() {
    let place = spoilt(|project| {
        let text = project["compiledWasm"].as_str().unwrap();
        project["compiledWasm"] = text[..text.len() - 3].into();
    });
    check_song(
        &place,
        "compiledWasm: not base64, and its length says that it was cut off: Invalid input length: 357; export the \
         project again",
    );
}

#[test]
fn a_program_that_was_cut_off() {
    let place = spoilt(|project| {
        let wasm = fixtures::bytes(&project["compiledWasm"]);
        project["compiledWasm"] = STANDARD.encode(&wasm[..150]).into();
    });
    check_song(
        &place,
        "byte 127: is not whole WebAssembly: unexpected end-of-file; compile the program again, or copy the file \
         again",
    );
}

#[test]
fn what_is_not_webassembly() {
    let place = spoilt(|project| project["compiledWasm"] = STANDARD.encode("hello, world").into());
    check_song(
        &place,
        "compiledWasm: is not WebAssembly: it does not start with the bytes 00 61 73 6d; compile the program again",
    );
}

#[test]
fn a_project_without_a_program() {
    let place = spoilt(|project| drop(project.as_object_mut().unwrap().shift_remove("compiledWasm")));
    check_song(
        &place,
        "is a project without a compiled program: it has no `compiledWasm`; export it from 8f4e as runtime-ready, \
         or put the compiled `.wasm` of the same name beside it",
    );
}

#[test]
fn webassembly_text_with_a_mistake() {
    let place = Place::new();
    place.write("song.wat", "(module\n  (import \"js\" \"memory\" (memory 1 1 shared)\n");
    fs::copy(fixtures::path("wat/wat.map.json"), place.file("song.map.json")).unwrap();
    check(
        &place,
        "song.wat",
        "song.wat: line 3, column 1: not WebAssembly text: expected `)`; mend it there",
    );
}

#[test]
fn a_program_without_its_map() {
    let place = Place::new();
    fs::copy(fixtures::path("dc/dc.wasm"), place.file("song.wasm")).unwrap();
    check(
        &place,
        "song.wasm",
        "song.wasm: has no memory map: song.map.json is missing; put the map there that was made with the program",
    );
}

/// One of the programs that are made to be wrong, as `song.project.json`.
#[track_caller]
fn check_wat(name: &str, message: &str) {
    let place = Place::new();
    fs::copy(fixtures::path(&format!("wat/{name}.project.json")), place.file("song.project.json")).unwrap();
    check_song(&place, message);
}

#[test]
fn a_missing_export() {
    check_wat(
        "missing-export",
        "program `song` cannot be played: it exports no function `buffer`; a program that imports `js.memory` \
         exports `init`, `cycle` and `buffer`",
    );
}

#[test]
fn an_import_that_nobody_offers() {
    check_wat(
        "bad-import",
        "program `song` cannot be played: it imports function `js.now`; a program may import only its memory",
    );
}

#[test]
fn a_function_of_the_wrong_type() {
    check_wat(
        "wrong-signature",
        "program `song` cannot be played: it exports `buffer` as (i32) -> (i32); it must be () -> ()",
    );
}

#[test]
fn memory_beyond_the_limits() {
    check_wat(
        "greedy",
        "program `song` asks for 4294967296 bytes of memory, but the limit is 67108864; raise the limit, or lower \
         the project's `memorySizeBytes` and compile again",
    );
}

#[test]
fn a_map_that_points_outside_of_the_memory() {
    let place = spoilt(|project| {
        project["compiledModules"]["speakers"]["memoryMap"]["left"]["byteAddress"] = 10_000_000.into();
    });
    check_song(
        &place,
        "compiledModules.speakers.memoryMap.left: takes bytes 10000000 to 10000512, but the memory has 65536; raise \
         `memorySizeBytes` and compile the program again",
    );
}

#[track_caller]
fn check_rate(fixture: &str, rate: i64, range: &str) {
    let place = spoilt_fixture(fixture, |project| {
        project["compiledProjectConfig"]["runtimeSettings"]["sampleRate"] = rate.into();
    });
    check_song(
        &place,
        &format!(
            "compiledProjectConfig.runtimeSettings.sampleRate: a rate of {rate} per second cannot be played; give \
             one from {range}"
        ),
    );
}

#[test]
fn a_sample_rate_of_zero() {
    check_rate("dc", 0, "1000 to 768000");
    check_rate("tally", 0, "0.001 to 1000");
}

#[test]
fn a_negative_sample_rate() {
    check_rate("dc", -48_000, "1000 to 768000");
    check_rate("tally", -50, "0.001 to 1000");
}

/// A program whose `init` does this, with its map and its settings. Nobody can tell without running it.
fn starting_with(init: &str) -> Place {
    let place = Place::new();
    place.write(
        "song.wat",
        format!(
            r#"(module
                 (import "js" "memory" (memory 1 1 shared))
                 (func $init {init}) (func $nothing)
                 (export "init" (func $init))
                 (export "cycle" (func $nothing))
                 (export "buffer" (func $nothing)))"#
        ),
    );
    fs::copy(fixtures::path("wat/wat.map.json"), place.file("song.map.json")).unwrap();
    place.write("song.toml", "[runtimeSettings]\nruntime = \"AudioWorkletRuntime\"\nsampleRate = 48000\n");
    place
}

#[track_caller]
fn check_start(init: &str, reason: &str) {
    let place = starting_with(init);
    let message = format!(
        "song.wat: program `song` fails while it starts; mend its initial values, and compile it again: `init` ended \
         early: {reason}"
    );
    refused(&place.run(&["run", "--silent", "--for", "1s", "song.wat"]), &message);
    refused(&place.run(&["render", "song.wat", "--out", "song.wav"]), &message);
    refused(&place.run(&["trace", "song.wat"]), &message);
}

#[test]
fn a_program_that_breaks_while_it_starts() {
    check_start("unreachable", "it reached an `unreachable` instruction");
}

#[test]
fn a_program_that_never_has_started() {
    check_start("(loop $again (br $again))", "it took too long and was interrupted");
}

#[test]
fn a_timer_program_is_not_rendered() {
    let place = Place::with("tally");
    refused(
        &place.run(&["render", "tally.project.json", "--out", "song.wav"]),
        "tally.project.json: the project does not ask for the audio engine; `jackfield trace` runs programs for \
         timers",
    );
    assert_eq!(place.names(), ["tally.project.json"]);
}
