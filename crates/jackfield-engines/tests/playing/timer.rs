use crate::support::{Session, misbehaving, project};
use jackfield_engines::{
    CatchUp, EngineEvent, EngineFactory, EngineId, ManualClock, Project, TimerEngine, TimerStats, Value,
};
use std::sync::{Arc, Mutex};
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

/// A worker that does about missed ticks what it is told at the moment.
fn worker_told(policy: &Arc<Mutex<CatchUp>>) -> (Session, ManualClock) {
    let (clock, policy) = (ManualClock::new(), Arc::clone(policy));
    let engine = TimerEngine::worker_with_clock(Arc::new(clock.clone()))
        .with_catch_up(move || *policy.lock().unwrap());
    (Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]), clock)
}

// E.1: 8f4e catches up with nothing.
#[tokio::test]
async fn what_becomes_of_missed_ticks_is_settled_by_whoever_plays_and_may_change_meanwhile() {
    let policy = Arc::new(Mutex::new(CatchUp::Skip));
    let (session, clock) = worker_told(&policy);
    session.play(project("tally")).await;
    let mut counted = (0, 0);
    let bounded = |milliseconds| CatchUp::Bounded(ms(milliseconds));
    for (now, run) in
        [(CatchUp::Skip, 1), (CatchUp::All, 50), (bounded(500), 25), (bounded(1), 1), (bounded(3000), 50)]
    {
        *policy.lock().unwrap() = now;
        clock.advance(ms(1000));
        counted = (counted.0 + run, counted.1 + 50 - run);
        assert_eq!((ticks(&session), session.console.load().read().late), counted, "{now:?}");
    }
    // A pause does not move what comes after it.
    clock.advance(ms(19));
    assert_eq!(ticks(&session), counted.0);
    clock.advance(ms(1));
    assert_eq!(ticks(&session), counted.0 + 1);
    session.manager.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_main_engine_makes_up_for_what_it_is_told_to() {
    let engine = TimerEngine::main().with_catch_up(|| CatchUp::All);
    let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
    session.play(for_engine("tally", "MainThreadLogicRuntime")).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    while ticks(&session) < 3000 {
        tokio::task::yield_now().await;
    }
    assert_eq!((ticks(&session), session.console.load().read().late), (3000, 0));
    session.manager.close().await;
}

// E.1: in 8f4e the first drift is no number or nonsense.
#[tokio::test]
async fn the_first_figures_are_those_of_a_tick_and_each_is_a_number() {
    let (session, clock) = worker();
    session.play_with_rate(project("tally"), 0.1).await;
    clock.advance(ms(10_003));
    let first = stats(&session)[0];
    assert_eq!((first.ticks, first.skipped, first.interval), (1, 0, Duration::from_secs(10)));
    assert!((first.drift_ms - 3.0).abs() < 1e-6, "{first:?}");
    assert!((first.precision_percent - 99.97).abs() < 1e-6, "{first:?}");
    assert_eq!(first.loop_time, Duration::ZERO);
    session.manager.close().await;
}

#[tokio::test]
async fn over_an_hour_no_tick_is_lost_or_won_at_any_rate() {
    for (rate, expected) in
        [(59.94, 215_784), (7.0, 25_200), (333.3, 1_199_880), (0.7, 2520), (1000.0, 3_600_000)]
    {
        let policy = Arc::new(Mutex::new(CatchUp::All));
        let (session, clock) = worker_told(&policy);
        session.play_with_rate(project("tally"), rate).await;
        // As late as a busy machine is, and never by the same time.
        let mut passed = ms(0);
        for turn in 0.. {
            let step = ms(173 + turn * 7 % 1009).min(Duration::from_secs(3600) - passed);
            if step.is_zero() {
                break;
            }
            clock.advance(step);
            passed += step;
        }
        assert_eq!((ticks(&session), session.console.load().read().late), (expected, 0), "{rate}");
        let stats = stats(&session);
        assert!(stats.len() <= 360 && stats.len() > 200, "{}", stats.len());
        assert!(stats.iter().all(|stats| stats.drift_ms.is_finite() && stats.precision_percent.is_finite()));
        session.manager.close().await;
    }
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
