//! Engines come and go while the project plays.

use crate::support::{Place, Playing};

const FALLEN_BACK: &str =
    "engine: worker, 50 ticks a second   (the default: there is no engine `AudioWorkletRuntime`)";
const AUDIO: &str = "engine: audio on null device, keeping time, 48000 Hz";

#[test]
fn without_the_audio_engine_the_default_takes_over_and_says_so() {
    let place = Place::with("first-light");
    let mut playing = Playing::start(&place, &["first-light.project.json"]);
    place.edit("[plugins.engine-audio]\nenabled = false\n");
    assert_eq!(playing.wait_for("engine: "), FALLEN_BACK);
    playing.follows(&["- engine-audio   (settings)   engine.audio: engine-audio → nobody"]);
    playing.next_clock();
    playing.next_clock();
    let line = playing.next_clock();
    assert!(!line.contains("peak") && !line.contains("load"), "nothing is heard of a timer: {line}");

    place.edit("[plugins.engine-audio]\nenabled = true\n");
    assert_eq!(playing.wait_for("engine: "), AUDIO);
    playing.follows(&["+ engine-audio   (settings)   engine.audio: nobody → engine-audio"]);
    playing.next_clock();
    let line = playing.next_clock();
    assert!(line.contains("peak") && !line.contains("-inf") && line.contains("load"), "{line}");
    playing.stop();
}

#[test]
fn a_closed_slot_is_an_engine_that_is_not_there() {
    let place = Place::with("dc");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit("[services.\"engine-audio:engine.audio\"]\nenabled = false\n");
    assert_eq!(playing.wait_for("engine: "), FALLEN_BACK);
    playing.follows(&["~ engine.audio   (settings)   engine-audio → nobody"]);
    playing.stop();
}

#[test]
fn another_default_can_be_named() {
    let place = Place::with("tally");
    let mut playing = Playing::start(&place, &["tally.project.json"]);
    place.edit(
        "[plugins.engine-worker]\nenabled = false\n[plugins.engine-manager.config]\ndefault = \"main\"\n",
    );
    let line = playing.wait_for("engine: ");
    assert_eq!(
        line,
        "engine: main, 50 ticks a second   (the default: there is no engine `WebWorkerLogicRuntime`)"
    );
    playing.follows(&[
        "- engine-worker    (settings)   engine.worker: engine-worker → nobody",
        "~ engine-manager   (settings)   default: default → \"main\"",
    ]);
    playing.stop();
}

#[test]
fn the_last_engine_of_all_cannot_be_switched_off() {
    let place = Place::with("tally");
    let mut playing = Playing::start(&place, &["tally.project.json"]);
    place.edit("[plugins.engine-worker]\nenabled = false\n");
    playing.refuses(&[
        "plugin `engine-manager`: there is no engine `WebWorkerLogicRuntime`, and no default engine `worker` either",
    ]);
    place.edit("[plugins.meter]\nenabled = false\n");
    playing.follows(&["- meter   (settings)"]);
    playing.stop();
}

#[test]
fn the_engine_can_be_chosen_in_the_settings() {
    let place = Place::with("tally");
    let mut playing = Playing::start(&place, &["tally.project.json"]);
    place.edit("[plugins.project.config]\nengine = \"main\"\n");
    assert_eq!(playing.wait_for("engine: "), "engine: main, 50 ticks a second");
    playing.follows(&["~ project   (settings)   engine: default → \"main\""]);
    playing.stop();
}

#[test]
fn a_program_that_breaks_is_told_once_and_the_host_plays_on() {
    let place = Place::with("trap-later");
    let mut playing = Playing::start(&place, &["trap-later.project.json"]);
    playing.wait_for("a float that is not a number or out of range was made an integer");
    place.edit("[plugins.meter]\nenabled = false\n");
    playing.follows(&["- meter   (settings)"]);
    let ended = playing.stop();
    assert_eq!(ended.said.iter().filter(|line| line.contains("broke")).count(), 1, "{ended:#?}");
}

#[test]
fn the_ports_of_a_midi_program_are_chosen_in_the_settings() {
    let place = Place::with("night-bus");
    let mut playing = Playing::start(&place, &["night-bus.project.json"]);
    place.edit("[plugins.engine-midi.config]\noutputs = [\"synth\", 2]\n");
    playing.follows(&["~ engine-midi   (settings)   outputs: default → [\"synth\",2]"]);
    place.edit("[plugins.engine-midi.config]\noutputs = [1.5]\n");
    playing.wait_for("settings: refused; the last good ones stay in force");
    playing.stop();
}

#[test]
fn without_the_midi_engine_the_default_takes_over_and_says_so() {
    let place = Place::with("night-bus");
    let mut playing = Playing::start(&place, &["night-bus.project.json"]);
    place.edit("[plugins.engine-midi]\nenabled = false\n");
    assert_eq!(
        playing.wait_for("engine: "),
        "engine: worker, 100 ticks a second   (the default: there is no engine `WebWorkerMIDIRuntime`)"
    );
    playing.follows(&["- engine-midi   (settings)   engine.midi: engine-midi → nobody"]);
    place.edit("[plugins.engine-midi]\nenabled = true\n");
    assert_eq!(
        playing.wait_for("engine: "),
        "engine: midi on null port, for want of any other, 100 ticks a second"
    );
    playing.follows(&["+ engine-midi   (settings)   engine.midi: nobody → engine-midi"]);
    playing.stop();
}
