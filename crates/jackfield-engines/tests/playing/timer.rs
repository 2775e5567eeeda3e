use crate::support::{Session, misbehaving, project};
use jackfield_engines::{
    EngineEvent, EngineFactory, EngineId, ManualClock, Project, TimerEngine, TimerStats, Value,
};
use std::sync::Arc;
use std::time::Duration;

fn worker() -> (Session, ManualClock) {
    let clock = ManualClock::new();
    let engine = TimerEngine::worker_with_clock(Arc::new(clock.clone()));
    let engine = engine.with_call_limit(Duration::from_millis(100));
    (Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]), clock)
}

fn main_engine() -> Session {
    Session::new([Arc::new(TimerEngine::main()) as Arc<dyn EngineFactory>])
}

/// A project asking for another engine.
fn for_engine(name: &str, runtime: &str) -> Arc<Project> {
    let mut project = Project::clone(&project(name));
    project.config.runtime_settings[0].runtime = runtime.to_owned();
    Arc::new(project)
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn ticks(session: &Session) -> u64 {
    session.console.load().read().blocks
}

fn stats(session: &Session) -> Vec<TimerStats> {
    let heard = session.heard.lock().unwrap();
    heard
        .iter()
        .filter_map(|event| match event {
            EngineEvent::Stats { stats, .. } => Some(*stats),
            _ => None,
        })
        .collect()
}

// E.1
#[tokio::test]
async fn the_worker_ticks_at_the_projects_rate() {
    let (session, clock) = worker();
    session.play(project("tally")).await;
    clock.advance(ms(19));
    assert_eq!(ticks(&session), 0);
    for _ in 0..50 {
        clock.advance(ms(20));
    }
    assert_eq!(ticks(&session), 50);
    session.manager.close().await;
}

// E.1: floor(1000 / 60) = 16 ms would be 62 ticks.
#[tokio::test]
async fn a_rate_that_is_no_whole_number_of_milliseconds_is_kept_exactly() {
    let (session, clock) = worker();
    session.play_at(project("tally"), 60).await;
    for _ in 0..100 {
        clock.advance(ms(10));
    }
    assert_eq!(ticks(&session), 60);
    session.manager.close().await;
}

// E.1
#[tokio::test]
async fn every_ten_seconds_the_worker_says_how_well_it_keeps_time() {
    let (session, clock) = worker();
    session.play(project("tally")).await;
    for _ in 0..500 {
        clock.advance(ms(20));
    }
    let stats = stats(&session);
    assert_eq!(stats.len(), 1);
    assert_eq!((stats[0].ticks, stats[0].skipped, stats[0].interval), (500, 0, ms(20)));
    assert!((stats[0].precision_percent - 100.0).abs() < 1e-6, "{stats:?}");
    session.manager.close().await;
}

#[tokio::test]
async fn after_a_pause_the_worker_makes_up_for_a_tenth_of_a_second() {
    let (session, clock) = worker();
    session.play(project("tally")).await;
    clock.advance(Duration::from_secs(10));
    assert_eq!((ticks(&session), session.console.load().read().late), (5, 495));
    session.manager.close().await;
}

/// Its 65th tick never returns.
fn late_runaway() -> Arc<Project> {
    let mut project = Project::clone(&misbehaving("late-runaway"));
    project.config.runtime_settings[0].runtime = "worker".to_owned();
    project.config.runtime_settings[0].settings.insert("sampleRate".to_owned(), 1000.into());
    Arc::new(project)
}

// J-25; in 8f4e the timer goes on and traps again.
#[tokio::test]
async fn a_program_that_does_not_return_ticks_no_more_and_says_why() {
    let (session, clock) = worker();
    session.play(late_runaway()).await;
    clock.advance(ms(60));
    clock.advance(ms(60));
    clock.advance(ms(60));
    assert_eq!(ticks(&session), 64);
    let reason = session.fault().await;
    assert!(reason.contains("took too long"), "{reason}");
    session.manager.close().await;
}

#[tokio::test]
async fn a_knob_reaches_a_timer_program_before_its_next_tick() {
    let (session, clock) = worker();
    session.play(late_runaway()).await;
    clock.advance(ms(1));
    session.console.knobs().set("spin.calls", 60.0).unwrap();
    clock.advance(ms(50));
    session.fault().await;
    assert_eq!(ticks(&session), 5);
    session.manager.close().await;
}

// E.1
#[tokio::test(start_paused = true)]
async fn the_main_engine_ticks_on_the_hosts_own_loop() {
    let session = main_engine();
    session.play(for_engine("tally", "MainThreadLogicRuntime")).await;
    assert_eq!(session.active(), Some("main".to_owned()));
    tokio::time::sleep(ms(10_005)).await;
    assert_eq!(ticks(&session), 500);
    assert_eq!(stats(&session).len(), 1);
    session.manager.close().await;
    let ticked = ticks(&session);
    tokio::time::sleep(ms(1000)).await;
    assert_eq!(ticks(&session), ticked);
}

#[tokio::test]
async fn a_rate_that_cannot_be_is_refused_with_a_reason() {
    let (session, _clock) = worker();
    session.play(project("tally")).await;
    let mut config = project("tally").config.clone();
    config.runtime_settings[0].settings.insert("sampleRate".to_owned(), 0.into());
    session.store.compiled_project_config.set(config);
    assert!(!session.manager.apply().await.is_applied());
    let failed = session.manager.status().borrow().failed.clone().unwrap();
    assert!(failed.reason.contains("settings of engine `worker`"), "{failed:?}");
    assert_eq!(session.manager.status().borrow().active, Some(EngineId::new("worker")));
    session.manager.close().await;
}

#[tokio::test]
async fn without_a_project_there_is_nothing_to_tick() {
    let (session, _clock) = worker();
    assert!(!session.manager.apply().await.is_applied());
    let failed = session.manager.status().borrow().failed.clone().unwrap();
    assert!(failed.reason.ends_with("there is no project to play yet"), "{failed:?}");
}

// J-24, F.3
#[tokio::test]
async fn an_edited_program_goes_on_counting_where_the_one_before_it_was() {
    let (session, clock) = worker();
    let count = session.console.gauges().watch("counter.count").unwrap();
    let rises = session.console.gauges().watch("edges.rises").unwrap();
    session.play(project("tally")).await;
    for _ in 0..10 {
        clock.advance(ms(20));
    }
    assert_eq!(count.read(), Some(Value::I32(10)));
    // The same code, and another project for all that: it has no snapshot.
    let mut edited = Project::clone(&project("tally"));
    edited.snapshot = None;
    session.play(Arc::new(edited)).await;
    for _ in 0..90 {
        clock.advance(ms(20));
    }
    assert_eq!((count.read(), rises.read()), (Some(Value::I32(100)), Some(Value::I32(12))));
    let heard = session.heard.lock().unwrap().clone();
    let swapped = heard.iter().filter(|event| matches!(event, EngineEvent::Swapped { seam: None, .. }));
    let begun = heard.iter().filter(|event| matches!(event, EngineEvent::Initialized { .. }));
    assert_eq!((swapped.count(), begun.count()), (1, 1));
    session.manager.close().await;
}
