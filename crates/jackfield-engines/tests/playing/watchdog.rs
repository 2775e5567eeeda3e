use crate::support::{misbehaving, runner};
use jackfield_engines::{TrapKind, Watchdog};
use std::time::Duration;

/// A program that is in the middle of a call when nobody owns the watchdog any more must still come to an end, or its
/// thread never does.
#[test]
fn a_watchdog_that_is_let_go_watches_until_the_program_is_gone() {
    let mut runner = runner(&misbehaving("runaway"));
    let interrupt = runner.instance().interrupt_handle();
    drop(Watchdog::start(interrupt.clone(), Duration::from_millis(40), || {}).unwrap());
    let trap = runner.run(&[], &mut []).unwrap_err();
    assert_eq!(trap.kind, TrapKind::Interrupted);
    assert!(!interrupt.is_over());
    drop(runner);
    assert!(interrupt.is_over());
}

#[test]
fn a_watchdog_that_is_finished_leaves_the_program_alone() {
    let runner = runner(&misbehaving("runaway"));
    let interrupt = runner.instance().interrupt_handle();
    Watchdog::start(interrupt.clone(), Duration::from_secs(3600), || {}).unwrap().finish();
    assert!(!interrupt.is_over());
}
