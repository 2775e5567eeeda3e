//! Counts what is allocated, while it is told to.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
};

#[global_allocator]
static COUNTING: Counting = Counting;

/// Off while time is measured: then it costs one load.
static ON: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);

struct Counting;

// SAFETY: every call is passed on to the system's allocator as it came; counting touches nothing but atomics.
#[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promises are those that `System` wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as above; it came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        // SAFETY: as above; it came from `System`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// A reallocation that grows counts as an allocation, one that shrinks does not.
fn count(bytes: i64) {
    if ON.load(Relaxed) {
        LIVE.fetch_add(bytes, Relaxed);
        if bytes > 0 {
            ALLOCATIONS.fetch_add(1, Relaxed);
        }
    }
}

/// What was allocated while something ran.
#[derive(Clone, Copy)]
pub(crate) struct Allocated {
    /// How often.
    pub(crate) times: u64,
    /// How many bytes more there were afterwards than before.
    pub(crate) kept: i64,
}

/// Runs `work` and says what was allocated, by all threads.
pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    let before = (ALLOCATIONS.load(Relaxed), LIVE.load(Relaxed));
    let outer = ON.swap(true, Relaxed);
    let made = work();
    ON.store(outer, Relaxed);
    let allocated =
        Allocated { times: ALLOCATIONS.load(Relaxed) - before.0, kept: LIVE.load(Relaxed) - before.1 };
    (made, allocated)
}
