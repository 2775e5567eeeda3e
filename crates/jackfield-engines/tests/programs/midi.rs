//! MIDI programs: what they send, and what they hear.

use std::collections::BTreeMap;

use jackfield_engines::{
    EngineSettings, Instance, MemoryMap, MidiMapper, MidiMessage, MidiSettings, PortMessage, Project, Trace,
    TracedMessage, trace_midi,
};
use jackfield_testkit::fixtures;
use jackfield_testkit::realtime;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{check_memory, check_scalars, from_init, from_wat_with, loose, project, settings};

fn mapper(project: &Project, instance: &Instance) -> MidiMapper {
    let settings = MidiSettings::read(project.config.selected().unwrap()).unwrap();
    MidiMapper::for_program(&settings, instance.program(), instance.memory()).0
}

fn message(bytes: &Value) -> MidiMessage {
    let bytes: Vec<u8> = serde_json::from_value(bytes.clone()).unwrap();
    MidiMessage::new(&bytes).unwrap()
}

/// What a fixture's program sends. J-27: where upstream forgets the port, it is the first.
fn expected_messages(messages: &Value) -> Vec<TracedMessage> {
    let messages = messages.as_array().unwrap().iter().map(|sent| TracedMessage {
        cycle: sent["cycle"].as_u64().unwrap(),
        sent: PortMessage {
            port: sent.get("port").map_or(1, |port| u32::try_from(port.as_u64().unwrap()).unwrap()),
            message: message(&sent["message"]),
        },
    });
    messages.collect()
}

/// `midiInputBeforeCycle`, all of it from the first port.
fn input(before_cycle: &Value) -> BTreeMap<u64, Vec<PortMessage>> {
    let input = before_cycle.as_object().unwrap().iter().map(|(cycle, messages)| {
        let messages = messages.as_array().unwrap().iter();
        (
            cycle.parse().unwrap(),
            messages.map(|bytes| PortMessage { port: 1, message: message(bytes) }).collect(),
        )
    });
    input.collect()
}

/// Runs up to and including `cycle`, if the run is not yet there.
struct Run {
    instance: Instance,
    mapper: MidiMapper,
    input: BTreeMap<u64, Vec<PortMessage>>,
    cycle: u64,
    messages: Vec<TracedMessage>,
}

impl Run {
    fn new(project: &Project, input: BTreeMap<u64, Vec<PortMessage>>) -> Self {
        let instance = from_init(project);
        let mapper = mapper(project, &instance);
        Self { instance, mapper, input, cycle: 0, messages: Vec::new() }
    }

    fn to(&mut self, cycle: u64) {
        let Self { instance, mapper, input, cycle: from, messages } = self;
        let before = |cycle: u64| input.get(&(*from + cycle)).map_or(&[][..], Vec::as_slice);
        let Trace { traps: 0, messages: sent, .. } = trace_midi(instance, cycle - *from, mapper, before)
        else {
            panic!("it never traps");
        };
        messages.extend(sent.into_iter().map(|sent| TracedMessage { cycle: *from + sent.cycle, ..sent }));
        *from = cycle;
    }
}

// E.3, E.4
#[test]
fn night_bus_sends_what_upstream_sends() {
    let project = project("night-bus");
    let expected = fixtures::expected("night-bus");
    for (expected, input) in [
        (&expected, BTreeMap::new()),
        (&expected["withInput"], input(&expected["withInput"]["midiInputBeforeCycle"])),
    ] {
        let mut run = Run::new(&project, input);
        let bytes = &fixtures::expected("night-bus")["memoryAfterInit"]["bytes"];
        for cycle in [1, 10, 100, 500] {
            run.to(cycle);
            if let Some(after) = expected["after"].get(cycle.to_string()) {
                check_memory(&project.map, run.instance.memory(), bytes, after);
            }
        }
        assert_eq!(run.messages, expected_messages(&expected["messages"]));
    }
}

