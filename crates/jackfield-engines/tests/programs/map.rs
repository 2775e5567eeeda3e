use jackfield_engines::{AccessError, Element, Initial, Reading, UnknownVariable, Value};

use crate::support::{loose, project};

#[test]
fn either_separator_finds_a_variable_of_either_generation() {
    for map in [project("tally").map, loose("new-abi/new-abi.wasm").map] {
        let first = map.variables().next().unwrap();
        let module = map.modules().iter().find(|module| !module.variables().is_empty()).unwrap();
        for separator in [".", ":"] {
            assert_eq!(map.get(&format!("{}{separator}{}", module.id(), first.name)), Some(first));
        }
    }
}

#[test]
fn parts_after_the_second_are_ignored() {
    // A.7
    let map = project("tally").map;
    assert_eq!(map.get("counter.count.and.more"), map.get("counter.count"));
    assert!(map.get("counter.count").is_some());
    assert_eq!([map.get("counter"), map.get("counter."), map.get("")], [None; 3]);
}

#[test]
fn a_slip_is_answered_with_the_nearest_name() {
    let map = project("tally").map;
    let nearest = |id: &str| map.variable(id).unwrap_err().nearest;
    assert_eq!(nearest("counter.cuont").as_deref(), Some("counter.count"));
    assert_eq!(nearest("something.else.entirely"), None);
    let unknown = UnknownVariable { id: "a.b".into(), nearest: Some("a.c".into()) };
    assert_eq!(unknown.to_string(), "no variable `a.b`; nearest is `a.c`");
}

#[test]
fn modules_keep_the_order_of_the_program() {
    // A.5
    let modules = |map: &jackfield_engines::MemoryMap| {
        map.modules().iter().map(|module| module.id().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        modules(&project("tally").map),
        ["env", "counter", "decade", "edges", "divider", "shelf", "trace"]
    );
    assert_eq!(
        modules(&loose("new-abi/new-abi.wasm").map),
        ["bell", "clock", "settings", "speakers", "tune"]
    );
}

#[test]
fn every_type_is_told_apart() {
    // A.7, A.8
    let tally = project("tally").map;
    let shape = |id: &str| {
        let variable = tally.get(id).unwrap();
        (variable.element, variable.elements, variable.pointer)
    };
    assert_eq!(shape("shelf.slots"), (Element::I8, 16, false));
    assert_eq!(shape("shelf.wide"), (Element::U16, 8, false));
    assert_eq!(shape("shelf.mean"), (Element::F32, 1, false));
    assert_eq!(shape("edges.in"), (Element::I32, 1, true));
    assert_eq!(shape("decade.__sleeper2"), (Element::I32, 1, false));
    let newest = loose("new-abi/new-abi.wasm").map;
    assert_eq!(newest.get("clock:seconds").unwrap().element, Element::F64);
    assert!(newest.get("bell:strike").unwrap().pointer);
}

#[test]
fn defaults_are_kept_for_either_generation() {
    let tally = project("tally").map;
    assert_eq!(tally.get("shelf.mean").unwrap().default, Some(Initial::One(1.5)));
    assert_eq!(tally.get("shelf.slots").unwrap().default, Some(Initial::Elements(Vec::new())));
    let newest = loose("new-abi/new-abi.wasm").map;
    assert_eq!(newest.get("clock:bpm").unwrap().default, Some(Initial::One(100.0)));
}

#[test]
fn what_is_written_is_read_again_in_every_type() {
    let map = project("tally").map;
    let mut memory = vec![0; 65_536];
    for (id, index, number, read) in [
        ("shelf.slots", 15, -300.0, Value::I32(-128)),
        ("shelf.wide", 7, 70_000.0, Value::I32(65_535)),
        ("shelf.mean", 0, 0.1, Value::F32(0.1)),
        ("counter.count", 0, -2.5, Value::I32(-3)),
    ] {
        let variable = map.get(id).unwrap();
        variable.write(&mut memory, index, variable.element.value_of(number)).unwrap();
        assert_eq!(variable.read(&memory, index), Ok(read), "{id}");
    }
    let Ok(Reading::Many(slots)) = map.get("shelf.slots").unwrap().reading(&memory) else {
        panic!("an array")
    };
    assert_eq!((slots.len(), slots[15]), (16, Value::I32(-128)));
}

#[test]
fn nothing_is_read_or_written_outside_the_memory_given() {
    let map = project("tally").map;
    let wide = map.get("shelf.wide").unwrap();
    let mut short = vec![0; 81];
    let outside = Err(AccessError::OutsideMemory { start: 80, end: 82, size: 81 });
    assert_eq!(wide.read(&short, 0), outside);
    assert_eq!(wide.write(&mut short, 0, Value::I32(1)), outside.map(|_: Value| ()));
    assert_eq!(wide.read(&short, 8), Err(AccessError::NoSuchElement { index: 8, elements: 8 }));
    assert!(wide.reading(&short).is_err());
    assert_eq!(short, [0; 81]);
}

#[test]
fn a_value_of_another_type_is_not_squeezed_in() {
    let map = project("tally").map;
    let mut memory = vec![0; 65_536];
    let error = map.write(&mut memory, "shelf.mean", Value::I32(1)).unwrap_err();
    assert_eq!(error.to_string(), "`shelf.mean` cannot be reached");
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "a value of type i32 does not fit a variable of type F32");
}

#[test]
fn floats_that_json_has_no_number_for_become_text() {
    assert_eq!(Value::F32(f32::NAN).to_json(), "NaN");
    assert_eq!(Value::F64(f64::INFINITY).to_json(), "inf");
    assert_eq!(Value::F32(0.5).to_json(), 0.5);
}
