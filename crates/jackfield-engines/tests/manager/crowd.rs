//! Requests from several threads at once.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use crate::stage::Stage;
use jackfield_engines::{Answer, ManagerState};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use tokio::task::JoinSet;

const TASKS: u64 = 4;
const REQUESTS: u64 = 250;

/// Numbers that look random and can be had again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Asks for engines again and again; returns how often the request was carried out.
async fn ask(stage: Arc<Stage>, last: Arc<Mutex<(&'static str, u32)>>, mut numbers: Numbers) -> usize {
    let mut tickets = Vec::new();
    for _ in 0..REQUESTS {
        let (engine, rate) =
            (["a", "b", "Nope", "LegacyB"][numbers.below(4)], 1 + numbers.below(1000) as u32);
        {
            let mut last = last.lock().unwrap();
            stage.config(engine, rate);
            tickets.push(stage.manager.apply());
            *last = (engine, rate);
        }
        if numbers.below(3) == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut applied = 0;
    for ticket in tickets {
        let answer = ticket.await;
        assert!(matches!(answer, Answer::Applied { .. } | Answer::Superseded), "{answer:?}");
        applied += usize::from(answer.is_applied());
    }
    applied
}

// D.1, J-20
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_requests_from_everywhere_end_in_the_last_and_each_start_has_its_stop() {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    for seed in [1, 2, 3, now.as_secs() * 1_000_000_000 + u64::from(now.subsec_nanos())] {
        println!("seed {seed}");
        let (stage, last) = (Arc::new(Stage::new()), Arc::new(Mutex::new(("", 0))));
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let numbers = Numbers(seed.wrapping_add(task.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            tasks.spawn(ask(Arc::clone(&stage), Arc::clone(&last), numbers));
        }
        let applied: usize = tasks.join_all().await.into_iter().sum();
        assert!(applied >= 1);
        let (engine, rate) = *last.lock().unwrap();
        let plays = if matches!(engine, "b" | "LegacyB") { "b" } else { "a" };
        let status = stage.status();
        assert_eq!(status.requested.as_deref(), Some(engine));
        assert_eq!((status.state, status.active.unwrap().as_str()), (ManagerState::Running, plays));
        stage.manager.close().await;
        let calls = stage.take_calls();
        let told =
            calls.iter().rfind(|call| call.starts_with("start ") || call.starts_with("sync ")).unwrap();
        assert!(told.ends_with(&format!(" {plays} {rate}")), "{told}, not {plays} {rate}");
        let mut playing = None;
        for call in &calls {
            match call.split(' ').collect::<Vec<_>>()[..] {
                ["start", id, _] => assert_eq!(playing.replace(id), None, "two play"),
                ["stop", id] => assert_eq!(playing.take(), Some(id), "stopped, and did not play"),
                _ => {}
            }
        }
        assert_eq!((playing, stage.alive(), stage.most_alive()), (None, 0, 1));
    }
}
