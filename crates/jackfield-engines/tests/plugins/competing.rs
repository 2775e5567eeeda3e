//! Two plugins want to be the engine for audio.

use crate::stage::{Recorded, Stage, engines, project};
use jackfield::Priority;
use jackfield_engines::{AUDIO, AudioEngine, EnginePlugin};
use std::sync::Arc;

async fn two() -> (Stage, Recorded, Recorded) {
    let (usual, other) = (Recorded::default(), Recorded::default());
    let engine = AudioEngine::new(Arc::new(other.clone()));
    let rival = EnginePlugin::new("engine-studio", "plays audio elsewhere", AUDIO, engine);
    (Stage::of(engines(&usual).plugin(rival), &project("dc/dc")).await, usual, other)
}

fn prefer(settings: &mut jackfield::RuntimeSettings, priority: Priority) {
    let pin = "engine-studio:engine.audio".parse().unwrap();
    settings.service_mut(pin).priority = Some(priority);
}

#[tokio::test]
async fn of_equals_the_one_that_was_added_first_plays() {
    let (_stage, usual, other) = two().await;
    assert_eq!((usual.take(), other.take()), (vec!["open"], vec![]));
}

#[tokio::test]
async fn priority_moves_what_plays_from_one_to_the_other_and_back() {
    let (stage, usual, other) = two().await;
    stage.change(|s| prefer(s, Priority::HIGH)).await.unwrap();
    assert_eq!((usual.take(), other.take()), (vec!["open", "close"], vec!["open"]));
    assert_eq!(stage.active().as_deref(), Some("audio"));
    stage.change(|s| prefer(s, Priority::LOW)).await.unwrap();
    assert_eq!((usual.take(), other.take()), (vec!["open"], vec!["close"]));
}

#[tokio::test]
async fn when_the_winner_is_switched_off_the_other_plays_and_not_the_default() {
    let (stage, usual, other) = two().await;
    stage.change(|s| s.disable("engine-audio")).await.unwrap();
    assert_eq!((usual.take(), other.take()), (vec!["open", "close"], vec!["open"]));
    assert_eq!((stage.active().as_deref(), stage.engines.status().stands_in), (Some("audio"), false));
}

#[tokio::test]
async fn a_winner_that_does_not_start_leaves_the_field_to_the_one_before() {
    let (stage, usual, other) = two().await;
    other.refuse(true);
    stage.change(|s| prefer(s, Priority::HIGH)).await.unwrap_err();
    assert_eq!((usual.take(), other.take()), (vec!["open", "close", "open"], vec![]));
    assert_eq!(stage.active().as_deref(), Some("audio"));
}
