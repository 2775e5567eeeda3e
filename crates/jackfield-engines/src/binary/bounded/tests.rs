use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_assert, prop_oneof, proptest};

use super::{always_ends, steps};

fn program(functions: &str) -> Vec<u8> {
    wat::parse_str(format!(r#"(module (import "js" "memory" (memory 1 1 shared)) {functions})"#)).unwrap()
}

#[track_caller]
fn ends(functions: &str) {
    assert!(always_ends(&program(functions)));
}

#[track_caller]
fn may_not_end(functions: &str) {
    assert!(!always_ends(&program(functions)));
}

const COUNTS_DOWN: &str = "(func $cycle) (func (local i32)
    i32.const 128 local.set 0
    loop call $cycle local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)";

/// As the compiler makes every `loop`, with its guard.
fn counting_up(body: &str) -> String {
    format!(
        "(func (local i32 i32)
            i32.const 0 local.set 0
            block loop
                local.get 0 i32.const 1000 i32.ge_s
                if i32.const 8 i32.const 7 i32.store br 2 end
                local.get 0 i32.const 1 i32.add local.set 0
                {body}
                br 0
            end end)"
    )
}

#[test]
fn what_goes_straight_on_ends() {
    ends("(func) (func i32.const 1 if nop else nop end)");
    assert_eq!(steps(&program("(func)")), Some(1));
}

#[test]
fn loops_that_count_end_and_cost_their_rounds() {
    ends(COUNTS_DOWN);
    // What is around the loop, and 128 rounds of its instructions, its end and what it calls.
    let most = steps(&program(COUNTS_DOWN)).unwrap();
    assert!((128 * 8..128 * 8 + 10).contains(&most), "{most}");
    ends(&counting_up("nop"));
    ends(&counting_up("i32.const 0 local.set 1 block br 0 end"));
    let most = steps(&program(&counting_up("nop"))).unwrap();
    assert!((1000 * 9..1003 * 18).contains(&most), "{most}");
}

#[test]
fn a_loop_that_nobody_counts_may_not_end() {
    may_not_end("(func loop br 0 end)");
    may_not_end("(func (param i32) loop local.get 0 br_if 0 end)");
    may_not_end("(func (local i32) i32.const 128 local.set 0 loop local.get 0 br_if 0 end)");
}

#[test]
fn a_counter_that_is_written_elsewhere_counts_nothing() {
    may_not_end(&counting_up("i32.const 0 local.set 0"));
    may_not_end(&counting_up("local.get 1 if i32.const 0 local.set 0 end"));
    may_not_end(&counting_up("loop i32.const 0 local.set 0 end"));
    may_not_end(
        "(func (local i32) i32.const 128 local.set 0
            loop local.get 0 i32.const 1 i32.sub local.tee 0 i32.const 5 local.set 0 br_if 0 end)",
    );
}

#[test]
fn a_guard_that_can_be_gone_around_guards_nothing() {
    // Goes back before it counts.
    may_not_end(
        "(func (param i32) (local i32) i32.const 0 local.set 1
            block loop
                local.get 1 i32.const 1000 i32.ge_s br_if 1
                local.get 0 br_if 0
                local.get 1 i32.const 1 i32.add local.set 1
                br 0
            end end)",
    );
    // Leaves only an inner block.
    may_not_end(
        "(func (local i32) i32.const 0 local.set 0
            loop
                block local.get 0 i32.const 1000 i32.ge_s br_if 0 end
                local.get 0 i32.const 1 i32.add local.set 0
                br 0
            end)",
    );
    // Does not always leave.
    may_not_end(
        "(func (param i32) (local i32) i32.const 0 local.set 1
            block loop
                local.get 1 i32.const 1000 i32.ge_s
                if local.get 0 br_if 0 br 2 end
                local.get 1 i32.const 1 i32.add local.set 1
                br 0
            end end)",
    );
    // Counts now and then.
    may_not_end(
        "(func (param i32) (local i32) i32.const 0 local.set 1
            block loop
                local.get 1 i32.const 1000 i32.ge_s br_if 1
                local.get 0 if local.get 1 i32.const 1 i32.add local.set 1 end
                br 0
            end end)",
    );
    // Another variable is looked at.
    may_not_end(
        "(func (local i32 i32) i32.const 0 local.set 0
            block loop
                local.get 1 i32.const 1000 i32.ge_s br_if 1
                local.get 0 i32.const 1 i32.add local.set 0
                br 0
            end end)",
    );
}

