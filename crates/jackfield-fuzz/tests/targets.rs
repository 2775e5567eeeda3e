//! What is fuzzed, run on the fixtures and on every input that was once a finding. `./dev fuzz` goes on from here.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot go on fails")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
};

use jackfield_fuzz::{TARGETS, Target, directory};

fn check(name: &str) {
    let target = Target::named(name).unwrap();
    let seeds = (target.seeds)().into_iter().enumerate().map(|(n, bytes)| (format!("seed {n}"), bytes));
    let found = target.findings().unwrap().into_iter();
    let inputs: Vec<_> =
        seeds.chain(found.map(|(path, bytes)| (path.display().to_string(), bytes))).collect();
    let mut taken = 0;
    for (input, bytes) in inputs {
        let ran = catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes)));
        let ran = ran.unwrap_or_else(|_| panic!("{name}: {input} is a finding"));
        taken += u32::from(ran);
    }
    assert!(taken > 1, "the seeds of `{name}` are all refused, so that nothing lies behind them");
}

#[test]
fn projects_are_read_or_refused() {
    check("project");
}

#[test]
fn maps_are_read_written_and_carried() {
    check("map");
}

#[test]
fn settings_of_engines_lead_somewhere_or_are_left_out() {
    check("engine-settings");
}

#[test]
fn binaries_are_compiled_or_refused() {
    check("binary");
}

#[test]
fn programs_that_are_said_to_end_do() {
    check("program");
}

#[test]
fn notes_end() {
    check("midi");
}

#[test]
fn documents_are_the_same_when_they_are_read_again() {
    check("document");
}

#[test]
fn settings_make_a_plan_or_are_refused() {
    check("plan");
}

#[test]
fn every_target_is_tested_and_every_finding_belongs_to_one() {
    let tested = include_str!("targets.rs");
    for target in TARGETS {
        assert!(tested.contains(&format!("check(\"{}\")", target.name)), "`{}` has no test", target.name);
    }
    for entry in fs::read_dir(directory()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert!(!entry.path().is_dir() || Target::named(&name).is_some(), "there is no target `{name}`");
    }
}

#[test]
fn a_module_uses_only_modules_above_it() {
    jackfield_testkit::check_arrows(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
}
