//! The runtime beside a model of it, through random changes and failures.
//!
//! [`oracle`] says from declarations and settings alone what must run, and [`expected`] what a scope is like then;
//! [`actor`] plays the plugins, which write on a [`stage`] what they do and fail where they are told to; [`play`]
//! drives a real runtime step by step, [`settle`] works out what must have come of each, and [`look`] and [`story`]
//! compare.
//!
//! `PROPTEST_CASES=100000` plays as many; the seed of a failure is printed and kept by proptest.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use jackfield::{FailurePolicy, UnknownReferences};
use proptest::prelude::*;

mod actor;
mod ask;
mod cast;
mod ending;
mod expected;
mod look;
mod oracle;
mod play;
mod settle;
mod stage;
mod start;
mod steps;
mod story;

use cast::{Part, STRANGER};
use play::Play;
use steps::{Ending, Fault, Line, Patience, Step, faults, lines, patience, unknown};

fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    // As many as fit into a few seconds, unless the environment says how many.
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 1000 };
    ProptestConfig { cases, ..config }
}

/// Plays a play on a clock that skips what nobody waits for, in silence: what fails on purpose should not fill the
/// screen.
fn on_stage(play: impl Future<Output = ()>) {
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload_as_str() != Some(stage::ON_PURPOSE) {
            eprintln!("{panic}");
        }
    }));
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(play);
}

async fn play(
    parts: Vec<Part>,
    policies: (UnknownReferences, FailurePolicy),
    start: (Vec<Line>, Vec<Fault>, Patience),
    steps: Vec<Step>,
    (ending, faults): (Ending, Vec<Fault>),
) {
    let mut play = Play::new(parts, policies, start).await;
    for step in steps {
        play.step(step).await;
    }
    play.end(ending, faults).await;
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_change_is_made_wholly_or_not_at_all_as_the_model_says(
        parts in prop::collection::vec(Part::any(), STRANGER + 1),
        unknown in unknown(),
        start in (lines(), faults(), patience()),
        steps in prop::collection::vec(Step::any(), 1..14),
        end in (Ending::any(), faults()),
    ) {
        on_stage(play(parts, (unknown, FailurePolicy::AllOrNothing), start, steps, end));
    }

    #[test]
    fn with_quarantine_whoever_fails_is_left_out_as_the_model_says(
        parts in prop::collection::vec(Part::any(), STRANGER + 1),
        unknown in unknown(),
        start in (lines(), faults(), patience()),
        steps in prop::collection::vec(Step::any(), 1..14),
        end in (Ending::any(), faults()),
    ) {
        on_stage(play(parts, (unknown, FailurePolicy::Quarantine), start, steps, end));
    }
}
