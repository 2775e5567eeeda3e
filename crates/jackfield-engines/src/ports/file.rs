//! Standard MIDI files, written by hand: a head, and a track for each port.

use crate::midi::PortMessage;
use std::collections::BTreeMap;
use std::time::Duration;

/// Ticks per quarter note. With the tempo below, a tick is a millisecond.
const DIVISION: u16 = 500;

/// Microseconds per quarter note: 120 in a minute.
const TEMPO: [u8; 3] = [0x07, 0xa1, 0x20];

/// The longest time between two messages that a file can tell, in ticks: three days.
const LONGEST: u64 = 0x0fff_ffff;

/// A piece that grows: the messages of each port, as a file has them.
#[derive(Debug, Default)]
pub(super) struct Piece {
    tracks: BTreeMap<u32, Track>,
}

#[derive(Debug)]
struct Track {
    events: Vec<u8>,
    /// When the last of them was, in ticks from the beginning.
    last: u64,
}

impl Piece {
    /// Adds a message. `at` counts from the beginning, to the nearest millisecond.
    pub(super) fn add(&mut self, at: Duration, PortMessage { port, message }: PortMessage) {
        let at = u64::try_from((at.as_nanos() + 500_000) / 1_000_000).unwrap_or(u64::MAX);
        let track = self.tracks.entry(port).or_insert_with(|| Track::of(port));
        track.delta(at.saturating_sub(track.last));
        track.events.extend_from_slice(message.bytes());
        track.last = track.last.max(at);
    }

    /// How many bytes its messages take.
    pub(super) fn size(&self) -> usize {
        self.tracks.values().map(|track| track.events.len()).sum()
    }

    /// The whole file: type 1, the tempo in a track of its own.
    pub(super) fn file(&self) -> Vec<u8> {
        let mut file = Vec::with_capacity(64 + self.size() + 16 * self.tracks.len());
        let tracks = u16::try_from(self.tracks.len() + 1).unwrap_or(u16::MAX);
        file.extend_from_slice(b"MThd\0\0\0\x06\0\x01");
        file.extend_from_slice(&tracks.to_be_bytes());
        file.extend_from_slice(&DIVISION.to_be_bytes());
        let [a, b, c] = TEMPO;
        write_track(&mut file, &[0, 0xff, 0x51, 3, a, b, c]);
        for track in self.tracks.values() {
            write_track(&mut file, &track.events);
        }
        file
    }
}

impl Track {
    /// With the port and a name at its head.
    fn of(port: u32) -> Self {
        let name = format!("port {port}");
        let mut events = vec![0, 0xff, 0x21, 1, (port.saturating_sub(1) & 0x7f) as u8];
        events.extend_from_slice(&[0, 0xff, 0x03, name.len() as u8]);
        events.extend_from_slice(name.as_bytes());
        Self { events, last: 0 }
    }

    /// Seven bits to a byte, the highest first; all but the last are marked.
    fn delta(&mut self, ticks: u64) {
        let ticks = ticks.min(LONGEST);
        for shift in [21, 14, 7] {
            if ticks >> shift > 0 {
                self.events.push((ticks >> shift) as u8 & 0x7f | 0x80);
            }
        }
        self.events.push(ticks as u8 & 0x7f);
    }
}

fn write_track(file: &mut Vec<u8>, events: &[u8]) {
    const END: [u8; 4] = [0, 0xff, 0x2f, 0];
    file.extend_from_slice(b"MTrk");
    file.extend_from_slice(&((events.len() + END.len()) as u32).to_be_bytes());
    file.extend_from_slice(events);
    file.extend_from_slice(&END);
}
