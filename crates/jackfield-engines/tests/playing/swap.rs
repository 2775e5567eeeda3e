//! One program takes over from another while it sounds.

use crate::support::{Control, check_samples, processor, project, runner};
use jackfield_engines::{Carry, Knobs, Processor, Program, Project, ResetReason, Seam, Swap, Voice};
use jackfield_testkit::fixtures;
use jackfield_testkit::realtime;
use sha2::{Digest, Sha256};
use std::f32::consts::FRAC_PI_2;
use std::sync::Arc;

const BLOCK: usize = 128;

/// A processor that plays, and the samples it has played: left and right.
struct Stage {
    processor: Processor,
    control: Control,
    playing: Arc<Project>,
    played: [Vec<f32>; 2],
}

impl Stage {
    fn new(name: &str) -> Self {
        let playing = project(name);
        let (knobs, _) = Knobs::new().connect(playing.map.clone());
        let (processor, control) = processor(&playing, 0, knobs, None);
        Self { processor, control, playing, played: [Vec::new(), Vec::new()] }
    }

    /// Without touching the allocator.
    fn play(&mut self, frames: usize, device_block: usize) {
        self.run(frames, |processor, output| {
            realtime(|| {
                for block in output.chunks_mut(device_block * 2) {
                    processor.process(&[], block);
                }
            });
        });
    }

    fn run(&mut self, frames: usize, play: impl FnOnce(&mut Processor, &mut [f32])) {
        let mut output = vec![f32::NAN; frames * 2];
        Program::prepare_thread();
        play(&mut self.processor, &mut output);
        for frame in output.chunks(2) {
            self.played[0].push(frame[0]);
            self.played[1].push(frame[1]);
        }
    }

    fn send(&mut self, name: &str, fade: usize) -> Carry {
        let next = project(name);
        let (knobs, _) = Knobs::new().connect(next.map.clone());
        let (voice, _monitor) = Voice::new(runner(&next), knobs);
        let carry = Carry::between(&self.playing.map, &next.map, |_| false);
        self.control.swaps.send(Box::new(Swap::new(voice, carry.clone(), fade))).unwrap();
        self.playing = next;
        carry
    }

    fn seam(&mut self) -> Seam {
        self.control.swaps.take_back().unwrap().seam()
    }

