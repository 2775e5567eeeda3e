//! The MIDI engine, on cables that a test holds the other end of.

mod programs;

use crate::support::{Session, project};
use jackfield_engines::{
    EngineFactory, ManualClock, MidiEngine, MidiMessage, MidiRecorder, MidiTraffic, NullMidi, PortChoice,
    PortMessage, PortName, VirtualMidi,
};
use jackfield_testkit::fixtures;
use programs::gates;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(10);

struct Stage {
    session: Session,
    ticking: ManualClock,
    looking: ManualClock,
    far: VirtualMidi,
    traffic: MidiTraffic,
}

impl Stage {
    fn new(cables: &[&str]) -> Self {
        let (near, far) = VirtualMidi::pair(cables);
        let (ticking, looking) = (ManualClock::new(), ManualClock::new());
        let engine =
            MidiEngine::with_clocks(Arc::new(near), Arc::new(ticking.clone()), Arc::new(looking.clone()));
        let traffic = engine.traffic();
        let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
        Self { session, ticking, looking, far, traffic }
    }

    fn ticks(&self, ticks: u64) {
        for _ in 0..ticks {
            self.ticking.advance(TICK);
        }
    }

    fn look(&self) {
        self.looking.advance(Duration::from_secs(2));
    }

    fn ports(&self) -> String {
        self.session.console.playing().borrow().as_ref().unwrap().ports.clone().unwrap()
    }
}

fn message(bytes: &[u8]) -> MidiMessage {
    MidiMessage::new(bytes).unwrap()
}

fn first(bytes: &[u8]) -> PortMessage {
    PortMessage { port: 1, message: message(bytes) }
}

/// Controllers 120 and 123 on these ports and channels.
fn reset(channels: &[(u32, u8)]) -> Vec<PortMessage> {
    let both = channels.iter().flat_map(|(port, channel)| {
        [120, 123].map(|controller| PortMessage {
            port: *port,
            message: message(&[0xb0 + channel - 1, controller, 0]),
        })
    });
    both.collect()
}

fn bytes(message: &Value) -> Vec<u8> {
    serde_json::from_value(message.clone()).unwrap()
}

fn expected(messages: &Value) -> Vec<PortMessage> {
    messages.as_array().unwrap().iter().map(|sent| first(&bytes(&sent["message"]))).collect()
}

/// Every note that was begun is ended, where it was begun, and none ends that was not.
#[track_caller]
fn no_note_hangs(sent: &[PortMessage]) {
    let sounding = sounding(sent);
    assert!(sounding.is_empty(), "notes hang: {sounding:?}");
}

/// The notes that have begun and not ended: port, channel, note, and how often.
#[track_caller]
fn sounding(sent: &[PortMessage]) -> HashMap<(u32, u8, u8), i32> {
    let mut sounding: HashMap<(u32, u8, u8), i32> = HashMap::new();
    for PortMessage { port, message } in sent {
        let (status, note) = (message.bytes()[0], message.bytes()[1]);
        let change = match status & 0xf0 {
            0x90 => 1,
            0x80 => -1,
            _ => continue,
        };
        let count = sounding.entry((*port, status & 0x0f, note)).or_default();
        *count += change;
        assert!(*count >= 0, "a note ends that does not sound: {port} {message:?}");
    }
    sounding.retain(|_, count| *count != 0);
    sounding
}

// E.3, E.4, J-27
#[tokio::test]
async fn night_bus_plays_what_its_trace_says_and_is_silent_at_the_end() {
    let stage = Stage::new(&["synth"]);
    stage.session.play(project("night-bus")).await;
    assert_eq!(stage.far.take(), reset(&[(1, 1), (1, 2)]));
    stage.ticks(500);
    let sent = stage.far.take();
    assert_eq!(sent, expected(&fixtures::expected("night-bus")["messages"]));
    stage.session.manager.close().await;
    let ends = stage.far.take();
    assert!(ends.ends_with(&reset(&[(1, 1), (1, 2)])), "{ends:?}");
    no_note_hangs(&[sent, ends].concat());
}

// E.4: what comes in is applied between two ticks
#[tokio::test]
async fn what_comes_in_is_told_before_the_next_tick() {
    let stage = Stage::new(&["synth"]);
    stage.session.play(project("night-bus")).await;
    stage.far.take();
    let with_input = &fixtures::expected("night-bus")["withInput"];
    for cycle in 1..=500 {
        for came in with_input["midiInputBeforeCycle"][cycle.to_string()].as_array().into_iter().flatten() {
            assert!(stage.far.send("synth", &bytes(came)));
        }
        stage.ticks(1);
    }
    assert_eq!(stage.far.take(), expected(&with_input["messages"]));
    stage.session.manager.close().await;
}

