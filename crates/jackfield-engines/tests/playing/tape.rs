use jackfield_engines::{Read, tape};
use jackfield_testkit::realtime;
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn what_was_written_is_read_in_order() {
    let (mut writer, mut reader) = tape(2, 8);
    writer.write(&[1.0, 2.0, 3.0, 4.0]);
    let mut into = [0.0; 8];
    assert_eq!(reader.read(&mut into), Read { frames: 2, lost: 0 });
    assert_eq!(into[..4], [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(reader.read(&mut into), Read::default());
}

#[test]
fn a_reader_that_comes_late_hears_how_much_it_missed() {
    let (mut writer, mut reader) = tape(1, 4);
    for frame in 0..10u8 {
        writer.write(&[f32::from(frame)]);
    }
    let mut into = [0.0; 8];
    assert_eq!(reader.read(&mut into), Read { frames: 4, lost: 6 });
    assert_eq!(into[..4], [6.0, 7.0, 8.0, 9.0]);
}

#[test]
fn every_reader_has_a_place_of_its_own() {
    let (mut writer, mut one) = tape(1, 4);
    writer.write(&[1.0, 2.0]);
    let mut into = [0.0; 1];
    assert_eq!(one.read(&mut into).frames, 1);
    let mut other = one.clone();
    assert_eq!((one.read(&mut into).frames, into), (1, [2.0]));
    assert_eq!((other.read(&mut into).frames, into), (1, [2.0]));
    other.skip_to_now();
    assert_eq!(other.read(&mut into).frames, 0);
}

#[test]
fn the_newest_frames_can_be_looked_at_without_moving() {
    let (mut writer, mut reader) = tape(1, 4);
    let mut into = [0.0; 3];
    assert_eq!(reader.latest(&mut into), 0);
    writer.write(&[1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!((reader.latest(&mut into), into), (3, [3.0, 4.0, 5.0]));
    assert_eq!(reader.read(&mut into), Read { frames: 3, lost: 1 });
}

#[test]
fn writing_and_reading_do_not_touch_the_allocator() {
    let (mut writer, mut reader) = tape(2, 64);
    let mut into = [0.0; 32];
    realtime(|| {
        writer.write(&[0.5; 96]);
        reader.read(&mut into);
        reader.latest(&mut into);
    });
}

#[test]
fn a_reader_on_another_thread_never_sees_a_torn_frame() {
    let (mut writer, mut reader) = tape(2, 64);
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for round in 0..200_000u32 {
                let frame = (round % 1_000_000) as f32;
                writer.write(&[frame, -frame, frame, -frame, frame, -frame]);
            }
            done.store(true, Ordering::Release);
        });
        let (mut seen, mut into) = (0, [0.0; 32]);
        loop {
            let ended = done.load(Ordering::Acquire);
            let read = reader.read(&mut into);
            for frame in into[..read.frames * 2].as_chunks::<2>().0 {
                assert!(frame[0] == -frame[1], "{frame:?}");
            }
            seen += read.frames as u64 + read.lost;
            if ended && read == Read::default() {
                break;
            }
        }
        assert_eq!(seen, 600_000);
    });
}

proptest! {
    #[test]
    fn a_tape_is_the_end_of_a_list(
        channels in 1usize..4,
        capacity in 1usize..20,
        steps in prop::collection::vec((0usize..40, 0usize..30), 1..30),
    ) {
        let (mut writer, mut reader) = tape(channels, capacity);
        let mut all: Vec<f32> = Vec::new();
        let mut at = 0;
        for (written, room) in steps {
            let first = all.len();
            all.extend((first..first + written * channels).map(|n| n as f32));
            writer.write(&all[first..]);

            let frames = all.len() / channels;
            let oldest = frames.saturating_sub(capacity).max(at);
            let expected = room.min(frames - oldest);
            let mut into = vec![0.0; room * channels];
            let read = reader.read(&mut into);
            prop_assert_eq!(read, Read { frames: expected, lost: (oldest - at) as u64 });
            prop_assert_eq!(
                &into[..expected * channels],
                &all[oldest * channels..(oldest + expected) * channels]
            );
            at = oldest + expected;

            let latest = reader.latest(&mut into);
            prop_assert_eq!(latest, room.min(frames).min(capacity));
            prop_assert_eq!(&into[..latest * channels], &all[all.len() - latest * channels..]);
        }
    }
}