    fn memory(self) -> String {
        let size = fixtures::expected(&self.playing.name)["memory"]["allocatedMemorySize"].as_u64().unwrap();
        let (voice, _) = self.processor.into_parts();
        let digest = Sha256::digest(&voice.instance().memory()[..size as usize]);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

// J-24, F.2
#[test]
fn an_edit_that_moves_nothing_keeps_every_value_but_the_edited_defaults() {
    let expected = &fixtures::expected("first-light-b")["liveSwap"];
    for device_block in [64, 128, 480] {
        let mut stage = Stage::new("first-light");
        stage.play(64 * BLOCK, device_block);
        let carry = stage.send("first-light-b", 0);
        let reset: Vec<&str> = carry.report().reset.iter().map(|(id, _)| id.as_str()).collect();
        let mut patched: Vec<&str> = Vec::new();
        for patch in expected["patchedDefaults"].as_array().unwrap() {
            patched.push(patch["memoryId"].as_str().unwrap());
        }
        patched.sort_unstable();
        let mut sorted = reset.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, patched);
        assert!(carry.report().reset.iter().all(|(_, reason)| *reason == ResetReason::OtherDefault));
        stage.play(64 * BLOCK, device_block);
        for (channel, played) in stage.played.iter().enumerate() {
            let samples = fixtures::samples(&expected["outputs"][channel]["float32Base64"]);
            check_samples(&played[64 * BLOCK..], &samples);
        }
        assert_eq!(stage.memory(), expected["memoryAfter64Buffers"]["sha256"]);
    }
}

// J-24, F.3
#[test]
fn an_edit_that_moves_things_carries_values_by_name() {
    let expected = &fixtures::expected("first-light-c")["liveSwap"]["carriedByName"];
    let mut stage = Stage::new("first-light");
    stage.play(64 * BLOCK, 128);
    let carry = stage.send("first-light-c", 0);
    assert_eq!(carry.report().carried, expected["carriedCount"].as_u64().unwrap() as usize);
    let mut reset: Vec<&str> = carry.report().reset.iter().map(|(id, _)| id.as_str()).collect();
    reset.sort_unstable();
    let mut expected_reset: Vec<&str> =
        expected["notCarried"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    expected_reset.sort_unstable();
    assert_eq!(reset, expected_reset);
    assert_eq!(carry.report().gone, ["delay.feedback"]);
    stage.play(64 * BLOCK, 128);
    for (channel, played) in stage.played.iter().enumerate() {
        let samples = fixtures::samples(&expected["outputs"][channel]["float32Base64"]);
        check_samples(&played[64 * BLOCK..], &samples);
    }
    assert_eq!(stage.memory(), expected["memoryAfter64Buffers"]["sha256"]);
}

// J-24: equal power
#[test]
fn a_fade_is_known_sample_by_sample_and_leaves_nothing_behind() {
    const FADE: usize = 960;
    for device_block in [1, 64, 127, 480, 4096] {
        let mut stage = Stage::new("dc");
        stage.play(1024, device_block.min(1024));
        stage.send("ramp", FADE);
        stage.play(4096, device_block);
        // A swap waits for the edge of a program block, which may have been played half already.
        let first = stage.played[0].iter().position(|sample| *sample != 0.25).unwrap();
        assert_eq!(first % BLOCK, 0);
        let ramp = |frame: usize| (frame % 65536) as f32 * ramp_step();
        for (place, sample) in stage.played[0][first..].iter().enumerate() {
            let gain = |frame: usize| ((frame as f32 + 0.5) / FADE as f32 * FRAC_PI_2).sin();
            let expected = match place {
                0..FADE => ramp(place) * gain(place) + 0.25 * gain(FADE - 1 - place),
                _ => ramp(place),
            };
            assert_eq!(sample.to_bits(), expected.to_bits(), "frame {place}");
        }
        assert!(stage.control.swaps.take_back().is_some());
        assert!(stage.control.swaps.take_back().is_none());
    }
}

/// What `ramp` adds to its left channel from frame to frame.
fn ramp_step() -> f32 {
    let expected = fixtures::expected("ramp");
    fixtures::samples(&expected["outputs"][0]["float32Base64"])[1]
}

#[test]
fn how_smooth_it_was_is_measured() {
    let mut stage = Stage::new("dc");
    stage.play(1024, 128);
    stage.send("ramp", 0);
    stage.play(128, 128);
    let Seam { usual, largest } = stage.seam();
    assert_eq!(usual, 0.0, "`dc` stands still");
    let right = stage.played[1][1024] + 0.25;
    let within = fixtures::samples(&fixtures::expected("ramp")["outputs"][1]["float32Base64"]);
    let within = within[..128].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert_eq!(largest, 0.25_f32.max(right.abs()).max(within), "the step at the edge");
}

#[test]
fn swaps_that_come_faster_than_they_can_be_played_are_played_one_after_the_other() {
    let mut stage = Stage::new("dc");
    stage.play(128, 128);
    stage.send("ramp", 256);
    stage.send("dc", 0);
    stage.play(1024, 128);
    assert_eq!(stage.played[0][128 + 256 + 1..], vec![0.25; 1024 - 257]);
    assert!(stage.control.swaps.take_back().is_some() && stage.control.swaps.take_back().is_some());
}

// J-25
#[test]
fn a_program_takes_over_from_one_that_broke() {
    let mut stage = Stage::new("trap-later");
    // A block that traps may allocate.
    stage.run(258 * BLOCK, |processor, output| processor.process(&[], output));
    assert!(stage.control.voice.is_faulted());
    stage.send("dc", 0);
    stage.play(256, 128);
    assert_eq!(stage.played[0][258 * BLOCK..], vec![0.25; 256]);
}