#[tokio::test]
async fn more_than_can_wait_for_a_tick_is_counted_and_nobody_waits() {
    let stage = Stage::new(&["synth"]);
    stage.session.play(project("night-bus")).await;
    for _ in 0..600 {
        stage.far.send("synth", &[176, 20, 1]);
    }
    assert_eq!(stage.traffic.read().lost, 88);
    stage.ticks(1);
    assert_eq!(stage.traffic.read().received, 512);
    stage.session.manager.close().await;
}

#[tokio::test]
async fn a_port_may_vanish_and_come_back_while_the_engine_plays_on() {
    let stage = Stage::new(&["synth", "drums"]);
    stage.session.play(project("night-bus")).await;
    assert_eq!(stage.ports(), "output 1 `synth`, output 2 `drums`, input 1 `synth`, input 2 `drums`");
    stage.ticks(20);
    stage.far.unplug("synth");
    stage.ticks(100);
    assert!(stage.traffic.read().unheard > 0);
    stage.look();
    assert_eq!(stage.ports(), "output 2 `drums`, input 2 `drums`");
    stage.ticks(100);
    stage.far.plug("synth");
    stage.far.take();
    stage.look();
    assert_eq!(stage.ports(), "output 1 `synth`, output 2 `drums`, input 1 `synth`, input 2 `drums`");
    stage.far.send("synth", &[176, 20, 92]);
    stage.ticks(100);
    assert_eq!(stage.traffic.read().received, 1);
    let sent = stage.far.take();
    assert!(sent.len() > 10 && sent.iter().all(|sent| sent.port == 1), "{sent:?}");
    assert_eq!(stage.session.console.playing().borrow().as_ref().unwrap().fault, None);
    stage.session.manager.close().await;
}

#[tokio::test]
async fn another_choice_of_ports_is_followed_while_it_plays_and_no_note_hangs() {
    let (near, far) = VirtualMidi::pair(&["synth", "drums"]);
    let (ticking, looking) = (ManualClock::new(), ManualClock::new());
    let chosen = Arc::new(Mutex::new(PortChoice::These(vec![PortName::Named("Drum".to_owned())])));
    let engine =
        MidiEngine::with_clocks(Arc::new(near), Arc::new(ticking.clone()), Arc::new(looking.clone()))
            .with_outputs({
                let chosen = Arc::clone(&chosen);
                move || chosen.lock().unwrap().clone()
            })
            .with_inputs(|| PortChoice::These(Vec::new()));
    let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
    session.play(project("night-bus")).await;
    let ports = || session.console.playing().borrow().as_ref().unwrap().ports.clone().unwrap();
    assert_eq!(ports(), "output 1 `drums`");
    ticking.advance(TICK);
    ticking.advance(TICK);
    *chosen.lock().unwrap() = PortChoice::These(vec![PortName::Number(1)]);
    looking.advance(Duration::from_secs(2));
    assert_eq!(ports(), "output 1 `synth`");
    ticking.advance(TICK);
    let drums = far.take();
    assert!(drums.iter().all(|sent| sent.port == 2), "{drums:?}");
    assert!(drums.iter().any(|sent| sent.message.bytes()[0] == 0x90), "a note sounded: {drums:?}");
    no_note_hangs(&drums);
    for _ in 0..50 {
        ticking.advance(TICK);
    }
    let synth = far.take();
    assert!(synth.len() > 5 && synth.iter().all(|sent| sent.port == 1), "{synth:?}");
    session.manager.close().await;
}

#[tokio::test]
async fn without_any_port_it_plays_to_nobody_in_time() {
    let stage = Stage::new(&[]);
    stage.session.play(project("night-bus")).await;
    assert_eq!(stage.ports(), "null port, for want of any other");
    stage.ticks(50);
    assert_eq!(stage.session.console.load().read().blocks, 50);
    assert!(stage.traffic.read().unheard > 0);
    stage.session.manager.close().await;
}

// J-25, J-27
#[tokio::test]
async fn when_the_program_breaks_every_note_ends_at_once() {
    let stage = Stage::new(&["one", "two", "three"]);
    stage.session.play(gates(7, 41)).await;
    stage.far.take();
    stage.ticks(40);
    let mut sent = stage.far.take();
    stage.ticks(1);
    stage.session.fault().await;
    sent.extend(stage.far.take());
    no_note_hangs(&sent);
    stage.session.manager.close().await;
    assert_eq!(stage.far.take(), [], "all was ended already");
}