// E.3, E.4: ranges, pointers, defaults; J-27: keys do not collide
#[test]
fn controllers_notes_and_what_is_filtered_follow_the_log() {
    let project = loose("extras/midiCcAndFilters.wasm");
    let expected = fixtures::json("extras/midiCcAndFilters.expected.json");
    let mut run = Run::new(&project, input(&expected["midiInputBeforeCycle"]));
    for (cycle, scalars) in expected["scalars"].as_object().unwrap() {
        run.to(cycle.parse().unwrap());
        let mut scalars = scalars.clone();
        if run.cycle >= 9 {
            // Upstream writes controller 17 of channel 1 to the module that waits for controller 7 of channel 11.
            scalars["midiccin2.value"]["v"] = 33.into();
            scalars["midiccin3.value"]["v"] = 55.into();
        }
        check_scalars(&project.map, run.instance.memory(), &scalars);
    }
    assert_eq!(run.cycle, expected["cycles"].as_u64().unwrap());
    assert_eq!(run.messages, expected_messages(&expected["messages"]));
}

/// A memory of words, and where its names are.
struct Words {
    map: MemoryMap,
    memory: Vec<u8>,
}

impl Words {
    /// Modules, and the names of their words, one after the other.
    fn new(modules: &[(&str, &[&str])]) -> Self {
        let mut address = 0;
        let modules = modules.iter().enumerate().map(|(index, (module, names))| {
            let names = names.iter().map(|name| {
                address += 4;
                let (name, pointer) = (name.trim_start_matches('*'), name.starts_with('*'));
                let word = json!({
                    "byteAddress": address, "numberOfElements": 1, "elementWordSize": 4, "isInteger": true,
                    "isPointer": pointer,
                });
                (name.to_owned(), word)
            });
            let names: serde_json::Map<String, Value> = names.collect();
            ((*module).to_owned(), json!({ "index": index, "memoryMap": names }))
        });
        let modules: serde_json::Map<String, Value> = modules.collect();
        let map = from_wat_with(&json!({ "compiledModules": modules })).map;
        Self { map: MemoryMap::clone(&map), memory: vec![0; usize::try_from(address + 4).unwrap()] }
    }

    fn set(&mut self, id: &str, value: i32) {
        self.map.write(&mut self.memory, id, jackfield_engines::Value::I32(value)).unwrap();
    }

    fn get(&self, id: &str) -> i32 {
        match self.map.read(&self.memory, id).unwrap() {
            jackfield_engines::Value::I32(value) => value,
            other => panic!("{other:?}"),
        }
    }

    fn mapper(&self, settings: Value) -> (MidiMapper, Vec<String>) {
        let settings = MidiSettings::read(&midi(settings)).unwrap();
        let (mapper, left_out) = MidiMapper::new(&settings, &self.map, &self.memory);
        (mapper, left_out.iter().map(ToString::to_string).collect())
    }

    fn hear(&mut self, mapper: &mut MidiMapper, port: u32, bytes: &[u8]) {
        mapper.receive(&mut self.memory, PortMessage { port, message: MidiMessage::new(bytes).unwrap() });
    }

    /// What is sent now: port and bytes.
    fn sends(&self, mapper: &mut MidiMapper) -> Vec<(u32, Vec<u8>)> {
        let mut sent = Vec::new();
        mapper.after_cycle(&self.memory, |one| sent.push((one.port, one.message.bytes().to_vec())));
        sent
    }
}

fn midi(settings_: Value) -> EngineSettings {
    settings("WebWorkerMIDIRuntime", settings_)
}

fn ends(mapper: &mut MidiMapper) -> Vec<(u32, Vec<u8>)> {
    let mut sent = Vec::new();
    mapper.end(|one| sent.push((one.port, one.message.bytes().to_vec())));
    sent
}

const NOTE: &[&str] = &["note", "gate", "channel", "velocity", "port"];

