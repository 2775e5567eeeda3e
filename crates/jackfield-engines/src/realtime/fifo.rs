//! Program blocks of a fixed size meet device blocks of any size.
//!
//! Compiled programs make 128 frames per call, because that number is baked into them. Devices ask for what
//! they like, and need not ask for the same twice.

use crate::realtime::block::{BLOCK_FRAMES, Block};

/// Cuts a device's stream into program blocks. Interleaved outside, one block per channel inside.
///
/// Without input a program block is made when the device asks for its first frame, and there is no latency.
/// With input it is made when its input is complete: the output is 128 frames behind the input, whatever the
/// device's block size, and begins with as many frames of silence.
#[derive(Debug)]
pub struct BlockFifo {
    input: Box<[Block]>,
    output: Box<[Block]>,
    /// Frames of the current block that have passed.
    at: usize,
}

impl BlockFifo {
    /// A FIFO for so many channels in and out, all memory taken here.
    #[must_use]
    pub fn new(inputs: usize, outputs: usize) -> Self {
        let silence = |channels| vec![[0.0; BLOCK_FRAMES]; channels].into();
        Self { input: silence(inputs), output: silence(outputs), at: 0 }
    }

    /// How far the output is behind the input, in frames.
    #[must_use]
    pub fn latency(&self) -> usize {
        if self.waits_for_input() { BLOCK_FRAMES } else { 0 }
    }

    /// How many channels it gives.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.output.len()
    }

    /// Fills `output`, taking as many frames from `input`, and calls `block(input, output)` for every program
    /// block on the way; it is to fill its output.
    ///
    /// Missing input is silence, surplus input is left. A last incomplete frame of `output` is silent.
    ///
    /// # Realtime
    ///
    /// Two copies a sample, and what `block` does. Allocates nothing.
    pub fn process(
        &mut self,
        input: &[f32],
        output: &mut [f32],
        mut block: impl FnMut(&[Block], &mut [Block]),
    ) {
        let (inputs, outputs) = (self.input.len(), self.output.len());
        let frames = output.len().checked_div(outputs).unwrap_or(0);
        output[frames * outputs..].fill(0.0);
        let mut done = 0;
        while done < frames {
            if self.at == 0 && !self.waits_for_input() {
                block(&self.input, &mut self.output);
            }
            let run = (BLOCK_FRAMES - self.at).min(frames - done);
            self.take(input.get(done * inputs..).unwrap_or_default(), run);
            self.give(&mut output[done * outputs..(done + run) * outputs]);
            self.at += run;
            done += run;
            if self.at == BLOCK_FRAMES {
                self.at = 0;
                if self.waits_for_input() {
                    block(&self.input, &mut self.output);
                }
            }
        }
    }

    fn waits_for_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// The next `frames` frames of every channel; what is missing is silence.
    fn take(&mut self, input: &[f32], frames: usize) {
        let channels = self.input.len();
        for (channel, block) in self.input.iter_mut().enumerate() {
            let samples = input.iter().skip(channel).step_by(channels).copied();
            let samples = samples.chain(std::iter::repeat(0.0));
            for (place, sample) in block[self.at..self.at + frames].iter_mut().zip(samples) {
                *place = sample;
            }
        }
    }

    fn give(&self, output: &mut [f32]) {
        let channels = self.output.len();
        for (channel, block) in self.output.iter().enumerate() {
            for (frame, sample) in output.chunks_exact_mut(channels).zip(&block[self.at..]) {
                frame[channel] = *sample;
            }
        }
    }
}