// J-27
#[tokio::test]
async fn notes_of_modules_that_an_edit_takes_away_end_with_the_tick_that_takes_it_up() {
    let stage = Stage::new(&["one", "two", "three"]);
    stage.session.play(gates(3, 0)).await;
    let mut before = Vec::new();
    while sounding(&before).is_empty() {
        stage.ticks(1);
        before.extend(stage.far.take());
    }
    stage.session.play(programs::held("midinoteoutOther", 60)).await;
    stage.ticks(1);
    let after = stage.far.take();
    let sounding = sounding(&[before, after].concat());
    assert_eq!(sounding.into_iter().collect::<Vec<_>>(), [((1, 0, 60), 1)]);
    stage.session.manager.close().await;
}

// J-24, J-27
#[tokio::test]
async fn a_note_goes_on_through_an_edit_and_ends_with_its_gate() {
    let stage = Stage::new(&["synth"]);
    stage.session.play(programs::held("midinoteout1", 60)).await;
    stage.ticks(3);
    stage.far.take();
    stage.session.play(programs::held("midinoteout1", 64)).await;
    stage.ticks(3);
    assert_eq!(stage.far.take(), [], "the note is held, and nothing begins anew");
    stage.session.console.knobs().set("midinoteout1.hold", 0.0).unwrap();
    stage.ticks(1);
    assert_eq!(stage.far.take(), [first(&[0x80, 60, 127])]);
    stage.session.console.knobs().set("midinoteout1.hold", 1.0).unwrap();
    stage.ticks(1);
    assert_eq!(stage.far.take(), [first(&[0x90, 64, 127])], "the edit is heard from the next note on");
    stage.session.manager.close().await;
}

// J-24
#[tokio::test]
async fn an_edit_that_listens_for_the_first_time_makes_a_new_start() {
    let stage = Stage::new(&["others", "keys"]);
    stage.session.play(programs::held("midinoteout1", 60)).await;
    stage.ticks(1);
    assert_eq!(stage.ports(), "output 1 `others`, output 2 `keys`");
    stage.session.play(programs::echo()).await;
    stage.far.take();
    assert_eq!(stage.ports(), "output 1 `others`, output 2 `keys`, input 1 `others`, input 2 `keys`");
    stage.far.send("keys", &[0x93, 62, 100]);
    stage.ticks(1);
    assert_eq!(stage.far.take(), [first(&[0x90, 62, 100])]);
    stage.session.manager.close().await;
}

// J-29, E.4: new-abi binds port 0 to `onKey`
#[tokio::test]
async fn a_program_of_the_newest_generation_is_called_with_what_comes_in() {
    let stage = Stage::new(&["keys", "others"]);
    let mut project = jackfield_engines::Project::load(fixtures::path("new-abi/new-abi.wasm")).unwrap();
    // Written for the audio engine; the handler is the project's own.
    project.config.runtime_settings.push(jackfield_engines::EngineSettings {
        runtime: "midi".to_owned(),
        settings: serde_json::Map::new(),
    });
    project.config.selected_runtime = 1;
    stage.session.play(Arc::new(project)).await;
    stage.far.send("others", &[0x90, 62, 100]);
    stage.ticks(2);
    assert_eq!(stage.traffic.read().received, 1);
    stage.far.send("keys", &[0x90, 62, 100]);
    stage.ticks(2);
    assert_eq!(stage.traffic.read().received, 2);
    assert_eq!(stage.session.console.playing().borrow().as_ref().unwrap().fault, None);
    stage.session.manager.close().await;
}

// E.4: called with status and data, missing bytes 0
#[tokio::test]
async fn a_handler_is_called_between_ticks_with_three_numbers() {
    let stage = Stage::new(&["others", "keys"]);
    stage.session.play(programs::echo()).await;
    stage.far.take();
    stage.far.send("keys", &[0x93, 62, 100]);
    stage.far.send("others", &[0x93, 63, 100]);
    stage.ticks(1);
    assert_eq!(stage.far.take(), [first(&[0x90, 62, 100])]);
    stage.far.send("keys", &[0x83, 62, 0]);
    stage.ticks(1);
    assert_eq!(stage.far.take(), [first(&[0x80, 62, 0])]);
    stage.far.send("keys", &[0xc3, 5]);
    stage.ticks(1);
    assert_eq!(stage.far.take(), [first(&[0x90, 5, 0])]);
    stage.session.manager.close().await;
}

