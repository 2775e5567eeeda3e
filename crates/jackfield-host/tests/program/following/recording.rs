//! The recorder and the knobs: what is written is what was heard.

use std::time::Instant;

use crate::support::{Place, Playing, Wav};

const ON: &str = "[plugins.recorder]\nenabled = true\n";
const OFF: &str = "[plugins.recorder]\nenabled = false\n";

#[track_caller]
fn switch_on(place: &Place, playing: &mut Playing) -> String {
    place.edit(ON);
    let line = playing.wait_for("recorder: recording to ");
    playing.follows(&["+ recorder   (settings)   recorder.take: nobody → recorder"]);
    line
}

#[track_caller]
fn switch_off(place: &Place, playing: &mut Playing) -> String {
    place.edit(OFF);
    let line = playing.wait_for("recorder: wrote ");
    playing.follows(&["- recorder   (settings)   recorder.take: recorder → nobody"]);
    line
}

#[test]
fn a_take_is_what_was_heard_without_a_gap() {
    let place = Place::with("ramp");
    let mut playing = Playing::start(&place, &["ramp.project.json"]);
    let started = Instant::now();
    assert_eq!(switch_on(&place, &mut playing), "recorder: recording to take.wav");
    assert!(place.file("take.wav").exists());
    playing.a_second_passes();
    let line = switch_off(&place, &mut playing);
    let longest = started.elapsed().as_secs_f64();

    let take = Wav::read(&place.file("take.wav"));
    let seconds = take.frames() as f64 / 48_000.0;
    assert_eq!(line, format!("recorder: wrote take.wav, {seconds:.1} s"));
    assert!((0.5..longest + 0.2).contains(&seconds), "{seconds} s, within {longest} s");
    // The ramp counts its frames, so a take says itself where it begins.
    let first = (take.channels[0][0] * 65_536.0) as usize;
    let [left, right] = &take.channels[..] else { panic!("two channels") };
    for (n, (left, right)) in left.iter().zip(right).enumerate() {
        assert_eq!(*left, ((first + n) % 65_536) as f32 / 65_536.0, "frame {n}");
        assert_eq!(*right, ((first + n) % 128) as f32 / 128.0, "frame {n}");
    }
    playing.stop();
}

#[test]
fn a_take_of_the_demonstration_is_a_part_of_its_rendering() {
    let place = Place::with("first-light");
    let mut playing = Playing::start(&place, &["first-light.project.json"]);
    switch_on(&place, &mut playing);
    playing.next_clock();
    switch_off(&place, &mut playing);
    playing.stop();
    place.run(&["render", "first-light.project.json", "--seconds", "60", "--out", "song.wav"]).good();

    let (take, song) = (Wav::read(&place.file("take.wav")), Wav::read(&place.file("song.wav")));
    assert!(take.peak() > 0.01 && take.peak() < 1.0, "{}", take.peak());
    let length = take.frames().min(song.frames());
    let found = song.channels[0]
        .windows(length)
        .position(|part| part == &take.channels[0][..length])
        .expect("the take is nowhere in the song");
    assert!(song.channels[1][found..found + length] == take.channels[1][..length]);
}

#[test]
fn a_host_that_stops_completes_the_file() {
    for signal in ["INT", "TERM"] {
        let place = Place::with("first-light");
        let mut playing = Playing::start(&place, &["first-light.project.json"]);
        switch_on(&place, &mut playing);
        playing.next_clock();
        let ended = playing.signal(signal);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:#?}");
        assert!(ended.said.last().unwrap().starts_with("recorder: wrote take.wav, "), "{ended:#?}");
        let take = Wav::read(&place.file("take.wav"));
        assert!(take.frames() > 1_000 && take.peak() > 0.01);
    }
}

#[test]
fn a_recorder_that_is_on_from_the_start_records_from_the_start() {
    let place = Place::with("dc");
    place.edit(ON);
    let playing = Playing::start(&place, &["dc.project.json", "--for", "0.5s"]);
    let ended = playing.wait();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let take = Wav::read(&place.file("take.wav"));
    assert!(take.frames() > 4_800, "{}", take.frames());
    assert!(take.channels[0].iter().all(|sample| *sample == 0.25));
    assert!(take.channels[1].iter().all(|sample| *sample == -0.25));
}

#[test]
fn a_second_take_gets_a_file_of_its_own() {
    let place = Place::with("dc");
    place.write("take.wav", "somebody's treasure");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    assert_eq!(switch_on(&place, &mut playing), "recorder: recording to take-2.wav");
    switch_off(&place, &mut playing);
    let second = std::fs::read(place.file("take-2.wav")).unwrap();
    assert_eq!(switch_on(&place, &mut playing), "recorder: recording to take-3.wav");
    playing.next_clock();
    playing.stop();
    assert_eq!(std::fs::read_to_string(place.file("take.wav")).unwrap(), "somebody's treasure");
    assert!(std::fs::read(place.file("take-2.wav")).unwrap() == second);
    assert!(Wav::read(&place.file("take-3.wav")).frames() > 0);
}

