//! `jackfield run` says what it does, and stops when it is told to.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{Ended, Place, Playing, is_clock};

const SECOND: Duration = Duration::from_secs(1);

/// How long it takes when the machine is not busy with something else.
fn quickest(times: u32, mut once: impl FnMut() -> Duration) -> Duration {
    (0..times).map(|_| once()).min().unwrap()
}

#[track_caller]
fn check_banner(fixture: &str, arguments: &[&str], banner: [&str; 4]) -> Ended {
    let place = Place::with(fixture);
    let project = format!("{fixture}.project.json");
    let ended = Playing::start(&place, &[&[project.as_str(), "--for", "10ms"], arguments].concat()).wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:#?}");
    assert_eq!(ended.said[..4], banner);
    ended
}

#[test]
fn it_says_what_plays_through_what_with_which_plugins_and_where_the_settings_are() {
    check_banner(
        "first-light",
        &[],
        [
            "playing    first-light",
            "engine     audio on null device, keeping time, 48000 Hz",
            "plugins    engine-audio, engine-midi, engine-worker, engine-main, engine-manager, project, keys, knobs, meter   (off: \
             recorder)",
            "settings   jackfield.toml   (edit it while it plays; Ctrl-C stops)",
        ],
    );
}

#[test]
fn a_timer_program_says_how_often_it_ticks() {
    let plugins = "plugins    engine-audio, engine-midi, engine-worker, engine-main, engine-manager, project, keys, knobs, meter   (off: recorder)";
    let settings = "settings   jackfield.toml   (edit it while it plays; Ctrl-C stops)";
    check_banner(
        "tally",
        &[],
        ["playing    tally", "engine     worker, 50 ticks a second", plugins, settings],
    );
    check_banner(
        "tally",
        &["--engine", "main"],
        ["playing    tally", "engine     main, 50 ticks a second", plugins, settings],
    );
}

#[test]
fn a_midi_program_says_on_which_ports_it_plays() {
    let place = Place::with("night-bus");
    let ended = Playing::start(&place, &["night-bus.project.json", "--for", "10ms"]).wait();
    assert_eq!(ended.said[1], "engine     midi on null port, for want of any other, 100 ticks a second");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:#?}");
}

// J-27
#[test]
fn what_a_midi_program_sends_is_in_the_file_and_no_note_hangs_at_the_end() {
    let place = Place::with("night-bus");
    let arguments = ["night-bus.project.json", "--midi-file", "bus.mid"];
    let mut playing = Playing::start(&place, &arguments);
    playing.a_second_passes();
    let ended = playing.stop();
    let file = fs::read(place.file("bus.mid")).unwrap();
    assert!(file.starts_with(b"MThd"), "{file:?}");
    // One track besides that of the tempo, since all goes to one port: deltas of a millisecond, of one or two bytes.
    let notes = |kind: u8| {
        let message = |bytes: &&[u8]| bytes[0] & 0xf0 == kind && bytes[1] < 0x80 && bytes[2] < 0x80;
        file.windows(3).filter(message).count()
    };
    assert!(notes(0x90) > 2, "{file:?}");
    assert_eq!(notes(0x90), notes(0x80), "{file:?}");
    let said = ended.said.last().unwrap();
    assert!(said.starts_with("midi: wrote bus.mid, ") && said.ends_with(" messages"), "{ended:#?}");
}

#[test]
fn a_midi_file_that_cannot_be_written_is_told_before_anything_plays() {
    let place = Place::with("night-bus");
    let done = place.run(&["run", "--silent", "night-bus.project.json", "--midi-file", "gone/bus.mid"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.starts_with("jackfield: gone/bus.mid: cannot be written: "), "{done:?}");
    assert_eq!(done.stdout, "");
}

#[test]
fn an_engine_that_is_not_there_is_told_from_the_start() {
    let place = Place::with("dc");
    let ended = Playing::start(&place, &["dc.project.json", "--engine", "pipes", "--for", "10ms"]).wait();
    assert_eq!(
        ended.said[1],
        "engine     worker, 50 ticks a second   (the default: there is no engine `pipes`)"
    );
    place.edit("[plugins.engine-audio]\nenabled = false\n");
    let ended = Playing::start(&place, &["dc.project.json", "--for", "10ms"]).wait();
    assert_eq!(
        ended.said[1..3],
        [
            "engine     worker, 50 ticks a second   (the default: there is no engine `AudioWorkletRuntime`)",
            "plugins    engine-midi, engine-worker, engine-main, engine-manager, project, keys, knobs, meter   (off: engine-audio, \
             recorder)",
        ]
    );
}

#[test]
fn without_a_project_it_plays_the_demonstration_that_it_has_with_it() {
    let place = Place::new();
    let playing = Playing::start(&place, &["--for", "10ms"]);
    let ended = playing.wait();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.said[0], "playing    first-light");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_directory_stands_for_the_project_in_it() {
    let place = Place::with("dc");
    place.edit("[plugins.meter]\nenabled = false\n");
    let ended = Playing::start(&place, &[".", "--for", "10ms"]).wait();
    assert_eq!(ended.said[0], "playing    dc");
    assert!(ended.said[2].ends_with("(off: meter, recorder)"), "{ended:#?}");
}

#[test]
fn it_plays_within_a_second_of_starting() {
    let place = Place::with("first-light");
    let took = quickest(3, || {
        let started = Instant::now();
        let playing = Playing::start(&place, &["first-light.project.json"]);
        let took = started.elapsed();
        playing.stop();
        took
    });
    assert!(took < SECOND, "{took:?}");
}

#[test]
fn it_stops_by_itself_when_its_time_is_over() {
    let place = Place::with("dc");
    let started = Instant::now();
    let ended = Playing::start(&place, &["dc.project.json", "--for", "1s"]).wait();
    assert!(started.elapsed() >= SECOND);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:#?}");
}

#[track_caller]
fn check_signal(signal: &str) {
    let place = Place::with("first-light");
    place.edit("[plugins.recorder]\nenabled = true\n");
    let took = quickest(3, || {
        let ended = Playing::start(&place, &["first-light.project.json"]).signal(signal);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:#?}");
        ended.took
    });
    assert!(took < SECOND, "{took:?}");
}

#[test]
fn an_interrupt_stops_it_in_under_a_second() {
    check_signal("INT");
}

#[test]
fn a_request_to_terminate_stops_it_in_under_a_second() {
    check_signal("TERM");
}

#[test]
fn a_timer_program_stops_as_quickly() {
    let place = Place::with("tally");
    let took = quickest(3, || Playing::start(&place, &["tally.project.json"]).stop().took);
    assert!(took < SECOND, "{took:?}");
}

#[test]
fn a_pipe_gets_a_plain_line_every_second() {
    let place = Place::with("dc");
    let ended = Playing::start(&place, &["dc.project.json", "--for", "2.5s"]).wait();
    assert!(!ended.said.iter().any(|line| line.contains(['\r', '\x1b'])), "{ended:#?}");
    let lines: Vec<_> = ended.said.iter().filter(|line| is_clock(line)).collect();
    assert_eq!(lines.len(), 2, "{ended:#?}");
    for (line, second) in lines.iter().zip(["00:01.", "00:02."]) {
        assert!(line.starts_with(second), "{line}");
        let (levels, load) = line[7..].split_once("   load ").unwrap();
        assert_eq!(levels, "   L  peak  -12.0 rms  -12.0 dBFS   R  peak  -12.0 rms  -12.0 dBFS");
        let load = load.strip_suffix(" %").unwrap().trim().parse::<f64>().unwrap();
        assert!((0.0..100.0).contains(&load), "{line}");
    }
}