/// A standard MIDI file, read back: ticks of a millisecond, port and bytes of each message, in order of time.
fn parse(file: &[u8]) -> Vec<(u64, u32, Vec<u8>)> {
    let number = |bytes: &[u8]| bytes.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
    assert_eq!(&file[..8], b"MThd\0\0\0\x06");
    let (format, tracks, division) = (number(&file[8..10]), number(&file[10..12]), number(&file[12..14]));
    assert_eq!((format, division), (1, 500));
    let (mut rest, mut found, mut tempo) = (&file[14..], Vec::new(), None);
    for _ in 0..tracks {
        assert_eq!(&rest[..4], b"MTrk");
        let length = number(&rest[4..8]);
        let (mut track, after) = rest[8..].split_at(length);
        let (mut time, mut port, mut ended) = (0, 0, false);
        while !track.is_empty() {
            assert!(!ended, "something after the end of the track");
            let mut delta = 0;
            loop {
                let byte = track[0];
                track = &track[1..];
                delta = delta << 7 | u64::from(byte & 0x7f);
                if byte < 0x80 {
                    break;
                }
            }
            time += delta;
            let length = match track[0] {
                0xff => {
                    let (kind, data) = (track[1], &track[3..3 + usize::from(track[2])]);
                    match kind {
                        0x21 => port = u32::from(data[0]) + 1,
                        0x51 => tempo = Some(number(data)),
                        0x2f => ended = true,
                        _ => {}
                    }
                    3 + data.len()
                }
                0xc0..=0xdf => 2,
                0x80..=0xef => 3,
                other => panic!("no message begins with {other:x}"),
            };
            if track[0] != 0xff {
                found.push((time, port, track[..length].to_vec()));
            }
            track = &track[length..];
        }
        assert!(ended, "the track has no end");
        rest = after;
    }
    assert!(rest.is_empty());
    // 500 ticks in half a second.
    assert_eq!(tempo, Some(500_000));
    found.sort_by_key(|(time, port, _)| (*time, *port));
    found
}

#[tokio::test]
async fn what_is_sent_is_in_the_file_at_its_time_whether_or_not_there_is_a_port() {
    let folder = tempfile::tempdir().unwrap();
    let (ticking, looking) = (ManualClock::new(), ManualClock::new());
    let recorder = MidiRecorder::new(folder.path().join("bus.mid"), Arc::new(ticking.clone()));
    let engine = MidiEngine::with_clocks(Arc::new(NullMidi), Arc::new(ticking.clone()), Arc::new(looking));
    let session = Session::new([Arc::new(engine.with_recorder(recorder.clone())) as Arc<dyn EngineFactory>]);
    session.play(project("night-bus")).await;
    for _ in 0..500 {
        ticking.advance(TICK);
    }
    session.manager.close().await;

    let found = parse(&std::fs::read(recorder.path()).unwrap());
    assert_eq!(found.len() as u64, recorder.messages());
    let resets =
        |messages: &[(u64, u32, Vec<u8>)]| messages.iter().map(|(.., bytes)| bytes[1]).collect::<Vec<_>>();
    assert_eq!(resets(&found[..4]), [120, 123, 120, 123]);
    let expected = fixtures::expected("night-bus")["messages"].take();
    let expected = expected.as_array().unwrap();
    for (sent, found) in expected.iter().zip(&found[4..]) {
        // A hundred ticks a second: the first after ten milliseconds.
        assert_eq!(*found, (sent["cycle"].as_u64().unwrap() * 10, 1, bytes(&sent["message"])));
    }
    let ends = &found[4 + expected.len()..];
    assert!(ends.iter().all(|(time, ..)| *time == 5_000), "{ends:?}");
    let all: Vec<_> =
        found.iter().map(|(_, port, bytes)| PortMessage { port: *port, message: message(bytes) }).collect();
    no_note_hangs(&all);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    // J-27
    #[test]
    fn whatever_gates_and_edits_do_no_note_hangs_when_the_engine_has_stopped(
        lives in prop::collection::vec((any::<i32>(), 1u64..40, 0i32..80), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stage = Stage::new(&["one", "two", "three"]);
            for (seed, ticks, breaks) in lives {
                stage.session.play(gates(seed, breaks)).await;
                stage.ticks(ticks);
            }
            stage.session.manager.close().await;
            no_note_hangs(&stage.far.take());
        });
    }
}
