//! Whatever is asked for, in whatever order, and whatever breaks on the way: one engine at most.

use crate::stage::{Act, Stage, Step};
use jackfield_engines::{EngineId, EngineRegistry};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Move {
    Ask(&'static str),
    Compiled,
    Withdraw(&'static str),
    Offer(&'static str),
    Break(&'static str, Step, Act),
    LetItRun,
}

fn moves() -> impl Strategy<Value = Move> {
    let name = prop::sample::select(vec!["a", "b", "Nope"]);
    let id = prop::sample::select(vec!["a", "b"]);
    let step = prop::sample::select(vec![Step::Prepare, Step::Start, Step::Sync, Step::Stop]);
    let act = prop::sample::select(vec![Act::Fail, Act::Panic, Act::Hang, Act::Restart]);
    prop_oneof![
        4 => name.prop_map(Move::Ask),
        2 => Just(Move::Compiled),
        1 => id.clone().prop_map(Move::Withdraw),
        1 => id.clone().prop_map(Move::Offer),
        1 => (id, step, act).prop_map(|(id, step, act)| Move::Break(id, step, act)),
        4 => Just(Move::LetItRun),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    // The seed: only one runtime can be active at a time.
    #[test]
    fn there_are_never_two_engines(moves in prop::collection::vec(moves(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let stage = Stage::new();
            let mut tickets = Vec::new();
            for next in moves {
                let registry = EngineRegistry::clone(&stage.store.runtime_registry.get());
                match next {
                    Move::Ask(name) => {
                        stage.config(name, 50);
                        tickets.push(stage.manager.apply());
                    }
                    Move::Compiled => stage.compiled(),
                    Move::Withdraw(id) => stage.store.runtime_registry.set(registry.without(&EngineId::new(id))),
                    Move::Offer(id) => stage.store.runtime_registry.set(registry.with(stage.stub(id))),
                    Move::Break(id, step, act) => stage.next(id, step, act),
                    Move::LetItRun => tokio::task::yield_now().await,
                }
            }
            for ticket in tickets {
                // Every request gets an answer.
                drop(ticket.await);
            }
            stage.manager.close().await;
            assert!(stage.most_alive() <= 1);
        });
    }
}
