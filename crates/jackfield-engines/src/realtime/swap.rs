//! One program takes over from another at a block edge.

use crate::memory::Carry;
use crate::realtime::block::{BLOCK_FRAMES, Block};
use crate::realtime::voice::Voice;
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use std::f32::consts::FRAC_PI_2;
use std::fmt;

/// Swaps that may be on their way at once. One is played at a time; whoever sends them waits for it.
const ROOM: usize = 2;

/// A program that is to take over, with all it takes: made on a normal thread, where what it leaves behind is freed.
pub struct Swap {
    /// Who comes; and once it has come, who goes.
    voice: Voice,
    carry: Carry,
    /// How loud the one who comes is, frame by frame; the one who goes is as loud as this says in reverse.
    gains: Vec<f32>,
    at: usize,
    seam: Seam,
}

/// How smooth a swap was: the largest steps from one sample to the next, of all channels. Full scale is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seam {
    /// In the last block before it: what the music does by itself.
    pub usual: f32,
    /// From there on until the new program plays alone, the first step after the edge included.
    pub largest: f32,
}

impl Swap {
    /// Has `voice` take over with the values that `carry` names, fading over so many frames with equal power; 0 cuts.
    ///
    /// Equal power (cosine and sine): two programs that have nothing to do with each other keep their loudness on the
    /// way; two that play the same are 3 dB louder in the middle.
    #[must_use]
    pub fn new(voice: Voice, carry: Carry, fade: usize) -> Self {
        let gain = |frame| ((frame as f32 + 0.5) / fade as f32 * FRAC_PI_2).sin();
        Self { voice, carry, gains: (0..fade).map(gain).collect(), at: 0, seam: Seam::default() }
    }

    /// How smooth it was; complete once it has come back.
    #[must_use]
    pub fn seam(&self) -> Seam {
        self.seam
    }

    /// The one who went.
    #[must_use]
    pub fn into_voice(self) -> Voice {
        self.voice
    }

    /// Puts the newcomer in the place of `current`, with the values it takes over. `before` is what was played last.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, frees nothing: copies what is carried over, and exchanges two values.
    pub(super) fn begin(&mut self, current: &mut Voice, before: &[Block]) {
        if !current.is_faulted() {
            self.carry.apply(current.instance(), self.voice.instance_mut());
        }
        std::mem::swap(current, &mut self.voice);
        self.seam.usual = before.iter().map(|block| largest_step(block[0], block)).fold(0.0, f32::max);
    }

    /// Mixes what goes into `output`, which has what comes; says whether that was all.
    ///
    /// # Realtime
    ///
    /// As [`Voice::play`], and two multiplications a sample.
    pub(super) fn mix(&mut self, input: &[Block], scratch: &mut [Block], output: &mut [Block]) -> bool {
        let left = self.gains.len() - self.at;
        if left == 0 {
            return true;
        }
        self.voice.play(input, scratch);
        let frames = left.min(BLOCK_FRAMES);
        for (output, going) in output.iter_mut().zip(scratch) {
            for (frame, (sample, going)) in output.iter_mut().zip(going).take(frames).enumerate() {
                let place = self.at + frame;
                *sample = *sample * self.gains[place] + *going * self.gains[self.gains.len() - 1 - place];
            }
        }
        self.at += frames;
        self.at == self.gains.len()
    }

    /// Takes note of a block that was played; `last` is what each channel ended with before it.
    ///
    /// # Realtime
    ///
    /// Looks at every sample once. Allocates nothing.
    pub(super) fn measure(&mut self, last: &[f32], output: &[Block]) {
        for (last, block) in last.iter().zip(output) {
            self.seam.largest = self.seam.largest.max(largest_step(*last, block));
        }
    }
}

fn largest_step(last: f32, block: &Block) -> f32 {
    let (mut last, mut largest) = (last, 0.0_f32);
    for sample in block {
        largest = largest.max((sample - last).abs());
        last = *sample;
    }
    largest
}

/// The way of swaps to the audio thread, and back.
pub(super) fn swaps() -> (SwapSender, SwapReceiver) {
    let (coming, arriving) = RingBuffer::new(ROOM);
    let (leaving, gone) = RingBuffer::new(ROOM * 2);
    (SwapSender { coming, gone }, SwapReceiver { arriving, leaving })
}

/// The control half: sends swaps, and takes back what they leave behind.
pub struct SwapSender {
    coming: Producer<Box<Swap>>,
    gone: Consumer<Box<Swap>>,
}

impl SwapSender {
    /// Sends a swap, to be made at the next block edge at which no other is under way.
    ///
    /// # Errors
    ///
    /// The swap, when there is no room: nobody plays.
    pub fn send(&mut self, swap: Box<Swap>) -> Result<(), Box<Swap>> {
        self.coming.push(swap).map_err(|PushError::Full(swap)| swap)
    }

    /// One that has been made, with the voice that went.
    pub fn take_back(&mut self) -> Option<Box<Swap>> {
        self.gone.pop().ok()
    }
}

/// The audio half.
pub(super) struct SwapReceiver {
    arriving: Consumer<Box<Swap>>,
    leaving: Producer<Box<Swap>>,
}

impl SwapReceiver {
    /// The next swap, unless there is no room to give it back.
    ///
    /// # Realtime
    ///
    /// Wait-free; allocates nothing.
    pub(super) fn receive(&mut self) -> Option<Box<Swap>> {
        if self.leaving.is_full() { None } else { self.arriving.pop().ok() }
    }

    /// Hands over one that has been made, to be freed elsewhere.
    ///
    /// # Realtime
    ///
    /// Wait-free; allocates nothing and frees nothing.
    pub(super) fn give_back(&mut self, swap: Box<Swap>) {
        // There is room: one is received only while there is, and is given back before the next.
        self.leaving.push(swap).ok();
    }
}

impl fmt::Debug for Swap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Swap")
            .field("voice", &self.voice)
            .field("fade", &self.gains.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SwapSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwapSender").finish_non_exhaustive()
    }
}
