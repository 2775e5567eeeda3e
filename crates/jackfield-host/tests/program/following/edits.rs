//! A good edit is carried out, and the plan is told.

use std::time::{Duration, Instant};

use crate::support::{Place, Playing};

#[test]
fn an_edit_is_followed_and_its_plan_is_told_step_by_step_with_its_cause() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit("[plugins.project]\nenabled = false\n");
    playing.follows(&["- knobs     (needs project, which is off)", "- project   (settings)"]);
    place.edit("[plugins.meter]\nenabled = false\n");
    playing.follows(&[
        "- meter     (settings)",
        "+ project   (on by default)",
        "+ knobs     (on by default)",
    ]);
    playing.stop();
}

/// An edit takes effect in a fifth of a second. One that the machine was too busy for does not count.
#[test]
fn an_edit_is_followed_within_200_ms() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    let times = (0..6).map(|round| {
        let sign = if round % 2 == 0 { '-' } else { '+' };
        let edited = Instant::now();
        place.edit(&format!("[plugins.meter]\nenabled = {}\n", round % 2 == 1));
        playing.follows(&[&format!("{sign} meter   (settings)")]);
        edited.elapsed()
    });
    let quickest = times.min().unwrap();
    assert!(quickest < Duration::from_millis(200), "{quickest:?}");
    playing.stop();
}

#[test]
fn an_edit_that_changes_nothing_says_so() {
    let place = Place::with("dc");
    place.edit("[plugins.meter]\nenabled = true\n");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit("# the default\n");
    playing.follows(&["nothing to do"]);
    playing.stop();
}

#[test]
fn the_meter_stops_measuring_when_it_is_switched_off() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    let line = playing.next_clock();
    assert!(line.contains("L  peak  -12.0 rms  -12.0 dBFS   R  peak  -12.0 rms  -12.0 dBFS"), "{line}");
    place.edit("[plugins.meter]\nenabled = false\n");
    playing.follows(&["- meter   (settings)"]);
    playing.next_clock(); // tells of the time until it was switched off
    playing.next_clock(); // and once more, as the two clocks are not in step
    let line = playing.next_clock();
    assert!(!line.contains("peak") && line.contains("load"), "{line}");
    playing.stop();
}

#[test]
fn what_means_nothing_is_told_and_the_rest_counts() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit("[plugin.meter]\nenabled = true\n\n[plugins.meter]\nenabled = false\n");
    playing.follows(&[
        "jackfield.toml:1:2: plugin: `plugin` means nothing here; did you mean `plugins`?",
        "- meter   (settings)",
    ]);
    playing.stop();
}
