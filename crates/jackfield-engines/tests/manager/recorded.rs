//! The event logs that were recorded from 8f4e's own manager, played to ours.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use crate::stage::{Act, Stage, Step};
use jackfield_engines::{EngineRegistry, ManagerState};
use jackfield_testkit::fixtures;
use serde_json::Value;

/// The decision, the calls after each compilation, and the log.
type Decided = (&'static str, &'static [&'static [&'static str]], &'static [&'static str]);

/// What we do where we decided otherwise.
fn decided(scenario: &str) -> Option<Decided> {
    Some(match scenario {
        "factory throws, next compile tries again" => (
            "J-21",
            const {
                &[
                    &["prepare a", "start a 50"],
                    &["prepare b", "stop a", "start b 60", "prepare a", "start a 50"],
                    &["prepare b", "stop a", "start b 60"],
                ]
            },
            &[
                "Requesting runtime: a",
                "Loaded runtime from registry: a",
                "Successfully initialized runtime: a",
                "Requesting runtime: b",
                "Loaded runtime from registry: b",
                "Destroying runtime: a",
                "Successfully initialized runtime: a",
                "Requesting runtime: b",
                "Loaded runtime from registry: b",
                "Destroying runtime: a",
                "Successfully initialized runtime: b",
            ],
        ),
        "unknown runtime id falls back to default; later default id is a different id" => (
            "J-22",
            const { &[&["prepare a", "start a 50"], &["sync a 50"], &["sync a 50"]] },
            &[
                "Requesting runtime: Nope",
                "Unknown runtime Nope, falling back to default: a",
                "Successfully initialized runtime: a",
                "Requesting runtime: a",
                "Loaded runtime from registry: a",
            ],
        ),
        "unknown id and default missing from registry" => {
            ("nothing is made", const { &[&[]] }, &["Requesting runtime: Nope"])
        }
        "re-entrant compile event from inside a factory is skipped by the lock" => (
            "J-20",
            const { &[&["prepare a", "start a 50", "sync a 50"]] },
            &[
                "Requesting runtime: a",
                "Loaded runtime from registry: a",
                "Successfully initialized runtime: a",
            ],
        ),
        "destroy function throws: old runtime stays registered and is destroyed again next time" => (
            "one that breaks on its way out is gone",
            const { &[&["prepare a", "start a 50"], &["prepare b", "stop a", "start b 60"], &["sync b 60"]] },
            &[
                "Requesting runtime: a",
                "Loaded runtime from registry: a",
                "Successfully initialized runtime: a",
                "Requesting runtime: b",
                "Loaded runtime from registry: b",
                "Destroying runtime: a",
                "Successfully initialized runtime: b",
            ],
        ),
        "runtimeSettings missing" => (
            "C.1: the default settings name the default engine",
            const { &[&["prepare a", "start a 50"]] },
            &[
                "Requesting runtime: a",
                "Loaded runtime from registry: a",
                "Successfully initialized runtime: a",
            ],
        ),
        "id that is a prototype key (\"toString\") passes the `in` check" => (
            "an unknown id like any other",
            const { &[&["prepare a", "start a 50"]] },
            &[
                "Requesting runtime: toString",
                "Unknown runtime toString, falling back to default: a",
                "Successfully initialized runtime: a",
            ],
        ),
        _ => return None,
    })
}

/// The recorded `A` and `B` are our `a` and `b`.
fn id(value: &Value) -> String {
    match value.as_str().unwrap() {
        known @ ("A" | "B") => known.to_lowercase(),
        other => other.to_owned(),
    }
}

/// The recorded calls after each compilation, as ours are: prepared before the old one stops (J-21), and a new engine is
/// made with its settings, where 8f4e syncs it twice.
fn agreed_calls(scenario: &Value) -> Vec<Vec<String>> {
    let mut turns: Vec<Vec<String>> = Vec::new();
    let mut is_new = false;
    for entry in scenario["calls"].as_array().unwrap() {
        if entry["step"] == "compile finished" {
            turns.push(Vec::new());
            is_new = false;
        }
        let Some(turn) = turns.last_mut() else { continue };
        match entry["call"].as_str() {
            Some("destroy") => turn.push(format!("stop {}", id(&entry["id"]))),
            Some("factory") => {
                turn.insert(0, format!("prepare {}", id(&entry["id"])));
                is_new = true;
            }
            Some("sync") if is_new => {
                let start = format!("start {} {}", id(&entry["id"]), entry["sampleRate"]);
                if !turn.contains(&start) {
                    turn.push(start);
                }
            }
            Some("sync") => turn.push(format!("sync {} {}", id(&entry["id"]), entry["sampleRate"])),
            _ => {}
        }
    }
    turns
}

