//! A program as it plays.

use crate::instance::{Instance, Interrupt, Trap};
use crate::realtime::block::{Block, BlockRunner};
use crate::realtime::controls::Controls;
use rtrb::{Consumer, Producer, RingBuffer};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A program with its routes and its controls. One that traps or is interrupted is not called again: there is silence
/// instead, and the [`VoiceMonitor`] says why.
pub struct Voice {
    runner: BlockRunner,
    controls: Controls,
    fault: FaultSender,
}

impl Voice {
    /// A voice and its control half.
    #[must_use]
    pub fn new(runner: BlockRunner, controls: impl Into<Controls>) -> (Self, VoiceMonitor) {
        let interrupt = runner.instance().interrupt_handle();
        let (fault, receiver) = fault_channel();
        (Self { runner, controls: controls.into(), fault }, VoiceMonitor { fault: receiver, interrupt })
    }

    /// The next 128 frames. Knobs that were turned take effect now, and functions that were called are called.
    ///
    /// # Realtime
    ///
    /// Allocates nothing, takes no lock, asks no clock, and takes as long as the program does; only the one block in
    /// which a program traps may allocate, within the machine that runs it.
    pub fn play(&mut self, input: &[Block], output: &mut [Block]) {
        if self.fault.is_faulted() {
            output.as_flattened_mut().fill(0.0);
            return;
        }
        let called = self.controls.before(self.runner.instance_mut());
        match called.and_then(|()| self.runner.run(input, output)) {
            Ok(()) => self.controls.after(self.runner.instance()),
            Err(trap) => {
                output.as_flattened_mut().fill(0.0);
                self.fault.report(trap);
            }
        }
    }

    /// The program, to look at its memories.
    ///
    /// # Realtime
    ///
    /// Allocates nothing.
    pub fn instance(&self) -> &Instance {
        self.runner.instance()
    }

    /// The program, to change its memories between two blocks.
    ///
    /// # Realtime
    ///
    /// Allocates nothing.
    pub fn instance_mut(&mut self) -> &mut Instance {
        self.runner.instance_mut()
    }

    /// Whether the program broke.
    ///
    /// # Realtime
    ///
    /// One atomic read.
    #[must_use]
    pub fn is_faulted(&self) -> bool {
        self.fault.is_faulted()
    }

    /// The program, for whoever plays it next.
    #[must_use]
    pub fn into_runner(self) -> BlockRunner {
        self.runner
    }
}

/// The control half of a [`Voice`].
#[derive(Debug)]
pub struct VoiceMonitor {
    fault: FaultReceiver,
    interrupt: Interrupt,
}

impl VoiceMonitor {
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
        // There is room: a voice breaks once.
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

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voice").field("runner", &self.runner).finish_non_exhaustive()
    }
}
