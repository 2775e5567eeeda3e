//! The audio half of the audio engine.

use crate::realtime::block::{BLOCK_FRAMES, Block};
use crate::realtime::fifo::BlockFifo;
use crate::realtime::swap::{Swap, SwapReceiver, SwapSender, swaps};
use crate::realtime::tape::TapeWriter;
use crate::realtime::voice::Voice;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Channels that a program plays to unless more are asked for.
pub const OUTPUTS: usize = 2;

/// Plays a program into device blocks of any size, has another take over where there is one, and keeps a tape of it.
///
/// Made and taken apart on a normal thread; in between it belongs to the device's. A single sample that is infinite or
/// no number is silence.
pub struct Processor {
    fifo: BlockFifo,
    stage: Stage,
    tape: Option<TapeWriter>,
}

/// Who plays, and who goes.
struct Stage {
    voice: Voice,
    swap: Option<Box<Swap>>,
    swaps: SwapReceiver,
    /// What goes plays into this, to be mixed.
    scratch: Box<[Block]>,
    /// What each channel ended with.
    last: Box<[f32]>,
    not_finite: Arc<AtomicU64>,
}

impl Processor {
    /// A processor for a stereo device with so many input channels (0: nothing is connected, and there is no latency),
    /// what there is to know of it, and the way for programs that are to take over.
    #[must_use]
    pub fn new(
        voice: Voice,
        inputs: usize,
        tape: Option<TapeWriter>,
    ) -> (Self, ProcessorMonitor, SwapSender) {
        Self::with_outputs(voice, inputs, OUTPUTS, tape)
    }

    /// The same for a device with so many output channels. The tape holds as many of them as it has, the first ones.
    #[must_use]
    pub fn with_outputs(
        voice: Voice,
        inputs: usize,
        outputs: usize,
        tape: Option<TapeWriter>,
    ) -> (Self, ProcessorMonitor, SwapSender) {
        let fifo = BlockFifo::new(inputs, outputs);
        let not_finite = Arc::new(AtomicU64::new(0));
        let monitor = ProcessorMonitor { latency: fifo.latency(), not_finite: Arc::clone(&not_finite) };
        let (sender, swaps) = swaps();
        let (scratch, last) = (vec![[0.0; BLOCK_FRAMES]; outputs].into(), vec![0.0; outputs].into());
        let stage = Stage { voice, swap: None, swaps, scratch, last, not_finite };
        (Self { fifo, stage, tape }, monitor, sender)
    }

    /// Fills `output` (interleaved) and takes as many frames from `input` (interleaved). Knobs
    /// that were turned, and programs that take over, do so at the next program block.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, takes no lock, asks no clock, and takes as long as the program does, or the two of them while
    /// one takes over; only the one block in which a program traps may allocate, within the machine that runs it.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let Self { fifo, stage, tape } = self;
        fifo.process(input, output, |input, output| stage.block(input, output));
        if let Some(tape) = tape {
            tape.write_front(output, fifo.outputs());
        }
    }

    /// Takes it apart, for what outlives it: the voice that plays, and the tape.
    #[must_use]
    pub fn into_parts(self) -> (Voice, Option<TapeWriter>) {
        (self.stage.voice, self.tape)
    }
}

impl Stage {
    /// Plays a block over the one before.
    fn block(&mut self, input: &[Block], output: &mut [Block]) {
        if self.swap.is_none()
            && let Some(mut swap) = self.swaps.receive()
        {
            swap.begin(&mut self.voice, output);
            self.swap = Some(swap);
        }
        let Some(mut swap) = self.swap.take() else {
            self.voice.play(input, output);
            return self.silence_what_is_not_finite(output);
        };
        for (last, block) in self.last.iter_mut().zip(&*output) {
            *last = block[BLOCK_FRAMES - 1];
        }
        self.voice.play(input, output);
        let is_made = swap.mix(input, &mut self.scratch, output);
        self.silence_what_is_not_finite(output);
        swap.measure(&self.last, output);
        if is_made {
            self.swaps.give_back(swap);
        } else {
            self.swap = Some(swap);
        }
    }

    fn silence_what_is_not_finite(&self, output: &mut [Block]) {
        let replaced = silence_what_is_not_finite(output.as_flattened_mut());
        if replaced > 0 {
            self.not_finite.fetch_add(replaced, Ordering::Relaxed);
        }
    }
}

/// Infinities and what is no number have no place on a device, in a meter or in a file. Answers how many there were.
fn silence_what_is_not_finite(samples: &mut [f32]) -> u64 {
    let mut replaced = 0;
    for sample in samples {
        let finite = sample.is_finite();
        replaced += u32::from(!finite);
        *sample = if finite { *sample } else { 0.0 };
    }
    u64::from(replaced)
}

/// What there is to know of a [`Processor`].
#[derive(Debug)]
pub struct ProcessorMonitor {
    latency: usize,
    not_finite: Arc<AtomicU64>,
}

impl ProcessorMonitor {
    /// How many samples of the programs were infinite or no numbers, and were silenced.
    #[must_use]
    pub fn not_finite(&self) -> u64 {
        self.not_finite.load(Ordering::Relaxed)
    }

    /// How far the output is behind the input, in frames.
    #[must_use]
    pub fn latency(&self) -> usize {
        self.latency
    }
}

impl fmt::Debug for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processor").field("voice", &self.stage.voice).finish_non_exhaustive()
    }
}
