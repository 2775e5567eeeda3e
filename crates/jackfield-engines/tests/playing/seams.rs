//! Programs that take over while a device asks for blocks of any size: every sample is known, and none is late.

use crate::support::{Session, check_samples, offline, project};
use jackfield_engines::{
    AudioEngine, AudioTuning, EngineEvent, EngineFactory, ManualClock, NullDevice, Project,
};
use std::f32::consts::FRAC_PI_2;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

const RATE: usize = 48_000;
const BLOCK: usize = 128;

/// Blocks of a device, in frames.
const DEVICE_BLOCKS: [usize; 6] = [64, 1, 127, 128, 480, 4096];

/// Plays `before` for a while, has `after` take over, and plays on; returns what was played, interleaved, and at which
/// frame the second was asked for. Nothing is late on the way.
async fn played(before: Arc<Project>, after: Arc<Project>, fade: usize, block: usize) -> (Vec<f32>, usize) {
    let clock = ManualClock::new();
    let fade = Duration::from_nanos((fade * 1_000_000_000 / RATE) as u64);
    let engine = AudioEngine::new(Arc::new(NullDevice::with_clock(Arc::new(clock.clone()))))
        .with_block(block)
        .with_tuning(move || AudioTuning::default().with_fade(fade));
    let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
    let (sender, mut swapped) = mpsc::unbounded_channel();
    let _heard = session.events.subscribe(move |event| {
        if matches!(event, EngineEvent::Swapped { .. }) {
            sender.send(()).ok();
        }
    });
    let mut tape = session.console.tape();
    let pass = || (0..4).for_each(|_| clock.advance(Duration::from_millis(87)));
    session.play(before).await;
    pass();
    let at = tape.written() as usize;
    session.play(after).await;
    pass();
    swapped.recv().await.unwrap();
    let mut played = vec![0.0; 2 * 2 * RATE];
    let read = tape.read(&mut played);
    played.truncate(read.frames * 2);
    let load = session.console.load().read();
    assert_eq!((read.lost, load.late, load.overruns), (0, 0, 0));
    assert_eq!(load.blocks as usize * block, read.frames);
    assert_eq!(read.frames, RATE * 8 * 87 / 1000 / block * block);
    session.manager.close().await;
    (played, at)
}

/// `before` up to the first edge of a program block from frame `at` on, and from there `after` as it fades in.
fn expected(before: &[f32], after: &[f32], fade: usize, at: usize) -> Vec<f32> {
    let edge = at.div_ceil(BLOCK) * BLOCK;
    let gain = |frame: usize| ((frame as f32 + 0.5) / fade as f32 * FRAC_PI_2).sin();
    let mix = |(n, after): (usize, &f32)| {
        let (frame, before) = (n / 2, before[(edge * 2 + n).min(before.len() - 1)]);
        if frame < fade { after * gain(frame) + before * gain(fade - 1 - frame) } else { *after }
    };
    before[..edge * 2].iter().copied().chain(after.iter().enumerate().map(mix)).collect()
}

#[tokio::test]
async fn over_a_cut_and_a_fade_every_sample_is_known_whatever_the_block_of_the_device() {
    for block in DEVICE_BLOCKS {
        for fade in [0, 960] {
            let (found, at) = played(project("dc"), project("ramp"), fade, block).await;
            let frames = found.len() / 2;
            let (dc, ramp) = (offline(&project("dc"), frames), offline(&project("ramp"), frames));
            check_samples(&found, &expected(&dc, &ramp, fade, at)[..found.len()]);
        }
    }
}

/// The same program, and another project for all that.
fn edited(name: &str) -> Arc<Project> {
    let mut edited = Project::clone(&project(name));
    assert!(edited.snapshot.take().is_some());
    Arc::new(edited)
}

#[tokio::test]
async fn a_ramp_goes_on_where_the_one_before_it_was_without_a_frame_too_many_or_too_few() {
    for block in DEVICE_BLOCKS {
        let (found, _) = played(project("ramp"), edited("ramp"), 0, block).await;
        check_samples(&found, &offline(&project("ramp"), found.len() / 2));
        let (found, at) = played(project("ramp"), edited("ramp"), 960, block).await;
        let ramp = offline(&project("ramp"), found.len() / 2);
        let edge = at.div_ceil(BLOCK) * BLOCK;
        check_samples(&found, &expected(&ramp, &ramp[edge * 2..], 960, at));
    }
}