#[test]
fn a_counter_that_starts_nobody_knows_where_counts_nothing() {
    may_not_end("(func (param i32) loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)");
    may_not_end(
        "(func (local i32) i32.const 0 local.set 0 loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)",
    );
    may_not_end(
        "(func (local i32) i32.const -5 local.set 0 loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)",
    );
}

#[test]
fn a_counter_that_can_jump_over_its_limit_counts_nothing() {
    let steps_of = |by: &str| {
        counting_up("nop")
            .replace("i32.const 1 i32.add", by)
            .replace("i32.const 1000", "i32.const 2147483647")
    };
    may_not_end(&steps_of("i32.const 1073741824 i32.add"));
    may_not_end(&counting_up("nop").replace("i32.const 1 i32.add", "i32.const -1 i32.add"));
}

#[test]
fn who_calls_itself_or_somebody_unknown_may_not_end() {
    may_not_end("(func $a call $a)");
    may_not_end("(func $a call $b) (func $b call $a)");
    may_not_end("(table 1 funcref) (type $t (func)) (func i32.const 0 call_indirect (type $t))");
}

#[test]
fn what_takes_too_long_is_as_good_as_endless() {
    let nested = (0..6).fold("(func $f0)".to_owned(), |all, depth| {
        let callee = format!("call $f{depth}");
        let caller = COUNTS_DOWN.replace("(func $cycle) (func", &format!("(func $f{}", depth + 1));
        all + &caller.replace("call $cycle", &callee)
    });
    may_not_end(&nested);
}

#[test]
fn nested_loops_multiply() {
    let inner = "i32.const 10 local.set 1
        loop local.get 1 i32.const 1 i32.sub local.tee 1 br_if 0 end";
    let most = steps(&program(&counting_up(inner))).unwrap();
    assert!(most > 1000 * 10 * 5, "{most}");
    ends(&counting_up(inner));
}

/// Code of all kinds around three locals, most of which counts almost as it should.
fn code() -> impl Strategy<Value = String> {
    let local = 0..3_u32;
    let leaf = prop_oneof![
        Just("nop".to_owned()),
        (local.clone(), -1..4_i32).prop_map(|(local, value)| format!("i32.const {value} local.set {local}")),
        (local.clone(), -1..3_i32)
            .prop_map(|(local, by)| format!("local.get {local} i32.const {by} i32.add local.set {local}")),
        (local.clone(), local.clone(), 0..3_u32).prop_map(|(local, written, to)| {
            format!("local.get {local} i32.const 1 i32.sub local.tee {written} br_if {to}")
        }),
        (local.clone(), 0..5_i32, 0..3_u32).prop_map(|(local, limit, to)| format!(
            "local.get {local} i32.const {limit} i32.ge_s br_if {to}"
        )),
        (local.clone(), 0..5_i32, 0..4_u32).prop_map(|(local, limit, to)| {
            format!("local.get {local} i32.const {limit} i32.ge_s if nop br {to} end")
        }),
        (0..3_u32).prop_map(|to| format!("br {to}")),
        (local, 0..3_u32).prop_map(|(local, to)| format!("local.get {local} br_if {to}")),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let several = prop::collection::vec(inner, 1..5).prop_map(|all| all.join(" "));
        prop_oneof![
            several.clone().prop_map(|all| format!("block {all} end")),
            several.clone().prop_map(|all| format!("loop {all} end")),
            (0..3_u32, 0..4_i32, several.clone())
                .prop_map(|(local, from, all)| format!("i32.const {from} local.set {local} loop {all} end")),
            // As the compiler makes it, with more in between.
            (0..3_u32, several.clone(), several.clone()).prop_map(|(local, before, after)| format!(
                "i32.const 0 local.set {local} block loop local.get {local} i32.const 4 i32.ge_s if nop br 2 end {before} \
                 local.get {local} i32.const 1 i32.add local.set {local} {after} br 0 end end"
            )),
            (0..3_u32, several.clone()).prop_map(|(local, all)| format!(
                "i32.const 3 local.set {local} loop {all} local.get {local} i32.const 1 i32.sub local.tee {local} br_if 0 end"
            )),
            (0..3_u32, several).prop_map(|(local, all)| format!("local.get {local} if {all} end")),
        ]
    })
}

