//! Programs that are edited while they play.

use crate::support::{Session, check_samples, project};
use jackfield_engines::{
    AudioEngine, AudioTuning, Device, EngineEvent, EngineFactory, ManualClock, NullDevice, OnFault, Project,
    StreamSetup,
};
use jackfield_testkit::fixtures;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

const BLOCK: Duration = Duration::from_nanos(128 * 1_000_000_000 / 48_000 + 1);

/// Counts how often it is opened.
#[derive(Debug)]
struct Counting(NullDevice, Arc<AtomicUsize>);
impl Device for Counting {
    fn name(&self) -> String {
        self.0.name()
    }
    fn open(
        &self,
        setup: StreamSetup,
    ) -> Result<Box<dyn jackfield_engines::Stream>, jackfield_engines::DeviceError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.open(setup)
    }
}

/// A session on a device that plays when the clock is moved, block by block.
struct Stage {
    session: Session,
    clock: ManualClock,
    opened: Arc<AtomicUsize>,
    swapped: mpsc::UnboundedReceiver<EngineEvent>,
    _heard: jackfield_engines::Subscription,
}

impl Stage {
    fn new(tuning: AudioTuning) -> Self {
        let (clock, opened) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
        let device = Counting(NullDevice::with_clock(Arc::new(clock.clone())), Arc::clone(&opened));
        let engine = AudioEngine::new(Arc::new(device))
            .with_block(128)
            .with_call_limit(Duration::from_millis(100))
            .with_tuning(move || tuning);
        let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
        let (sender, swapped) = mpsc::unbounded_channel();
        let heard = session.events.subscribe(move |event| {
            if matches!(event, EngineEvent::Swapped { .. }) {
                sender.send(event.clone()).ok();
            }
        });
        Self { session, clock, opened, swapped, _heard: heard }
    }

    fn play_blocks(&self, blocks: u32) {
        for _ in 0..blocks {
            self.clock.advance(BLOCK);
        }
    }

    /// What has been played since the last time, interleaved.
    fn taken(&self, tape: &mut jackfield_engines::TapeReader) -> Vec<f32> {
        let mut played = vec![0.0; 1 << 18];
        let frames = tape.read(&mut played).frames;
        played.truncate(frames * 2);
        played
    }
}

fn cut() -> AudioTuning {
    AudioTuning::default().with_fade(Duration::ZERO)
}

fn left(samples: &[f32]) -> Vec<f32> {
    samples.iter().step_by(2).copied().collect()
}

// J-24
#[tokio::test]
async fn an_edited_project_is_taken_up_without_opening_the_device_again() {
    let mut stage = Stage::new(cut());
    let mut tape = stage.session.console.tape();
    stage.session.play(project("first-light")).await;
    stage.play_blocks(64);
    stage.taken(&mut tape);
    stage.session.play(project("first-light-b")).await;
    stage.play_blocks(64);
    let expected = &fixtures::expected("first-light-b")["liveSwap"]["outputs"][0];
    let played = stage.taken(&mut tape);
    check_samples(&left(&played), &fixtures::samples(&expected["float32Base64"])[..played.len() / 2]);
    assert_eq!(stage.opened.load(Ordering::Relaxed), 1);
    let Some(EngineEvent::Swapped { project, carried, seam, .. }) = stage.swapped.recv().await else {
        panic!("nothing was told")
    };
    assert_eq!((project.as_str(), carried.reset.len()), ("first-light-b", 11));
    assert!(seam.unwrap().largest < 1.0);
    stage.session.manager.close().await;
}

#[tokio::test]
async fn edits_that_follow_each_other_are_all_taken_up_and_the_last_one_plays() {
    let mut stage = Stage::new(cut());
    stage.session.play(project("dc")).await;
    for name in ["ramp", "first-light", "dc", "first-light-b", "dc"] {
        stage.session.play(project(name)).await;
        stage.play_blocks(2);
        stage.swapped.recv().await.unwrap();
    }
    let mut latest = [0.0; 2];
    stage.session.console.tape().latest(&mut latest);
    assert_eq!((latest, stage.opened.load(Ordering::Relaxed)), ([0.25, -0.25], 1));
    stage.session.manager.close().await;
}

// J-25
#[tokio::test]
async fn where_that_is_wanted_the_program_before_plays_on_when_one_breaks() {
    let mut stage = Stage::new(cut().with_on_fault(OnFault::LastGood));
    stage.session.play(project("dc")).await;
    stage.play_blocks(2);
    stage.session.play(project("trap-later")).await;
    stage.play_blocks(1);
    stage.swapped.recv().await.unwrap();
    stage.play_blocks(260);
    let reason = stage.session.fault().await;
    assert!(reason.ends_with("; the one before it plays on"), "{reason}");
    stage.play_blocks(2);
    let Some(EngineEvent::Swapped { project, .. }) = stage.swapped.recv().await else { panic!("not told") };
    assert_eq!(project, "dc");
    let mut latest = [0.0; 2];
    stage.session.console.tape().latest(&mut latest);
    assert_eq!(latest, [0.25, -0.25]);
    assert!(
        stage.session.console.playing().borrow().clone().unwrap().fault.is_some(),
        "what was asked for is broken"
    );

    stage.session.play(self::project("ramp")).await;
    stage.play_blocks(1);
    stage.swapped.recv().await.unwrap();
    stage.session.is_well().await;
    stage.session.manager.close().await;
}

#[tokio::test]
async fn a_program_that_never_returns_gives_way_to_the_one_before_it() {
    let mut stage = Stage::new(cut().with_on_fault(OnFault::LastGood));
    stage.session.play(project("dc")).await;
    stage.play_blocks(2);
    let runaway = Arc::new(Project::load(fixtures::path("wat/late-runaway.project.json")).unwrap());
    stage.session.play(runaway).await;
    stage.play_blocks(70);
    stage.swapped.recv().await.unwrap();
    stage.session.fault().await;
    stage.play_blocks(2);
    stage.swapped.recv().await.unwrap();
    let mut latest = [0.0; 2];
    stage.session.console.tape().latest(&mut latest);
    assert_eq!(latest, [0.25, -0.25]);
    stage.session.manager.close().await;
}

#[tokio::test]
async fn knobs_turn_the_program_that_has_taken_over() {
    let mut stage = Stage::new(cut());
    stage.session.play(project("first-light")).await;
    stage.session.console.knobs().set("tempo.bpm", 120.0).unwrap();
    stage.play_blocks(2);
    stage.session.play(project("first-light-c")).await;
    stage.session.console.knobs().set("delay.repeats", 0.1).unwrap();
    stage.play_blocks(2);
    stage.swapped.recv().await.unwrap();
    stage.session.console.knobs().set("delay.feedback", 0.1).unwrap_err();
    stage.session.manager.close().await;
}
