//! The audio half of the audio engine.

use crate::instance::{Interrupt, Trap};
use crate::realtime::block::{Block, BlockRunner};
use crate::realtime::fifo::BlockFifo;
use crate::realtime::knobs::KnobReceiver;
use crate::realtime::tape::TapeWriter;
use rtrb::{Consumer, Producer, RingBuffer};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Channels that a program plays to: one output with two of them.
pub const OUTPUTS: usize = 2;

/// Plays a program into device blocks of any size, turns its knobs, and keeps a tape of it.
///
/// Made and taken apart on a normal thread; in between it belongs to the device's. A program that traps or is
/// interrupted is not called again: there is silence instead, the device goes on, and the
/// [`ProcessorMonitor`] says why. A single sample that is infinite or no number is silence too.
pub struct Processor {
    runner: BlockRunner,
    fifo: BlockFifo,
    knobs: KnobReceiver,
    tape: Option<TapeWriter>,
    fault: FaultSender,
    not_finite: Arc<AtomicU64>,
}

impl Processor {
    /// A processor for a device with so many input channels (0: nothing is connected, and there is no latency),
    /// and its control half.
    #[must_use]
    pub fn new(
        runner: BlockRunner,
        inputs: usize,
        knobs: KnobReceiver,
        tape: Option<TapeWriter>,
    ) -> (Self, ProcessorMonitor) {
        let interrupt = runner.instance().interrupt_handle();
        let (fault, receiver) = fault_channel();
        let fifo = BlockFifo::new(inputs, OUTPUTS);
        let not_finite = Arc::new(AtomicU64::new(0));
        let latency = fifo.latency();
        let monitor =
            ProcessorMonitor { fault: receiver, interrupt, latency, not_finite: Arc::clone(&not_finite) };
        (Self { runner, fifo, knobs, tape, fault, not_finite }, monitor)
    }

    /// Fills `output` (two interleaved channels) and takes as many frames from `input` (interleaved). Knobs
    /// that were turned take effect at the next program block.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, takes no lock, asks no clock, and takes as long as the program does; only the one
    /// block in which a program traps may allocate, within the machine that runs it.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let Self { runner, fifo, knobs, tape, fault, not_finite } = self;
        fifo.process(input, output, |input, output| {
            block(runner, knobs, fault, input, output);
            let replaced = silence_what_is_not_finite(output.as_flattened_mut());
            if replaced > 0 {
                not_finite.fetch_add(replaced, Ordering::Relaxed);
            }
        });
        if let Some(tape) = tape {
            tape.write(output);
        }
    }

    /// Takes it apart, for what outlives it.
    #[must_use]
    pub fn into_parts(self) -> (BlockRunner, Option<TapeWriter>) {
        (self.runner, self.tape)
    }
}

fn block(
    runner: &mut BlockRunner,
    knobs: &mut KnobReceiver,
    fault: &mut FaultSender,
    input: &[Block],
    output: &mut [Block],
) {
    if fault.is_faulted() {
        output.as_flattened_mut().fill(0.0);
        return;
    }
    if knobs.has_changes() {
        knobs.apply(runner.instance_mut().memory_mut());
    }
    if let Err(trap) = runner.run(input, output) {
        fault.report(trap);
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

/// The control half of a [`Processor`].
#[derive(Debug)]
pub struct ProcessorMonitor {
    fault: FaultReceiver,
    interrupt: Interrupt,
    latency: usize,
    not_finite: Arc<AtomicU64>,
}

impl ProcessorMonitor {
    /// Whether the program broke.
    #[must_use]
    pub fn is_faulted(&self) -> bool {
        self.fault.is_faulted()
    }

    /// Why it broke; says so once.
    pub fn take_fault(&mut self) -> Option<Trap> {
        self.fault.take()
    }

    /// What ends a call that does not return.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// How many samples of the program were infinite or no numbers, and were silenced.
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

/// A flag that the program broke, and the reason behind it: read the flag often, the reason once.
fn fault_channel() -> (FaultSender, FaultReceiver) {
    let faulted = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = RingBuffer::new(1);
    (
        FaultSender { faulted: Arc::clone(&faulted), reason: sender },
        FaultReceiver { faulted, reason: receiver },
    )
}

struct FaultSender {
    faulted: Arc<AtomicBool>,
    reason: Producer<Trap>,
}

impl FaultSender {
    fn is_faulted(&self) -> bool {
        self.faulted.load(Ordering::Relaxed)
    }

    fn report(&mut self, trap: Trap) {
        // There is room: a processor breaks once.
        self.reason.push(trap).ok();
        self.faulted.store(true, Ordering::Release);
    }
}

#[derive(Debug)]
struct FaultReceiver {
    faulted: Arc<AtomicBool>,
    reason: Consumer<Trap>,
}

impl FaultReceiver {
    fn is_faulted(&self) -> bool {
        self.faulted.load(Ordering::Acquire)
    }

    fn take(&mut self) -> Option<Trap> {
        self.reason.pop().ok()
    }
}

impl fmt::Debug for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processor").field("runner", &self.runner).finish_non_exhaustive()
    }
}
