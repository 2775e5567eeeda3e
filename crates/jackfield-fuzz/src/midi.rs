//! Messages to and from a program's memory.

use std::{collections::BTreeMap, sync::LazyLock};

use jackfield_engines::{MemoryMap, MidiMapper, MidiMessage, MidiSettings, PortMessage};
use serde_json::{Map, Value, json};

use crate::{bytes::Bytes, wrapped};

/// Modules of every kind, side by side in the first bytes of memory; one of them has its variables out of bounds.
static MAP: LazyLock<MemoryMap> = LazyLock::new(|| {
    let kinds = [
        ("midinoteout", ["note", "gate", "channel", "velocity", "port"]),
        ("midinoteout2", ["note", "gate", "channel", "velocity", "port"]),
        ("midinotein", ["note", "gate", "channel", "velocity", "port"]),
        ("midiccout", ["cc", "value", "channel", "port", "unused"]),
        ("midiccin", ["cc", "value", "channel", "port", "unused"]),
    ];
    let mut modules = Map::new();
    let mut address = 0;
    for (module, names) in kinds {
        let mut variables = Map::new();
        for (place, name) in names.iter().enumerate() {
            let (size, pointer) = if module == "midinoteout2" { (1, false) } else { (4, place == 4) };
            let variable = json!({ "byteAddress": address, "numberOfElements": 1, "elementWordSize": size,
                "isInteger": true, "isPointer": pointer && module == "midinotein" });
            variables.insert((*name).to_owned(), variable);
            address += size;
        }
        address = (address + 3) & !3;
        modules.insert(module.to_owned(), json!({ "memoryMap": variables }));
    }
    match wrapped::with(&format!("\"compiledModules\":{}", Value::Object(modules))) {
        Ok(project) => MemoryMap::clone(&project.map),
        Err(error) => panic!("{error}"),
    }
});

/// Bytes of memory: some of the variables are at its very end.
const MEMORY: usize = 96;

/// Memory as it is at first, then one thing after the other that happens to it.
pub(crate) fn run(input: &[u8]) -> bool {
    let mut bytes = Bytes::new(input);
    let mut memory = bytes.take(MEMORY).to_vec();
    let (mut mapper, _) = MidiMapper::new(&MidiSettings::default(), &MAP, &memory);
    let mut notes = Notes::default();
    mapper.reset(&memory, |sent| notes.check(sent));
    while !bytes.is_empty() {
        match bytes.below(16) {
            0..9 => {
                let (place, value) = (usize::from(bytes.next()), bytes.next());
                if let Some(byte) = memory.get_mut(place) {
                    *byte = value;
                }
            }
            9..12 => {
                let port = u32::from(bytes.below(4));
                let length = usize::from(bytes.below(4));
                let given = bytes.take(length);
                if let Some(message) = MidiMessage::new(given) {
                    assert_eq!(message.bytes(), given);
                    mapper.receive(&mut memory, PortMessage { port, message });
                }
            }
            12..15 => mapper.after_cycle(&memory, |sent| notes.check(sent)),
            _ => {
                mapper.end(|sent| notes.check(sent));
                notes.check_silence();
            }
        }
    }
    mapper.end(|sent| notes.check(sent));
    notes.check_silence();
    true
}

/// What sounds, and how often it was begun.
#[derive(Default)]
struct Notes(BTreeMap<(u32, u8, u8), u32>);

impl Notes {
    fn check(&mut self, sent: PortMessage) {
        assert!((1..=256).contains(&sent.port), "{sent:?}");
        assert_eq!(MidiMessage::new(sent.message.bytes()), Some(sent.message));
        let &[status, first, _] = sent.message.bytes() else { panic!("{sent:?}") };
        let place = (sent.port, status & 0x0f, first);
        match status & 0xf0 {
            0x90 => *self.0.entry(place).or_default() += 1,
            0x80 => {
                let sounding = self.0.get_mut(&place).filter(|sounding| **sounding > 0);
                *sounding.unwrap_or_else(|| panic!("ends what does not sound: {sent:?}")) -= 1;
            }
            0xb0 => {}
            _ => panic!("{sent:?}"),
        }
    }

    fn check_silence(&self) {
        let hanging: Vec<_> = self.0.iter().filter(|(_, sounding)| **sounding > 0).collect();
        assert!(hanging.is_empty(), "{hanging:?}");
    }
}
