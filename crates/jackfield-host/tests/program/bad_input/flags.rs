//! Flags with values that mean nothing.

use crate::support::Place;

/// Refused because of this value, without a trace of work.
#[track_caller]
fn check(arguments: &[&str], message: &str) {
    let place = Place::with("dc");
    let done = place.run(arguments);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    assert!(done.stderr.starts_with("error: ") && done.stderr.contains(message), "{done:?}");
    assert_eq!(place.names(), ["dc.project.json"]);
}

#[track_caller]
fn check_seconds(seconds: &str, message: &str) {
    check(&["render", "dc.project.json", "--out", "song.wav", "--seconds", seconds], message);
}

#[test]
fn a_time_to_render_that_is_no_time() {
    for seconds in ["0", "-1", "-0.5", "inf", "1e300"] {
        check_seconds(seconds, "give a positive number of seconds");
    }
    check_seconds("soon", "give a number of seconds, such as 10 or 2.5");
    check_seconds("NaN", "give a positive number of seconds");
}

#[test]
fn a_time_that_no_file_has_room_for() {
    let place = Place::with("dc");
    let done = place.run(&["render", "dc.project.json", "--out", "song.wav", "--seconds", "20000"]);
    super::refused(&done, "a WAV file has no room for 20000 s; give `--seconds` up to 11184");
    assert_eq!(place.names(), ["dc.project.json"]);
}

#[test]
fn a_number_of_cycles_that_is_no_number() {
    for cycles in ["0", "-5", "many"] {
        check(&["trace", "dc.project.json", &format!("--cycles={cycles}")], "--cycles");
    }
}

#[test]
fn a_time_to_play_that_is_no_time() {
    check(&["run", "--silent", "dc.project.json", "--for", "soon"], "--for");
}

#[test]
fn a_command_that_is_unknown_or_lacks_something() {
    check(&["play", "dc.project.json"], "play");
    check(&["render", "dc.project.json"], "--out");
    check(&["check"], "FILES");
}