// E.3: where upstream leaves a note hanging
#[test]
fn a_note_ends_where_it_began_whatever_the_program_thinks_of_by_then() {
    let mut words = Words::new(&[("midinoteout", NOTE)]);
    for (name, value) in [("note", 60), ("gate", 1), ("channel", 3), ("velocity", 90), ("port", 2)] {
        words.set(&format!("midinoteout.{name}"), value);
    }
    let (mut mapper, _) = words.mapper(json!({}));
    assert_eq!(words.sends(&mut mapper), [(2, vec![0x92, 60, 90])]);
    for (name, value) in [("note", 200), ("channel", 17), ("velocity", 20), ("port", 5)] {
        words.set(&format!("midinoteout.{name}"), value);
    }
    assert_eq!(words.sends(&mut mapper), []);
    words.set("midinoteout.gate", 0);
    assert_eq!(words.sends(&mut mapper), [(2, vec![0x82, 60, 20])]);
}

// E.3: a note that cannot be waits for its values with the gate open; a port 0 is silence
#[test]
fn a_gate_that_opens_on_bad_values_begins_its_note_when_they_are_good() {
    let mut words = Words::new(&[("midinoteout", NOTE)]);
    for (name, value) in [("note", 60), ("gate", 1), ("velocity", 90), ("port", 1)] {
        words.set(&format!("midinoteout.{name}"), value);
    }
    let (mut mapper, _) = words.mapper(json!({}));
    assert_eq!(words.sends(&mut mapper), [], "channel 0 is none");
    words.set("midinoteout.channel", 16);
    assert_eq!(words.sends(&mut mapper), [(1, vec![0x9f, 60, 90])]);
    words.set("midinoteout.gate", 0);
    words.set("midinoteout.port", 0);
    assert_eq!(words.sends(&mut mapper), [(1, vec![0x8f, 60, 90])]);
    words.set("midinoteout.gate", 1);
    assert_eq!(words.sends(&mut mapper), []);
    words.set("midinoteout.port", 1);
    assert_eq!(words.sends(&mut mapper), [], "the gate is open already");
}

// J-27
#[test]
fn at_the_end_what_sounds_ends_and_every_channel_that_was_used_is_told() {
    let mut words = Words::new(&[("midinoteout", NOTE), ("midiccout", &["cc", "value", "channel", "port"])]);
    for (name, value) in [("note", 60), ("gate", 1), ("channel", 3), ("velocity", 90), ("port", 2)] {
        words.set(&format!("midinoteout.{name}"), value);
    }
    words.set("midiccout.port", 4);
    let (mut mapper, _) = words.mapper(json!({}));
    // E.4: channel 0 of a controller is the first
    assert_eq!(words.sends(&mut mapper), [(4, vec![0xb0, 0, 0]), (2, vec![0x92, 60, 90])]);
    let expected = [
        (2, vec![0x82, 60, 0]),
        (2, vec![0xb2, 120, 0]),
        (2, vec![0xb2, 123, 0]),
        (4, vec![0xb0, 120, 0]),
        (4, vec![0xb0, 123, 0]),
    ];
    assert_eq!(ends(&mut mapper), expected);
    assert_eq!(ends(&mut mapper), [], "once");
}

