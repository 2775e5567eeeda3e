use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

/// Ends the call an [`Instance`](crate::Instance) is in the middle of, from another thread. Cheap to clone; outlives
/// its instance, and then does nothing.
#[derive(Clone)]
pub struct Interrupt {
    calls: Arc<Calls>,
    engine: wasmtime::Engine,
}

/// Which call an instance is in, and which one is to end. Calls are numbered from 1; 0 is none.
#[derive(Debug, Default)]
pub(super) struct Calls {
    running: AtomicU64,
    ending: AtomicU64,
    over: AtomicBool,
}

impl Calls {
    /// The instance is in `call` until the guard is dropped, by a panic as well: an interruption waits for that.
    ///
    /// # Realtime
    /// One atomic write, and one when the guard is dropped.
    pub(super) fn enter(&self, call: u64) -> InProgress<'_> {
        self.running.store(call, Ordering::Release);
        InProgress(self)
    }

    /// There will be no more of them.
    pub(super) fn finish(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// Whether `call` is to end. Asked by the call itself when the epoch has moved, and by an instance in the making,
    /// whose call is none.
    pub(super) fn must_end(&self, call: u64) -> bool {
        call != 0 && self.ending.load(Ordering::Acquire) == call
    }
}

/// An instance is in a call.
#[must_use = "the call lasts as long as this is held"]
pub(super) struct InProgress<'a>(&'a Calls);

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.0.running.store(0, Ordering::Release);
    }
}

impl Interrupt {
    pub(super) fn new(calls: Arc<Calls>, engine: wasmtime::Engine) -> Self {
        Self { calls, engine }
    }

    /// The number of the call the instance is in, if it is in one. Calls are numbered from 1, so a watcher can tell
    /// one that lasts from the next one.
    pub fn call_in_progress(&self) -> Option<u64> {
        Some(self.calls.running.load(Ordering::Acquire)).filter(|call| *call != 0)
    }

    /// Whether the instance is gone, so that there is nothing left to interrupt.
    pub fn is_over(&self) -> bool {
        self.calls.over.load(Ordering::Acquire)
    }

    /// Ends the call in progress, which returns a trap of kind [`Interrupted`](crate::TrapKind::Interrupted). Without
    /// one it does nothing; a later call is not affected. Returns when the call has ended, which takes microseconds:
    /// compiled code looks up at every turn of a loop. A program that [always ends](crate::Program::always_ends) does not look
    /// up, and this returns when it has ended by itself. Not for a realtime thread.
    pub fn interrupt(&self) {
        if let Some(call) = self.call_in_progress() {
            self.interrupt_call(call);
        }
    }

    /// Like [`interrupt`](Self::interrupt), but only if `call` is still the one in progress.
    pub fn interrupt_call(&self, call: u64) {
        while self.call_in_progress() == Some(call) {
            self.calls.ending.store(call, Ordering::Release);
            // The epoch is the whole program's. A call of another instance sees it move, finds that it is not meant,
            // and goes on. If that happens to this one while `ending` is written, the next round reaches it.
            self.engine.increment_epoch();
            thread::yield_now();
        }
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt").field("calls", &self.calls).finish_non_exhaustive()
    }
}
