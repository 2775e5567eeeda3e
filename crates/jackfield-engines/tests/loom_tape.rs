//! The tape under every order of its loads and stores that the memory model allows.
//!
//! The file under test is the library's own; only the atomics in it are loom's.

#![expect(dead_code, unreachable_pub, reason = "a file of the library is a module of this test")]

#[path = "../src/realtime/tape.rs"]
mod tape;

mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
}

use loom::thread;
use tape::{Read, tape};

/// Frame `n` holds `n + 1` in both channels, so a frame that is torn or out of its place shows.
fn frame(n: u64) -> [f32; 2] {
    [(n + 1) as f32; 2]
}

fn check(frames: &[f32], first: u64) {
    for (n, found) in frames.as_chunks::<2>().0.iter().enumerate() {
        assert_eq!(*found, frame(first + n as u64));
    }
}

#[test]
fn a_reader_finds_whole_frames_in_order_and_counts_what_it_missed() {
    loom::model(|| {
        let (mut writer, mut reader) = tape(2, 2);
        let writing = thread::spawn(move || {
            for n in 0..3 {
                writer.write(&frame(n));
            }
        });
        let mut at = 0;
        for _ in 0..2 {
            let mut frames = [0.0; 4];
            let Read { frames: found, lost } = reader.read(&mut frames);
            check(&frames[..found * 2], at + lost);
            at += lost + found as u64;
        }
        writing.join().unwrap();
        let mut frames = [0.0; 4];
        let Read { frames: found, lost } = reader.read(&mut frames);
        check(&frames[..found * 2], at + lost);
        assert_eq!(at + lost + found as u64, 3);
    });
}

#[test]
fn the_newest_frames_are_whole_and_in_order_while_the_writer_goes_round() {
    loom::model(|| {
        let (mut writer, reader) = tape(2, 2);
        let writing = thread::spawn(move || {
            writer.write(&[frame(0), frame(1)].concat());
            writer.write(&[frame(2), frame(3)].concat());
        });
        let mut frames = [0.0; 4];
        let found = reader.latest(&mut frames);
        if let [first, ..] = frames[..found * 2] {
            check(&frames[..found * 2], first as u64 - 1);
        }
        writing.join().unwrap();
    });
}
