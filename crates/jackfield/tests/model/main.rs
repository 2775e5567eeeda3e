//! The runtime beside a model of it, through random changes and failures.
//!
//! [`oracle`] says from declarations and settings alone what must run; [`actor`] plays the plugins, keeps the log and
//! fails where it is told to; [`play`] drives a real runtime, and compares after every step.
//!
//! `PROPTEST_CASES=100000` plays as many; the seed of a failure is printed and kept by proptest.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use proptest::prelude::*;

mod actor;
mod cast;
mod oracle;
mod play;

use cast::{Part, Step};
use play::Play;

fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    // As many as fit into a few seconds, unless the environment says how many.
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 400 };
    ProptestConfig { cases, ..config }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn reality_is_what_the_model_says(
        parts in prop::collection::vec(Part::any(), cast::PARTS),
        policy in cast::policy(),
        steps in prop::collection::vec(Step::any(), 1..14),
    ) {
        // What fails on purpose should not fill the screen.
        std::panic::set_hook(Box::new(|panic| {
            if !panic.to_string().contains(actor::ON_PURPOSE) {
                eprintln!("{panic}");
            }
        }));
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut play = Play::new(parts, policy).await;
            for step in steps {
                play.step(step).await;
            }
            play.end().await;
        });
    }
}