// C.3, J-27
#[test]
fn modules_of_any_name_play_when_the_lists_name_them() {
    let mut words = Words::new(&[
        ("lead", &["pitch", "open", "loud"]),
        ("shared", &["channel", "port"]),
        ("sweep", &["cc", "value"]),
        ("midinoteout1", &["note", "gate", "other"]),
        ("knob", &["number", "value"]),
        ("keys", &["note", "gate", "velocity"]),
    ]);
    let (mut mapper, left_out) = words.mapper(json!({
        "midiNoteOutputs": [
            { "moduleId": "lead", "noteMemoryId": "pitch", "noteOnOffMemoryId": "open", "velocityMemoryId": "loud",
              "channelMemoryId": "shared.channel", "portMemoryId": "shared:port" },
            { "moduleId": "midinoteout1", "noteMemoryId": "other" },
        ],
        "midiControlChangeOutputs": [{ "moduleId": "sweep", "portMemoryId": "shared.port" }],
        "midiControlChangeInputs": [
            { "selectedCCMemoryId": "knob.number", "valueMemoryId": "knob.value", "channelMemoryId": "shared.channel" },
        ],
        "midiNoteInputs": [{ "moduleId": "keys", "portMemoryId": "shared.port" }],
    }));
    assert_eq!(left_out, Vec::<String>::new());
    for (id, value) in [
        ("lead.pitch", 50),
        ("lead.open", 1),
        ("lead.loud", 11),
        ("shared.channel", 9),
        ("shared.port", 3),
        ("sweep.cc", 1),
        ("sweep.value", 5),
        ("midinoteout1.note", 99),
        ("midinoteout1.gate", 1),
        ("midinoteout1.other", 44),
        ("knob.number", 7),
    ] {
        words.set(id, value);
    }
    let sent = [(3, vec![0xb0, 1, 5]), (3, vec![0x98, 50, 11]), (1, vec![0x90, 44, 127])];
    assert_eq!(words.sends(&mut mapper), sent);

    words.hear(&mut mapper, 1, &[0xb0, 7, 20]);
    assert_eq!(words.get("knob.value"), 0, "another channel");
    words.hear(&mut mapper, 1, &[0xb8, 7, 21]);
    assert_eq!(words.get("knob.value"), 21);
    words.hear(&mut mapper, 1, &[0x90, 60, 100]);
    assert_eq!(words.get("keys.gate"), 0, "another port");
    words.hear(&mut mapper, 3, &[0x95, 60, 100]);
    assert_eq!(["note", "gate", "velocity"].map(|name| words.get(&format!("keys.{name}"))), [60, 1, 100]);
}

// E.4: upstream has no note input
#[test]
fn a_module_that_listens_to_notes_is_told_of_the_last_one_that_is_held() {
    let mut words = Words::new(&[("midinotein1", &["note", "gate"])]);
    let (mut mapper, _) = words.mapper(json!({}));
    let mut after = |bytes: &[u8]| {
        words.hear(&mut mapper, 1, bytes);
        (words.get("midinotein1.note"), words.get("midinotein1.gate"))
    };
    assert_eq!(after(&[0x90, 60, 100]), (60, 1));
    assert_eq!(after(&[0x90, 64, 100]), (64, 1));
    assert_eq!(after(&[0x80, 60, 0]), (64, 1), "one that is not held any more");
    assert_eq!(after(&[0x91, 64, 0]), (64, 1), "another channel");
    assert_eq!(after(&[0x90, 64, 0]), (64, 0), "velocity 0 ends a note");
    assert_eq!(after(&[0x90, 64, 1]), (64, 1));
    assert_eq!(after(&[0xb0, 123, 0]), (64, 0), "all notes off");
}

// E.3: a pointer is followed once, when the program is bound
#[test]
fn pointers_are_followed_as_they_point_at_the_beginning() {
    let mut words = Words::new(&[("tune", &["a", "b"]), ("midinoteout", &["*note", "gate"])]);
    words.set("tune.a", 61);
    words.set("tune.b", 62);
    let address = |id: &str| i32::try_from(words.map.get(id).unwrap().byte_address).unwrap();
    let (a, b) = (address("tune.a"), address("tune.b"));
    words.set("midinoteout.note", a);
    words.set("midinoteout.gate", 1);
    let (mut mapper, _) = words.mapper(json!({}));
    words.set("midinoteout.note", b);
    assert_eq!(words.sends(&mut mapper), [(1, vec![0x90, 61, 127])]);
}

#[test]
fn what_leads_nowhere_is_left_out_and_said_with_the_nearest_name() {
    let words = Words::new(&[("lead", &["note", "gate"]), ("midiccout2", &["cc"])]);
    let (_, left_out) = words.mapper(json!({
        "midiNoteOutputs": [{ "moduleId": "led" }, { "moduleId": "lead", "noteMemoryId": "lead.nto" }, {}],
        "midiControlChangeInputs": [{ "moduleId": "lead", "valueMemoryId": "gat" }],
    }));
    assert_eq!(
        left_out,
        [
            "runtimeSettings.midiNoteOutputs[0].moduleId: no module `led`; nearest is `lead`; it is left out",
            "runtimeSettings.midiNoteOutputs[1].noteMemoryId: no variable `lead.nto`; nearest is `lead.note`; \
             it is left out",
            "runtimeSettings.midiNoteOutputs[2]: has no variable `note`; it is left out",
            "compiledModules.midiccout2: has no variable `value`; it is left out",
            "runtimeSettings.midiControlChangeInputs[0]: has no variable `cc`; it is left out",
        ]
    );
}

