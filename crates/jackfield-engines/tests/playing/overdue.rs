//! A lot is overdue, and somebody wants it to end, or to have a turn.

use crate::support::{Session, project};
use jackfield_engines::{
    Clock, Device, EngineFactory, LoadMeter, NullDevice, Render, Stop, StreamFormat, StreamSetup, TimerEngine,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LATE: Duration = Duration::from_millis(100);

/// A clock that is late from the start; whoever waits is told to end as soon as it asks for the time again.
#[derive(Default)]
struct EndsSoon {
    waiting: Mutex<Option<Stop>>,
}

impl Clock for EndsSoon {
    fn now(&self) -> Duration {
        match &*self.waiting.lock().unwrap() {
            None => Duration::ZERO,
            Some(stop) => {
                stop.set();
                LATE
            }
        }
    }

    fn wait_until(&self, _: Duration, stop: &Stop) -> bool {
        *self.waiting.lock().unwrap() = Some(stop.clone());
        !stop.is_set()
    }
}

struct Silence;

impl Render for Silence {
    fn render(&mut self, _: &[f32], output: &mut [f32]) {
        output.fill(0.0);
    }
}

#[test]
fn a_device_that_is_told_to_stop_leaves_out_the_blocks_that_are_overdue() {
    let load = LoadMeter::new();
    let setup = StreamSetup {
        format: StreamFormat::stereo(48_000).with_block(48),
        render: Box::new(Silence),
        load: load.probe(),
        lost: Box::new(|error| panic!("lost: {error}")),
    };
    let stream = NullDevice::with_clock(Arc::new(EndsSoon::default())).open(setup).unwrap();
    stream.stop().unwrap();
    assert_eq!(load.read().blocks, 0);
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_leaves_out_the_ticks_that_are_overdue() {
    let engine = TimerEngine::worker_with_clock(Arc::new(EndsSoon::default()));
    let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
    session.play_at(project("tally"), 1000).await;
    session.manager.close().await;
    assert_eq!(session.console.load().read().blocks, 0);
}

#[tokio::test(start_paused = true)]
async fn the_hosts_loop_gets_its_turn_between_two_ticks_that_are_overdue() {
    let session = Session::new([Arc::new(TimerEngine::main()) as Arc<dyn EngineFactory>]);
    session.play(project("tally")).await;
    let ticks = || session.console.load().read().blocks;
    tokio::time::advance(LATE).await;
    let mut turns = vec![ticks()];
    while ticks() < 5 {
        tokio::task::yield_now().await;
        turns.push(ticks());
    }
    turns.dedup();
    assert_eq!(turns.last(), Some(&5));
    assert!(turns.windows(2).all(|pair| pair[1] == pair[0] + 1), "{turns:?}");
    session.manager.close().await;
}