#[test]
fn another_path_is_the_next_take() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    switch_on(&place, &mut playing);
    place.edit("[plugins.recorder]\nenabled = true\nconfig.path = \"other.wav\"\n");
    assert_eq!(playing.wait_for("recorder: "), "recorder: recording to other.wav");
    assert!(playing.wait_for("recorder: ").starts_with("recorder: wrote take.wav, "));
    playing.follows(&["~ recorder   (settings)   path: default → \"other.wav\""]);
    playing.next_clock();
    playing.stop();
    assert!(Wav::read(&place.file("take.wav")).frames() > 0);
    assert!(Wav::read(&place.file("other.wav")).frames() > 0);
}

#[test]
fn a_path_that_cannot_be_written_is_refused_and_the_take_goes_on() {
    let place = Place::with("ramp");
    let mut playing = Playing::start(&place, &["ramp.project.json"]);
    switch_on(&place, &mut playing);
    place.edit("[plugins.recorder]\nenabled = true\nconfig.path = \"ramp.project.json/take.wav\"\n");
    playing.wait_for("settings: refused");
    let line = playing.listed();
    let expected =
        "jackfield.toml:3:8: plugins.recorder.config.path: ramp.project.json/take.wav: cannot be written: ";
    assert!(line.starts_with(expected), "{line}");
    assert!(line.ends_with("; choose another path, or mend its permissions"), "{line}");
    playing.next_clock();
    playing.stop();
    let left = Wav::read(&place.file("take.wav")).channels.remove(0);
    let step = 1.0 / 65_536.0;
    assert!(left.windows(2).all(|pair| pair[1] - pair[0] == step || (pair[0], pair[1]) == (1.0 - step, 0.0)));
}

#[test]
fn a_knob_is_heard_from_one_sample_to_the_next() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    switch_on(&place, &mut playing);
    place.edit(&format!(
        "{ON}[plugins.knobs.config]\n\"speakers.leftLevel\" = 0.5\n\"speakers.rightLevel\" = 0\n"
    ));
    playing.follows(&[
        "~ knobs   (settings)   \"speakers.leftLevel\": default → 0.5",
        "~ knobs   (settings)   \"speakers.rightLevel\": default → 0",
    ]);
    playing.next_clock();
    playing.stop();

    let take = Wav::read(&place.file("take.wav"));
    let turned = take.channels[0].iter().position(|sample| *sample == 0.5).expect("it was turned");
    assert!(turned > 0);
    for (channel, before, after) in [(0, 0.25, 0.5), (1, -0.25, 0.0)] {
        assert!(take.channels[channel][..turned].iter().all(|sample| *sample == before));
        assert!(take.channels[channel][turned..].iter().all(|sample| *sample == after));
    }
}

#[test]
fn a_knob_that_is_taken_out_goes_back_to_its_default() {
    let place = Place::with("dc");
    let knob = "[plugins.knobs.config]\n\"speakers.leftLevel\" = 0.5\n";
    place.edit(knob);
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit(&format!("{knob}{ON}"));
    playing.follows(&["+ recorder   (settings)   recorder.take: nobody → recorder"]);
    place.edit(ON);
    playing.follows(&["~ knobs   (settings)   \"speakers.leftLevel\": 0.5 → default"]);
    playing.next_clock();
    playing.stop();
    let left = Wav::read(&place.file("take.wav")).channels.remove(0);
    let back = left.iter().position(|sample| *sample == 0.25).expect("it went back");
    assert!(left[..back].iter().all(|sample| *sample == 0.5));
    assert!(left[back..].iter().all(|sample| *sample == 0.25));
}

/// The level glides, so what is left of it soon is smaller than any ear or machine can hear, but not nothing.
#[test]
fn with_its_level_at_zero_the_demonstration_falls_silent() {
    let place = Place::with("first-light");
    let mut playing = Playing::start(&place, &["first-light.project.json"]);
    switch_on(&place, &mut playing);
    playing.next_clock();
    switch_off(&place, &mut playing);
    place.edit("[plugins.knobs.config]\n\"mix.level\" = 0\n");
    playing.follows(&["~ knobs   (settings)   \"mix.level\": default → 0"]);
    playing.a_second_passes();
    place.edit(&format!("{ON}[plugins.knobs.config]\n\"mix.level\" = 0\n"));
    playing.wait_for("recorder: recording to take-2.wav");
    playing.follows(&["+ recorder   (settings)   recorder.take: nobody → recorder"]);
    playing.next_clock();
    playing.stop();
    assert!(Wav::read(&place.file("take.wav")).peak() > 0.01);
    let silent = Wav::read(&place.file("take-2.wav"));
    assert!(silent.frames() > 1_000 && silent.peak() < 1e-30, "{}", silent.peak());
}