// J-28
#[test]
fn settings_that_are_none_are_all_named_with_their_place() {
    let problems = MidiSettings::read(&midi(json!({
        "sampleRate": 0,
        "midiNoteOutputs": [{ "moduleId": 3 }, "lead"],
        "midiControlChangeInputs": {},
        "midi": { "inputs": { "keys": { "port": -1, "callback": "f" }, "pads": { "port": 0 } } },
    })))
    .unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "runtimeSettings.sampleRate",
            "runtimeSettings.midiNoteOutputs[0].moduleId",
            "runtimeSettings.midiNoteOutputs[1]",
            "runtimeSettings.midiControlChangeInputs",
            "runtimeSettings.midi.inputs.keys.port",
            "runtimeSettings.midi.inputs.pads",
        ]
    );
}

#[test]
fn a_handler_that_is_not_exported_is_left_out_and_said_with_the_nearest_name() {
    let project = loose("new-abi/new-abi.wasm");
    let instance = from_init(&project);
    let inputs =
        json!({ "inputs": [{ "callback": "onKye" }, { "callback": "main" }, { "callback": "onKey" }] });
    let settings = MidiSettings::read(&midi(json!({ "midi": inputs }))).unwrap();
    let (mapper, left_out) = MidiMapper::for_program(&settings, instance.program(), instance.memory());
    let left_out: Vec<_> = left_out.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(left_out[0], "the program exports no function `onKye`; nearest is `onKey`");
    assert_eq!(left_out.len(), 2, "{left_out:?}");
    assert!(mapper.listens());
}

#[test]
fn telling_and_asking_a_mapper_does_not_touch_the_allocator() {
    let project = project("night-bus");
    let mut instance = from_init(&project);
    let mut mapper = mapper(&project, &instance);
    let came = PortMessage { port: 1, message: MidiMessage::new(&[176, 20, 92]).unwrap() };
    let mut sent = 0;
    for _ in 0..100 {
        instance.cycle().unwrap();
        realtime(|| {
            mapper.receive(instance.memory_mut(), came);
            mapper.after_cycle(instance.memory(), |_| sent += 1);
        });
    }
    assert!(sent > 20, "{sent}");
}

proptest! {
    // J-27
    #[test]
    fn whatever_the_gates_do_every_note_that_began_has_ended_at_the_end(
        ticks in prop::collection::vec(
            prop::array::uniform2(prop::array::uniform5(prop::sample::select(vec![-1, 0, 1, 2, 16, 17, 60, 127, 128]))),
            0..60,
        ),
    ) {
        let mut words = Words::new(&[("midinoteout1", NOTE), ("midinoteout2", NOTE)]);
        let (mut mapper, _) = words.mapper(json!({}));
        let mut sent = Vec::new();
        for modules in ticks {
            for (module, values) in ["midinoteout1", "midinoteout2"].iter().zip(modules) {
                for (name, value) in NOTE.iter().zip(values) {
                    words.set(&format!("{module}.{name}"), value);
                }
            }
            sent.extend(words.sends(&mut mapper));
        }
        sent.extend(ends(&mut mapper));
        let mut sounding: BTreeMap<(u32, u8, u8), i32> = BTreeMap::new();
        for (port, bytes) in sent {
            let count = sounding.entry((port, bytes[0] & 0x0f, bytes[1])).or_default();
            match bytes[0] & 0xf0 {
                0x90 => *count += 1,
                0x80 => *count -= 1,
                _ => {}
            }
            prop_assert!(*count >= 0, "one ends that did not begin");
        }
        prop_assert!(sounding.values().all(|count| *count == 0), "{sounding:?}");
    }
}
