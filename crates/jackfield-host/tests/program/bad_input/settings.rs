//! Settings that are wrong from the start.

use std::fs;

use super::refused;
use crate::support::Place;

/// `run` refuses the settings, whether they lie beside the project or are named; `check` finds the same.
#[track_caller]
fn check(settings: &str, problems: &[&str]) {
    let place = Place::with("dc");
    place.edit(settings);
    place.write("named.toml", settings);
    let told = |file: &str| {
        problems.iter().map(|problem| format!("{file}:{problem}")).collect::<Vec<_>>().join("\n")
    };
    let run = ["run", "--silent", "--for", "1s", "dc.project.json"];
    refused(&place.run(&run), &told("jackfield.toml"));
    refused(&place.run(&[&run[..], &["--settings", "named.toml"]].concat()), &told("named.toml"));
    let done = place.run(&["check", "named.toml"]);
    assert_eq!(done.stdout, format!("{}\n", told("named.toml")));
    assert_eq!((done.code, done.stderr.as_str()), (Some(2), ""), "{done:?}");
}

#[test]
fn broken_toml() {
    check("[plugins.recorder\nenabled = true\n", &["1:18: not TOML: unclosed table, expected `]`"]);
}

#[test]
fn a_switch_that_is_no_switch() {
    check(
        "[plugins.recorder]\nenabled = 3\n",
        &["2:1: plugins.recorder.enabled: expected `true` or `false`, found the number 3"],
    );
}

#[test]
fn a_configuration_of_the_wrong_type() {
    check(
        "[plugins.recorder]\nenabled = true\nconfig.path = 3\n",
        &["3:8: plugins.recorder.config.path: invalid type: integer `3`, expected path string"],
    );
}

#[test]
fn an_unknown_plugin() {
    check(
        "[plugins.recoder]\n",
        &["1:10: plugins.recoder: there is no plugin `recoder`; did you mean `recorder`?"],
    );
}

#[test]
fn an_unknown_service() {
    check(
        "[services.\"engine-audio:engine.audi\"]\n",
        &[
            "1:11: services.\"engine-audio:engine.audi\": `engine-audio` offers no `engine.audi`; did you mean \
           `engine-audio:engine.audio`?",
        ],
    );
}

/// What only a program, a project or a disk can say is said by `run` alone.
#[track_caller]
fn check_run(settings: &str, start: &str, end: &str) {
    let place = Place::with("dc");
    place.edit(settings);
    let done = place.run(&["run", "--silent", "--for", "1s", "dc.project.json"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    assert!(done.stderr.starts_with(&format!("jackfield: jackfield.toml:{start}")), "{done:?}");
    assert!(done.stderr.ends_with(&format!("{end}\n")), "{done:?}");
    assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
}

#[test]
fn a_knob_that_the_program_does_not_have() {
    check_run(
        "[plugins.knobs.config]\n\"speakers.leftLvel\" = 1\n",
        "2:1: plugins.knobs.config.\"speakers.leftLvel\": no variable `speakers.leftLvel`",
        "; nearest is `speakers.leftLevel`",
    );
}

#[test]
fn a_project_that_is_not_there() {
    check_run(
        "[plugins.project.config]\nfile = \"gone.project.json\"\n",
        "2:1: plugins.project.config.file: gone.project.json: there is no such file",
        "; check the path",
    );
}

#[test]
fn a_recording_that_cannot_be_written() {
    check_run(
        "[plugins.recorder]\nenabled = true\nconfig.path = \"dc.project.json/take.wav\"\n",
        "3:8: plugins.recorder.config.path: dc.project.json/take.wav: cannot be written: ",
        "; choose another path, or mend its permissions",
    );
}

#[test]
fn settings_that_are_not_text() {
    let place = Place::with("dc");
    place.write("jackfield.toml", b"\xff\xfe");
    refused(
        &place.run(&["run", "--silent", "--for", "1s", "dc.project.json"]),
        "jackfield.toml: cannot be read: stream did not contain valid UTF-8; mend its permissions or its encoding",
    );
}

#[test]
fn settings_that_are_not_there_or_no_file() {
    let place = Place::with("dc");
    fs::create_dir(place.file("settings")).unwrap();
    for (path, message) in [("gone.toml", "there is no such file"), ("settings", "is not a file")] {
        refused(
            &place.run(&["run", "--silent", "--for", "1s", "dc.project.json", "--settings", path]),
            &format!("{path}: {message}; check the path"),
        );
    }
    let done = place.run(&["check", "gone.toml"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stdout.starts_with("gone.toml: cannot be read: "), "{done:?}");
}