/// The recorded log in the seed's words; what is destroyed is so after the next one has been found (J-21).
fn agreed_log(scenario: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut destroying = None;
    for entry in scenario["log"].as_array().unwrap() {
        let id = id(&entry["id"]);
        match entry["event"].as_str().unwrap() {
            "requested" => lines.push(format!("Requesting runtime: {id}")),
            "found" => {
                lines.push(format!("Loaded runtime from registry: {id}"));
                lines.extend(destroying.take());
            }
            "destroying" => destroying = Some(format!("Destroying runtime: {id}")),
            "online" => lines.push(format!("Successfully initialized runtime: {id}")),
            other => panic!("{other} is for a decision"),
        }
    }
    lines
}

/// Plays a scenario; returns what was done after each compilation.
async fn play(stage: &Stage, scenario: &Value) -> Vec<Vec<String>> {
    let log = scenario["log"].as_array().unwrap();
    let causes: Vec<&str> = log.iter().filter_map(|entry| entry["cause"].as_str()).collect();
    if causes.contains(&"there is no default entry") {
        stage.store.runtime_registry.set(EngineRegistry::default());
        tokio::task::yield_now().await;
    }
    if causes.contains(&"destroy A boom") {
        stage.next("a", Step::Stop, Act::Panic);
    }
    let mut is_reentrant = log.iter().any(|entry| entry["event"] == "busy");
    if let Some(first) = log.first() {
        stage.config(&id(&first["id"]), 50);
    }
    let calls = scenario["calls"].as_array().unwrap();
    for entry in calls.iter().filter(|entry| entry["throws"] == true) {
        stage.next(&id(&entry["id"]), Step::Start, Act::Fail);
    }
    let mut turns = Vec::new();
    for entry in calls {
        match entry["step"].as_str() {
            Some("settings changed") => {
                let rate = u32::try_from(entry["to"]["sampleRate"].as_u64().unwrap()).unwrap();
                stage.config(&id(&entry["to"]["runtime"]), rate);
            }
            Some("compile finished") if std::mem::take(&mut is_reentrant) => {
                let gate = stage.gate("a", Step::Start);
                stage.compiled();
                stage.until(|status| status.state == ManagerState::Starting).await;
                let second = stage.manager.apply();
                gate.add_permits(1);
                assert!(second.await.is_applied());
                turns.push(stage.take_calls());
            }
            Some("compile finished") => {
                // As `stage.compiled()`, and the end of it can be waited for.
                drop(stage.manager.apply().await);
                turns.push(stage.take_calls());
            }
            _ => {}
        }
    }
    turns
}

// D.1
#[tokio::test]
async fn every_recorded_scenario_goes_as_it_did_or_as_was_decided() {
    let file = fixtures::json("extras/runtimeManager.scenarios.json");
    let mut agreed = 0;
    for scenario in file["scenarios"].as_array().unwrap() {
        let name = scenario["name"].as_str().unwrap();
        let stage = Stage::new();
        let turns = play(&stage, scenario).await;
        match decided(name) {
            Some((decision, calls, log)) => {
                assert_eq!(turns, calls, "{name}: {decision}");
                stage.logs(log);
            }
            None => {
                agreed += 1;
                assert_eq!(turns, agreed_calls(scenario), "{name}");
                let log = agreed_log(scenario);
                stage.logs(&log.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
        assert!(stage.most_alive() <= 1, "{name}");
        stage.manager.close().await;
        assert_eq!(stage.alive(), 0, "{name}");
    }
    assert_eq!(agreed, 3, "each of the others has a decision");
}
