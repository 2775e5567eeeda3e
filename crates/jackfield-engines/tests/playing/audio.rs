use crate::support::{Session, check_samples, misbehaving, offline, project};
use jackfield_engines::{
    AudioEngine, Device, DeviceError, EngineEvent, EngineFactory, EngineId, ManualClock, NullDevice, Stream,
    StreamSetup, TimerEngine,
};
use std::sync::Arc;
use std::time::Duration;

/// An audio engine on a device that plays when the clock is moved, and its clock.
fn by_hand(block: usize) -> (Arc<dyn EngineFactory>, ManualClock) {
    let clock = ManualClock::new();
    let device = Arc::new(NullDevice::with_clock(Arc::new(clock.clone())));
    let engine = AudioEngine::new(device).with_block(block).with_call_limit(Duration::from_millis(100));
    (Arc::new(engine), clock)
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[tokio::test]
async fn a_project_is_played_on_the_device_and_the_tape_holds_it() {
    for block in [64, 480, 1024] {
        let (engine, clock) = by_hand(block);
        let session = Session::new([engine]);
        session.play(project("first-light")).await;
        let mut tape = session.console.tape();
        clock.advance(ms(50));
        clock.advance(ms(50));
        let frames = 4800 / block * block;
        let mut played = vec![0.0; 4800 * 2];
        assert_eq!(tape.read(&mut played).frames, frames);
        check_samples(&played[..frames * 2], &offline(&project("first-light"), frames));
        session.manager.close().await;
    }
}

#[tokio::test]
async fn an_engine_says_what_plays_where_and_when_it_no_longer_does() {
    let (engine, _clock) = by_hand(480);
    let session = Session::new([engine]);
    session.play(project("dc")).await;
    let playing = session.console.playing().borrow().clone().unwrap();
    assert_eq!(playing.device.as_deref(), Some("null device, keeping time"));
    assert_eq!((playing.engine, playing.latency), (AudioEngine::ID, 0));
    let expected = EngineEvent::Initialized {
        engine: AudioEngine::ID,
        sample_rate: 48_000.0,
        device: Some("null device, keeping time".to_owned()),
    };
    assert_eq!(*session.heard.lock().unwrap(), [expected]);
    session.manager.close().await;
    assert_eq!(*session.console.playing().borrow(), None);
}

#[tokio::test]
async fn the_tape_goes_on_through_a_change_of_engines() {
    let (engine, clock) = by_hand(480);
    let session = Session::new([engine]);
    let mut tape = session.console.tape();
    session.play(project("dc")).await;
    clock.advance(ms(10));
    session.play_at(project("ramp"), 96_000).await;
    clock.advance(ms(10));
    let mut played = vec![0.0; 1440 * 2];
    assert_eq!(tape.read(&mut played).frames, 1440);
    check_samples(&played[..960], &offline(&project("dc"), 480));
    check_samples(&played[960..], &offline(&project("ramp"), 960));
    session.manager.close().await;
}

#[tokio::test]
async fn a_knob_that_was_turned_before_is_heard_from_the_first_block_on_and_outlives_the_engine() {
    let (engine, clock) = by_hand(480);
    let session = Session::new([engine]);
    session.console.knobs().set("speakers.leftLevel", 0.75).unwrap();
    let mut tape = session.console.tape();
    for rate in [48_000, 24_000] {
        session.play_at(project("dc"), rate).await;
        clock.advance(ms(20));
        let mut first = [0.0; 2];
        tape.read(&mut first);
        assert_eq!(first, [0.75, -0.25]);
        tape.skip_to_now();
    }
    session.manager.close().await;
}

// J-25
#[tokio::test]
async fn a_program_that_traps_is_silenced_and_the_device_plays_on() {
    let (engine, clock) = by_hand(128);
    let session = Session::new([engine]);
    session.play(project("trap-later")).await;
    for _ in 0..14 {
        clock.advance(ms(50));
    }
    let reason = session.fault().await;
    assert!(reason.contains("not a number or out of range"), "{reason}");
    let mut latest = [1.0; 256];
    session.console.tape().latest(&mut latest);
    assert!(latest.iter().all(|sample| *sample == 0.0));
    let blocks = session.console.load().read().blocks;
    clock.advance(ms(50));
    assert!(session.console.load().read().blocks > blocks);
    assert!(session.heard.lock().unwrap().iter().any(|event| matches!(event, EngineEvent::Faulted { .. })));
    session.manager.close().await;
}

#[tokio::test]
async fn after_a_fault_the_same_project_makes_a_new_start() {
    let (engine, clock) = by_hand(128);
    let session = Session::new([engine]);
    session.play(project("trap-later")).await;
    for _ in 0..14 {
        clock.advance(ms(50));
    }
    session.fault().await;
    session.play(project("trap-later")).await;
    clock.advance(ms(50));
    let mut latest = [0.0; 2048];
    session.console.tape().latest(&mut latest);
    assert!(latest.iter().any(|sample| *sample != 0.0));
    session.is_well().await;
    session.manager.close().await;
}

// J-25
#[tokio::test]
async fn a_program_that_does_not_return_is_ended_by_the_watchdog() {
    let (engine, clock) = by_hand(128);
    let session = Session::new([engine]);
    session.play(misbehaving("late-runaway")).await;
    // Returns when the device's thread is free again, so the call has been ended by then.
    for _ in 0..4 {
        clock.advance(ms(50));
    }
    let reason = session.fault().await;
    assert!(reason.contains("took too long"), "{reason}");
    session.manager.close().await;
}

#[tokio::test]
async fn an_equal_project_plays_on_and_another_rate_makes_a_new_start() {
    let (engine, clock) = by_hand(480);
    let session = Session::new([engine]);
    session.play(project("ramp")).await;
    clock.advance(ms(10));
    session.play(project("ramp")).await;
    clock.advance(ms(10));
    assert_eq!(session.console.tape().written(), 960);
    assert_eq!(session.heard.lock().unwrap().len(), 1);
    session.play_at(project("ramp"), 24_000).await;
    let playing = session.console.playing().borrow().clone().unwrap();
    assert_eq!(playing.sample_rate.to_bits(), 24_000f64.to_bits());
    session.manager.close().await;
}

#[tokio::test]
async fn a_project_that_cannot_be_played_leaves_the_one_before_playing() {
    let (engine, clock) = by_hand(480);
    let session = Session::new([engine]);
    session.play(project("ramp")).await;
    let bad = misbehaving("bad-import");
    session.store.load(bad);
    let mut status = session.manager.status();
    let failed = status.wait_for(|status| status.failed.is_some()).await.unwrap().failed.clone().unwrap();
    assert!(
        failed.reason.contains("engine `audio` did not take over the change: the program cannot be played"),
        "{failed:?}"
    );
    clock.advance(ms(10));
    assert_eq!(session.console.tape().written(), 480);
    session.manager.close().await;
}

struct NoCard;

impl Device for NoCard {
    fn name(&self) -> String {
        "card".to_owned()
    }

    fn open(&self, setup: StreamSetup) -> Result<Box<dyn Stream>, DeviceError> {
        drop(setup);
        Err(DeviceError::NotThere { device: self.name(), source: "unplugged".into() })
    }
}

#[tokio::test]
async fn without_the_first_device_the_second_plays() {
    let clock = ManualClock::new();
    let null = Arc::new(NullDevice::with_clock(Arc::new(clock.clone())));
    let engine = AudioEngine::new(Arc::new(NoCard)).or_on(null).with_block(480);
    let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
    session.play(project("ramp")).await;
    clock.advance(ms(10));
    assert_eq!(session.console.tape().written(), 480);
    session.manager.close().await;
}

#[tokio::test]
async fn without_any_device_the_request_is_refused_with_the_reason() {
    let session = Session::new([Arc::new(AudioEngine::new(Arc::new(NoCard))) as Arc<dyn EngineFactory>]);
    session.store.compiled_project_config.set(project("dc").config.clone());
    session.store.project.set(Some(project("dc")));
    assert!(!session.manager.apply().await.is_applied());
    let reason = session.manager.status().borrow().failed.clone().unwrap().reason;
    let expected =
        "engine `audio` did not start: the device cannot be opened: device `card` is not there: unplugged";
    assert_eq!(reason, expected);
    assert_eq!(*session.console.playing().borrow(), None);
    // The tape is back for the next engine.
    assert!(session.console.take_writer().is_some());
}

// The first seed: fallback to the default engine.
#[tokio::test]
async fn when_the_audio_engine_is_withdrawn_the_worker_plays_the_same_project() {
    let (audio, _clock) = by_hand(480);
    let worker = TimerEngine::worker_with_clock(Arc::new(ManualClock::new()));
    let session = Session::new([Arc::new(worker) as Arc<dyn EngineFactory>, audio]);
    session.play(project("first-light")).await;
    assert_eq!(session.active().as_deref(), Some("audio"));
    let registry = session.store.runtime_registry.get();
    session.store.runtime_registry.set(registry.without(&AudioEngine::ID));
    let mut status = session.manager.status();
    status.wait_for(|status| status.active == Some(EngineId::new("worker"))).await.unwrap();
    // 48000 ticks a second are not for a timer, so it keeps its own 50.
    let playing = session.console.playing().borrow().clone().unwrap();
    assert_eq!(playing.sample_rate.to_bits(), 50f64.to_bits());
    session.manager.close().await;
}