/// A stack would not hold it, nor would anybody wait for it.
#[test]
fn calls_and_loops_within_each_other_without_measure_are_not_looked_through() {
    let chain: String = (1..100_000).map(|callee| format!("(func call {callee})")).collect();
    may_not_end(&format!("{chain} (func)"));
    let (depth, mut loops) = (20_000, String::new());
    for counter in 0..depth {
        loops.push_str(&format!("i32.const 0 local.set {counter} loop "));
    }
    may_not_end(&format!("(func (local {}) {loops} {})", "i32 ".repeat(depth), "end ".repeat(depth)));
}

#[test]
fn a_function_of_a_megabyte_is_not_looked_through() {
    ends(&format!("(func {})", "nop ".repeat(1_000_000)));
    may_not_end(&format!("(func {})", "nop ".repeat(1_100_000)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_to_end_does_within_the_steps_that_are_said(
        code in prop::collection::vec(code(), 1..5),
        arguments in prop::array::uniform3(-2..3_i32),
    ) {
        let text = format!(
            r#"(module (import "js" "memory" (memory 1 1))
                (func (export "run") (param i32 i32 i32) block block block {} end end end))"#,
            code.join(" ")
        );
        let wasm = wat::parse_str(&text).unwrap();
        if let Some(most) = steps(&wasm) {
            let mut config = wasmtime::Config::new();
            config.consume_fuel(true);
            let engine = wasmtime::Engine::new(&config).unwrap();
            let module = wasmtime::Module::new(&engine, &wasm).unwrap();
            let mut store = wasmtime::Store::new(&engine, ());
            store.set_fuel(most + 2).unwrap(); // a step is a unit of fuel, and entering the function is one
            let memory = wasmtime::Memory::new(&mut store, wasmtime::MemoryType::new(1, Some(1))).unwrap();
            let instance = wasmtime::Instance::new(&mut store, &module, &[memory.into()]).unwrap();
            let run = instance.get_typed_func::<(i32, i32, i32), ()>(&mut store, "run").unwrap();
            let [one, two, three] = arguments;
            prop_assert!(run.call(&mut store, (one, two, three)).is_ok(), "more than {most} steps: {text}");
        }
    }
}

/// A program with a region.
fn with_region(functions: &str) -> Vec<u8> {
    let memories =
        r#"(import "host" "memory" (memory $own 1 1)) (import "host" "samples" (memory $samples 1 2))"#;
    let wasm = wat::parse_str(format!(r#"(module {memories} {functions} (data $data "data"))"#)).unwrap();
    wasmparser::validate(&wasm).unwrap();
    wasm
}

#[test]
fn what_is_done_with_one_memory_or_another_ends_alike() {
    let counted = |memory: &str| {
        format!(
            "(func (local i32) i32.const 128 local.set 0
                loop
                    i32.const 0 i32.const 4 f32.load {memory} drop
                    i32.const 0 memory.size {memory} i32.store {memory} drop
                    local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
                end)"
        )
    };
    let most = |memory: &str| steps(&with_region(&counted(memory)));
    assert!(most("$own").is_some());
    assert_eq!(most("$samples"), most("$own"));
    let bulk = |memory: &str| {
        let from_data = format!("memory.init {memory} $data");
        let numbers = "i32.const 0 i32.const 0 i32.const 4";
        steps(&with_region(&format!("(func {numbers} memory.fill {memory} {numbers} {from_data})")))
    };
    assert_eq!(bulk("$samples"), bulk("$own"));
    let copies = "(func i32.const 0 i32.const 0 i32.const 4 memory.copy $own $samples)";
    assert!(steps(&with_region(copies)).is_some_and(|steps| steps > 1_000_000), "as much as any other");
}

#[test]
fn nothing_is_promised_of_a_program_that_has_any_of_its_memories_grow() {
    for memory in ["$own", "$samples"] {
        let grows = format!("(func i32.const 1 memory.grow {memory} drop)");
        assert!(!always_ends(&with_region(&grows)), "{memory}");
    }
}

#[test]
fn a_loop_that_is_counted_in_a_memory_may_not_end() {
    let counted = "(func (local i32) i32.const 128 i32.const 0 i32.const 4 i32.store $samples drop
        loop i32.const 0 i32.load $samples br_if 0 end)";
    assert!(!always_ends(&with_region(counted)));
}
