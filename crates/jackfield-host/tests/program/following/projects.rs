//! Another project, while the first one plays.

use jackfield_testkit::fixtures;

use crate::support::{Place, Playing, Wav};

#[test]
fn another_project_takes_over_while_the_first_one_plays() {
    let place = Place::with("dc");
    place.take("tally");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit("[plugins.project.config]\nfile = \"tally.project.json\"\n");
    assert_eq!(playing.wait_for("engine: "), "engine: worker, 50 ticks a second");
    playing.follows(&["~ project   (settings)   file: default → \"tally.project.json\""]);
    place.edit("# the one from the command line again\n");
    assert_eq!(playing.wait_for("engine: "), "engine: audio on null device, keeping time, 48000 Hz");
    playing.follows(&["~ project   (settings)   file: \"tally.project.json\" → default"]);
    playing.stop();
}

#[test]
fn a_recording_goes_on_across_projects() {
    let place = Place::with("dc");
    place.take("ramp");
    place.edit("[plugins.recorder]\nenabled = true\n");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit("plugins.recorder.enabled = true\nplugins.project.config.file = \"ramp.project.json\"\n");
    playing.follows(&["~ project   (settings)   file: default → \"ramp.project.json\""]);
    playing.a_second_passes();
    playing.stop();

    let left = Wav::read(&place.file("take.wav")).channels.remove(0);
    assert_eq!(left[0], 0.25);
    // The ramp starts at 0 and takes over at once, or with a fade: in the end it is the ramp, step by step.
    let step = 1.0 / 65_536.0;
    let tail = &left[left.len() - 4_800..];
    assert!(tail.windows(2).all(|pair| pair[1] - pair[0] == step || (pair[0], pair[1]) == (1.0 - step, 0.0)));
}

#[test]
fn another_rate_is_another_file() {
    let place = Place::with("dc");
    let mut other = fixtures::json("dc/dc.project.json");
    other["compiledProjectConfig"]["runtimeSettings"]["sampleRate"] = 44_100.into();
    place.write("other.project.json", other.to_string());
    place.edit("[plugins.recorder]\nenabled = true\n");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit("plugins.recorder.enabled = true\nplugins.project.config.file = \"other.project.json\"\n");
    let line = playing.wait_for("going on in");
    assert!(line.ends_with("; going on in take-2.wav at 44100 Hz"), "{line}");
    playing.stop();
    assert_eq!(Wav::read(&place.file("take.wav")).sample_rate, 48_000);
    assert_eq!(Wav::read(&place.file("take-2.wav")).sample_rate, 44_100);
}

#[test]
fn a_project_that_cannot_be_played_is_refused_and_the_first_one_plays_on() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit("# what plays\n[plugins.project.config]\nfile = \"gone.project.json\"\n");
    playing.refuses(&[
        "jackfield.toml:3:1: plugins.project.config.file: gone.project.json: there is no such file; check the path",
    ]);
    std::fs::copy(fixtures::path("wat/bad-import.project.json"), place.file("bad.project.json")).unwrap();
    place.edit("[plugins.project.config]\nfile = \"bad.project.json\"\n");
    playing.refuses(&[
        "jackfield.toml:2:1: plugins.project.config.file: bad.project.json: program `bad` cannot be played: it \
         imports function `js.now`; a program may import only its memory",
    ]);
    playing.next_clock();
    let line = playing.next_clock();
    assert!(line.contains("L  peak  -12.0 rms  -12.0 dBFS"), "{line}");
    let ended = playing.stop();
    assert!(!ended.said.iter().any(|line| line.starts_with("engine: ")), "{ended:#?}");
}

#[test]
fn an_edited_project_is_taken_up_while_it_plays_and_keeps_its_values() {
    let place = Place::with("first-light");
    let mut playing = Playing::start(&place, &["first-light.project.json"]);
    playing.a_second_passes();
    let edited = std::fs::read(fixtures::path("first-light-b/first-light-b.project.json")).unwrap();
    std::fs::write(place.file("first-light.project.json"), edited).unwrap();
    // One comes from the plugin and one from the engine, in either order.
    let mut said = [playing.wait_for("pro"), playing.wait_for("pro")];
    said.sort();
    let [program, project] = said;
    let expected = "program: `first-light` has taken over: 113 values carried over, 11 reset: `delay.time` (another default), ";
    assert!(program.starts_with(expected), "{program}");
    assert!(program.contains("; largest step 0."), "{program}");
    assert_eq!(project, "project: following the edit");
    let ended = playing.stop();
    assert!(!ended.said.iter().any(|line| line.starts_with("engine: ")), "it was not made anew: {ended:#?}");
}

#[test]
fn an_edit_that_cannot_be_played_is_refused_and_the_last_good_program_plays_on() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    std::fs::copy(fixtures::path("wat/bad-import.project.json"), place.file("dc.project.json")).unwrap();
    playing.wait_for("project: refused; the last good one plays on");
    assert_eq!(
        playing.listed(),
        "dc.project.json: program `dc` cannot be played: it imports function `js.now`; a program may import only its memory"
    );
    std::fs::write(place.file("dc.project.json"), "{").unwrap();
    playing.wait_for("project: refused; the last good one plays on");
    playing.next_clock();
    let line = playing.next_clock();
    assert!(line.contains("L  peak  -12.0 rms  -12.0 dBFS"), "{line}");
    std::fs::copy(fixtures::path("ramp/ramp.project.json"), place.file("dc.project.json")).unwrap();
    playing.wait_for("project: following the edit");
    playing.stop();
}

#[test]
fn an_edit_that_names_one_more_file_and_cannot_be_played_is_refused_once() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    let mut edited = fixtures::json("wat/bad-import.project.json");
    edited["compiledProjectConfig"]["binaryAssets"] =
        serde_json::json!([{ "url": "sample.raw", "memoryId": "main.sample" }]);
    place.write("dc.project.json", edited.to_string());
    playing.wait_for("project: refused; the last good one plays on");
    playing.a_second_passes();
    let ended = playing.stop();
    let refused = ended.said.iter().filter(|line| line.starts_with("project: refused")).count();
    assert_eq!(refused, 1, "{ended:#?}");
}
