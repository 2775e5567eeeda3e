//! Which programs can be seen to end, and so need not be interruptible. J-25

use crate::support::{compiled, loose, project};

#[test]
fn what_the_compiler_makes_is_seen_to_end() {
    let names = [
        "first-light",
        "first-light-b",
        "first-light-c",
        "heavy",
        "echo",
        "dc",
        "ramp",
        "tally",
        "night-bus",
        "trap-later",
    ];
    for name in names {
        assert!(compiled(&project(name)).always_ends(), "{name}");
    }
}

#[test]
fn a_program_that_does_not_return_is_made_interruptible() {
    for name in ["runaway", "late-runaway"] {
        assert!(!compiled(&loose(&format!("wat/{name}.project.json"))).always_ends(), "{name}");
    }
}
