//! However the file is saved.

use std::fs;

use crate::support::{Place, Playing};

const OFF: &str = "[plugins.meter]\nenabled = false\n";
const ON: &str = "[plugins.meter]\nenabled = true\n";

#[test]
fn a_file_that_is_renamed_over_the_old_one_is_followed() {
    let place = Place::with("dc");
    place.edit(ON);
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    for (text, plan) in
        [(OFF, "- meter   (settings)"), (ON, "+ meter   (settings)"), (OFF, "- meter   (settings)")]
    {
        place.write("jackfield.toml~", text);
        fs::rename(place.file("jackfield.toml~"), place.file("jackfield.toml")).unwrap();
        playing.follows(&[plan]);
    }
    playing.stop();
}

#[test]
fn a_file_that_is_deleted_changes_nothing_until_it_is_there_again() {
    let place = Place::with("dc");
    place.edit(OFF);
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    fs::remove_file(place.file("jackfield.toml")).unwrap();
    playing.next_clock();
    let line = playing.next_clock();
    assert!(!line.contains("peak"), "the meter is off: {line}");
    place.edit(ON);
    playing.follows(&["+ meter   (settings)"]);
    let ended = playing.stop();
    assert_eq!(ended.said.iter().filter(|line| line.starts_with("settings: ")).count(), 1, "{ended:#?}");
}

#[test]
fn a_file_that_is_empty_for_a_moment_changes_nothing() {
    let place = Place::with("dc");
    place.edit(OFF);
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit("");
    playing.next_clock();
    place.edit(ON);
    playing.follows(&["+ meter   (settings)"]);
    let ended = playing.stop();
    assert_eq!(ended.said.iter().filter(|line| line.starts_with("settings: ")).count(), 1, "{ended:#?}");
}

#[test]
fn a_file_that_appears_after_the_start_is_followed() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit(OFF);
    playing.follows(&["- meter   (settings)"]);
    playing.stop();
}

#[test]
fn a_settings_file_may_lie_elsewhere_and_paths_start_from_there() {
    let place = Place::with("dc");
    fs::create_dir(place.file("elsewhere")).unwrap();
    place.write("elsewhere/my.toml", "# nothing yet\n");
    let mut playing = Playing::start(&place, &["dc.project.json", "--settings", "elsewhere/my.toml"]);
    place.write("elsewhere/my.toml", "[plugins.recorder]\nenabled = true\n");
    assert_eq!(playing.wait_for("recorder: "), "recorder: recording to elsewhere/take.wav");
    playing.wait_for("settings: following elsewhere/my.toml");
    assert_eq!(playing.listed(), "+ recorder   (settings)   recorder.take: nobody → recorder");
    playing.stop();
    assert!(place.file("elsewhere/take.wav").exists());
}

#[test]
fn what_is_not_text_is_a_problem_and_the_next_edit_is_taken() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.write("jackfield.toml", b"[plugins.meter]\nenabled = \xff\n");
    let line = playing.wait_for("settings: ");
    assert!(line.contains("jackfield.toml") && line.contains("line 2"), "{line}");
    place.edit(OFF);
    playing.follows(&["- meter   (settings)"]);
    playing.stop();
}
