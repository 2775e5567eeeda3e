//! Files that are not there, cannot be read, or cannot be written. Permissions do not stop an administrator, who may
//! run these tests; directories in the place of files stop everybody.

use std::fs;

use super::check;
use crate::support::{Place, write_wav};

#[test]
fn a_project_that_is_not_there() {
    let place = Place::new();
    let message = "there is no such file; check the path";
    check(&place, "gone.project.json", &format!("gone.project.json: {message}"));
    check(&place, "gone/song.wasm", &format!("gone/song.wasm: {message}"));
}

#[test]
fn a_project_below_a_file() {
    let place = Place::with("dc");
    let path = "dc.project.json/song.project.json";
    let error = fs::read(place.file(path)).unwrap_err(); // in the system's own words
    check(
        &place,
        path,
        &format!("{path}: cannot be read: {error}; check the path, and the file's permissions"),
    );
}

#[test]
fn a_directory_without_a_project() {
    let place = Place::new();
    fs::create_dir(place.file("empty")).unwrap();
    check(
        &place,
        "empty",
        "empty: has no project in it: no `*.project.json`; put a runtime-ready project there, or name another \
         directory or a file",
    );
}

#[test]
fn a_directory_with_two_projects() {
    let place = Place::with("dc");
    place.take("ramp");
    check(
        &place,
        ".",
        ".: has 2 projects in it: dc.project.json, ramp.project.json; name the one that is meant",
    );
}

#[test]
fn a_program_that_is_a_directory() {
    let place = Place::with("dc");
    let mut project = jackfield_testkit::fixtures::json("dc/dc.project.json");
    project.as_object_mut().unwrap().shift_remove("compiledWasm");
    place.write("dc.project.json", project.to_string());
    fs::create_dir(place.file("dc.wasm")).unwrap();
    let done = place.run(&["check", "dc.project.json"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    let (start, end) = ("dc.project.json: dc.wasm cannot be read: ", "; check its permissions\n");
    assert!(done.stdout.starts_with(start) && done.stdout.ends_with(end), "{done:?}");
}

/// The message says that `path` cannot be written, and what to do; the reason between the two is the system's own.
#[track_caller]
fn check_unwritable(place: &Place, arguments: &[&str], path: &str) {
    let before = place.names();
    let done = place.run(arguments);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    let reason = done.stderr.strip_prefix(&format!("jackfield: {path}: cannot be written: "));
    let reason =
        reason.and_then(|rest| rest.strip_suffix("; choose another path, or mend its permissions\n"));
    assert!(reason.is_some_and(|reason| !reason.is_empty() && !reason.contains('\n')), "{done:?}");
    assert_eq!(place.names(), before);
}

#[test]
fn a_rendering_that_cannot_be_written() {
    let place = Place::with("dc");
    fs::create_dir(place.file("songs")).unwrap();
    for path in ["songs", "dc.project.json/song.wav", "gone/song.wav"] {
        check_unwritable(&place, &["render", "dc.project.json", "--seconds", "0.1", "--out", path], path);
    }
}

#[test]
fn a_trace_that_cannot_be_written() {
    let place = Place::with("tally");
    fs::create_dir(place.file("traces")).unwrap();
    for path in ["traces", "tally.project.json/t.json", "gone/t.json"] {
        check_unwritable(&place, &["trace", "tally.project.json", "--out", path], path);
    }
}

#[track_caller]
fn check_input(place: &Place, path: &str, start: &str, end: &str) {
    let done = place.run(&["render", "echo.project.json", "--input", path, "--out", "song.wav"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    assert!(done.stderr.starts_with(&format!("jackfield: {path}: {start}")), "{done:?}");
    assert!(done.stderr.ends_with(&format!("; {end}\n")), "{done:?}");
    assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
    assert!(!place.file("song.wav").exists());
}

#[test]
fn an_input_that_cannot_be_heard() {
    let place = Place::with("echo");
    fs::create_dir(place.file("sounds")).unwrap();
    write_wav(&place.file("slow.wav"), 8_000, &[0.0; 8]);
    for path in ["gone.wav", "sounds", "echo.project.json"] {
        check_input(&place, path, "cannot be read: ", "give a WAV file");
    }
    check_input(
        &place,
        "slow.wav",
        "has 8000 frames a second, and the project plays 48000",
        "convert it first",
    );
}

#[test]
fn an_input_that_was_cut_off_or_has_samples_of_no_known_size() {
    let place = Place::with("echo");
    write_wav(&place.file("heard.wav"), 48_000, &[0.5; 100]);
    let whole = fs::read(place.file("heard.wav")).unwrap();
    for length in [0, 11, 30, 60, whole.len() - 1] {
        place.write("cut.wav", &whole[..length]);
        check_input(&place, "cut.wav", "cannot be read: ", "give a WAV file");
    }
    // One channel of whole numbers of 64 bits.
    let mut strange = b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    for word in [48_000_u32, 48_000 * 8, 8 | 64 << 16] {
        strange.extend(word.to_le_bytes());
    }
    strange.extend(b"data\x10\0\0\0");
    strange.extend([0; 16]);
    place.write("strange.wav", strange);
    check_input(&place, "strange.wav", "cannot be read: ", "give a WAV file");
}
