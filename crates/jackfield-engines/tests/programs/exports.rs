//! Functions that a program exports, called from outside.

use jackfield_engines::{CallError, Instance, Program, Project, TrapKind};
use jackfield_testkit::realtime;

use crate::support::{compiled, from_init, from_wat, loose};

/// Handlers of many types. What they are told is kept as it came.
fn handlers() -> Project {
    from_wat(
        r#"(module (import "host" "memory" (memory 1))
        (func (export "initDefaults")) (func (export "main"))
        (func (export "onKey") (param i32 i32 i32)
            (i32.store (i32.const 8) (local.get 0))
            (i32.store (i32.const 12) (local.get 1))
            (i32.store (i32.const 16) (local.get 2)))
        (func (export "bend") (param f32 f64) (result f64 i32)
            (f32.store (i32.const 20) (local.get 0))
            (f64.store (i32.const 24) (local.get 1))
            (f64.const 1) (i32.const 2))
        (func (export "tap") (i32.store (i32.const 32) (i32.add (i32.load (i32.const 32)) (i32.const 1))))
        (func (export "divide") (param i32) (drop (i32.div_s (i32.const 1) (local.get 0))))
        (func (export "wide") (param i64))
        (func (export "many") (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#,
    )
}

fn instance() -> (Program, Instance) {
    let instance = from_init(&handlers());
    (instance.program().clone(), instance)
}

fn word(instance: &Instance, address: usize) -> i32 {
    i32::from_le_bytes(instance.memory()[address..address + 4].try_into().unwrap())
}

// A.1: any signature of i32, f32 and f64
#[test]
fn functions_of_every_type_are_called_with_numbers_and_without_touching_the_allocator() {
    let (program, mut instance) = instance();
    let calls = [("onKey", &[144.0, 60.0, -7.0][..]), ("bend", &[0.5, 0.1]), ("tap", &[]), ("tap", &[])];
    let calls = calls.map(|(name, arguments)| program.call(name, arguments).unwrap());
    Program::prepare_thread();
    realtime(|| {
        for call in &calls {
            instance.call(call).unwrap();
        }
    });
    let keys = [8, 12, 16].map(|address| word(&instance, address));
    assert_eq!((keys, word(&instance, 32)), ([144, 60, -7], 2));
    assert_eq!(f32::from_bits(word(&instance, 20).cast_unsigned()), 0.5);
    let bend = f64::from_le_bytes(instance.memory()[24..32].try_into().unwrap());
    assert_eq!(bend.to_bits(), 0.1_f64.to_bits());
}

#[test]
fn what_cannot_be_called_is_told_apart() {
    let (program, _) = instance();
    let refused = |name, arguments: &[f64]| program.call(name, arguments).unwrap_err().to_string();
    assert_eq!(refused("onKy", &[1.0]), "the program exports no function `onKy`; nearest is `onKey`");
    assert_eq!(refused("onKey", &[1.0, 2.0]), "`onKey` is (i32, i32, i32) -> (): it takes 3 numbers, not 2");
    assert_eq!(
        refused("onKey", &[1.0, 2.5, 3.0]),
        "`onKey` is (i32, i32, i32) -> (): argument 2 cannot be 2.5; it holds whole numbers"
    );
    assert!(refused("bend", &[f64::NAN, 0.0]).ends_with("argument 1 cannot be NaN; give it a finite number"));
    assert_eq!(refused("main", &[]), "`main` is called by the engine, and by nobody else");
    for name in ["wide", "many"] {
        assert!(matches!(program.call(name, &[0.0]), Err(CallError::NotCallable { .. })), "{name}");
    }
    let offered: Vec<_> = program.exports().collect();
    let expected = [
        ("bend", "(f32, f64) -> (f64, i32)"),
        ("divide", "(i32) -> ()"),
        ("onKey", "(i32, i32, i32) -> ()"),
        ("tap", "() -> ()"),
    ];
    assert_eq!(offered, expected.map(|(name, signature)| (name, signature.to_owned())));
}

#[test]
fn a_call_that_traps_says_in_which_function() {
    let (program, mut instance) = instance();
    let trap = instance.call(&program.call("divide", &[0.0]).unwrap()).unwrap_err();
    assert_eq!((&*trap.function, trap.kind), ("divide", TrapKind::DivisionByZero));
    instance.call(&program.call("divide", &[1.0]).unwrap()).unwrap();
}

#[test]
fn a_call_made_for_another_program_does_nothing() {
    let (program, _) = instance();
    let mut other = from_init(&loose("new-abi/new-abi.wasm"));
    let before = other.memory().to_vec();
    for (name, arguments) in [("tap", &[][..]), ("bend", &[0.0, 0.0])] {
        let trap = other.call(&program.call(name, arguments).unwrap()).unwrap_err();
        assert_eq!(trap.kind, TrapKind::OtherProgram, "{name}");
    }
    assert!(other.memory() == before);
}

#[test]
fn programs_that_export_nothing_more_offer_nothing() {
    let program = compiled(&crate::support::project("dc"));
    assert_eq!(program.exports().count(), 0);
    assert!(matches!(program.export("onKey"), Err(CallError::NoSuchExport { nearest: None, .. })));
}

// E.4
#[test]
fn the_handler_of_the_newest_generation_is_offered_with_its_type() {
    let program = compiled(&loose("new-abi/new-abi.wasm"));
    let offered: Vec<_> = program.exports().collect();
    assert!(offered.contains(&("onKey", "(i32, i32, i32) -> ()".to_owned())), "{offered:?}");
}
