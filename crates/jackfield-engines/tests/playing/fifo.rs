use jackfield_engines::{BLOCK_FRAMES, Block, BlockFifo};
use proptest::prelude::*;

/// Plays `frames` frames in device blocks of these sizes, again and again. The program counts frames on its first
/// channel and gives back its input on the second.
fn play(inputs: usize, frames: usize, sizes: &[usize]) -> Vec<[f32; 2]> {
    let mut fifo = BlockFifo::new(inputs, 2);
    let mut count = 0;
    let mut played = Vec::new();
    for size in sizes.iter().cycle() {
        let size = (*size).min(frames - played.len());
        let input: Vec<f32> = (0..size * inputs).map(|n| (played.len() + n + 1) as f32).collect();
        let mut output = vec![f32::NAN; size * 2];
        fifo.process(&input, &mut output, |input, output| {
            for frame in 0..BLOCK_FRAMES {
                output[0][frame] = (count + frame) as f32;
                output[1][frame] = input.first().map_or(0.0, |channel: &Block| channel[frame]);
            }
            count += BLOCK_FRAMES;
        });
        played.extend_from_slice(output.as_chunks().0);
        if played.len() == frames {
            break;
        }
    }
    played
}

// J-26
#[test]
fn without_input_there_is_no_latency_at_any_block_size() {
    for size in [1, 64, 127, 128, 480, 1024, 4096] {
        let played = play(0, 5000, &[size]);
        assert!(played.iter().enumerate().all(|(at, frame)| *frame == [at as f32, 0.0]), "blocks of {size}");
    }
}

// J-26
#[test]
fn with_input_the_output_is_one_program_block_behind_at_any_block_size() {
    assert_eq!(BlockFifo::new(1, 2).latency(), 128);
    for size in [1, 64, 127, 128, 480, 1024, 4096] {
        for (at, frame) in play(1, 5000, &[size]).into_iter().enumerate() {
            let expected = at.checked_sub(128).map_or([0.0, 0.0], |at| [at as f32, (at + 1) as f32]);
            assert_eq!(frame, expected, "frame {at} in blocks of {size}");
        }
    }
}

#[test]
fn missing_input_is_silence_and_an_incomplete_frame_too() {
    let mut fifo = BlockFifo::new(1, 2);
    let mut output = [9.0; 257];
    let mut taken = Vec::new();
    fifo.process(&[1.0, 2.0], &mut output, |input, output| {
        taken.extend_from_slice(&input[0]);
        output.as_flattened_mut().fill(3.0);
    });
    assert_eq!(taken[..3], [1.0, 2.0, 0.0]);
    assert!(output.iter().all(|sample| *sample == 0.0));
}

proptest! {
    #[test]
    fn how_the_device_cuts_the_stream_makes_no_difference(
        inputs in 0usize..2,
        sizes in prop::collection::vec(1usize..600, 1..8),
    ) {
        prop_assert_eq!(play(inputs, 2000, &sizes), play(inputs, 2000, &[2000]));
    }
}
