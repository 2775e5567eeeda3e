//! Memory maps, of either generation.

use jackfield_engines::{Carry, Gauges, Knobs, MemoryMap};

use crate::{problems, wrapped};

pub(crate) const WORDS: &[&str] = &[
    "\"memoryMap\":",
    "\"index\":",
    "\"byteAddress\":",
    "\"numberOfElements\":",
    "\"elementWordSize\":",
    "\"isInteger\":true",
    "\"isUnsigned\":true",
    "\"isPointer\":true",
    "\"pointerDepth\":",
    "\"default\":",
    "\"memoryPlan\":",
    "\"modules\":",
    "\"moduleOrder\":",
    "\"moduleList\":",
    "\"memory\":",
    "\"memoryIndex\":",
    "\"memoryDefaultsByModuleId\":",
    "\"value\":",
    "\"id\":",
    "65535",
    "65536",
    "4294967295",
    "\"\\n\"",
];

/// Bytes of the memories that variables are looked for in; the map's own memory has a page.
const LOOKED_AT: usize = 1_024;

/// One or two maps, apart by a zero. One with `memoryPlan` in it is of the newest generation.
pub(crate) fn run(input: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(input) else { return false };
    let mut maps = text.splitn(2, '\0').filter_map(read);
    let Some(first) = maps.next() else { return false };
    let mut memory: Vec<u8> = (0..LOOKED_AT).map(|place| place as u8).collect();
    survey(&first, &mut memory);
    check_console(&first);
    let second = maps.next();
    let second = second.as_ref().unwrap_or(&first);
    let carry = Carry::between(&first, second, |id| id.len().is_multiple_of(3));
    let mut after = vec![0xff; wrapped::PAGE];
    carry.apply(&vec![0x11; wrapped::PAGE], &mut after);
    assert!(after.iter().all(|byte| [0xff, 0x11].contains(byte)), "whole bytes are carried");
    let report = carry.report();
    assert_eq!(report.carried + report.reset.len(), second.variables().count(), "{report:?}");
    true
}

fn read(text: &str) -> Option<MemoryMap> {
    let newest = text.contains("\"memoryPlan\"");
    let members = if newest { format!("\"more\":0,{text}") } else { format!("\"compiledModules\":{text}") };
    match wrapped::with(&members) {
        Ok(project) => Some(MemoryMap::clone(&project.map)),
        Err(error) => {
            problems::check_refusal(&error, &members);
            None
        }
    }
}

/// Looks at every variable; what lies in memory can be written, and is the same when it is read again.
pub(crate) fn survey(map: &MemoryMap, memory: &mut [u8]) {
    for variable in map.variables() {
        let inside = variable.end() <= memory.len() as u64;
        assert_eq!(variable.reading(memory).is_ok(), inside, "{variable:?}");
        let last = variable.elements.saturating_sub(1);
        let before = memory.to_vec();
        match variable.read(memory, last) {
            Ok(value) => {
                variable.write(memory, last, value).unwrap_or_else(|error| panic!("{variable:?}: {error}"));
                assert_eq!(memory, before, "{variable:?}");
            }
            Err(error) => assert!(!inside || variable.elements == 0, "{variable:?}: {error}"),
        }
        let named = map.get(&variable.id);
        assert!(
            named.is_some()
                || variable.name.contains(['.', ':'])
                || variable.id.matches(['.', ':']).count() > 1
        );
    }
}

/// Knobs and gauges take any variable or say why not.
fn check_console(map: &MemoryMap) {
    let (knobs, gauges) = (Knobs::new(), Gauges::new());
    let map = std::sync::Arc::new(map.clone());
    let (mut receiver, _) = knobs.connect(map.clone());
    let reader = gauges.connect(map.clone());
    let mut memory = vec![0; LOOKED_AT];
    let mut watched = Vec::new();
    for variable in map.variables().take(100) {
        for number in [1.0, -1e9, 0.5, f64::MAX] {
            if let Err(error) = knobs.set(&variable.id, number) {
                assert!(!error.to_string().is_empty());
            }
        }
        watched.extend(gauges.watch(&variable.id));
    }
    receiver.apply(&mut memory);
    reader.read(&memory);
    for gauge in &watched {
        assert!(gauge.read().is_none_or(|value| value.as_f64() <= 0.0 || value.bits() != 0));
    }
    assert!(knobs.set("no such variable", 1.0).is_err());
}
