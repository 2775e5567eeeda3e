//! MIDI programs: what they send, and what they hear.

use std::collections::BTreeMap;

use jackfield_engines::{
    Instance, MidiMapper, MidiMessage, MidiSettings, PortMessage, Project, Trace, TracedMessage, trace_midi,
};
use jackfield_testkit::fixtures;
use serde_json::Value;

use crate::support::{check_memory, check_scalars, from_init, loose, project};

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
