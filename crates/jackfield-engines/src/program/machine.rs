use wasmtime::{Config, Inlining, OptLevel, ResourceLimiter};

use crate::program::{cache::CodeCache, limits::Limits};

/// How programs are compiled. One of these per program: whoever interrupts one leaves the others alone. To be interruptible
/// costs a program about a fifth of its speed.
pub(super) fn engine(interruptible: bool, cache: Option<&CodeCache>) -> wasmtime::Result<wasmtime::Engine> {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        // A tick is a hundred calls of short functions, 128 times a block: docs/performance.md has what it costs them.
        .compiler_inlining(Inlining::Yes)
        // Results are compared bit for bit with those of other engines, which keep NaNs as the machine makes them.
        .cranelift_nan_canonicalization(false)
        .epoch_interruption(interruptible)
        // A trap is reported by its kind; nobody reads the frames, and collecting them allocates.
        .wasm_backtrace_max_frames(None)
        // Addresses have 32 bits: with 4 GiB reserved, the guard pages behind them stand in for bounds checks.
        // Only address space is reserved; pages are taken when touched.
        .memory_reservation(1 << 32)
        // A memory that never moves has a constant base, which the compiler keeps in a register.
        .memory_may_move(false)
        .cache(cache.map(CodeCache::cache));
    inline_whole_ticks(&mut config);
    wasmtime::Engine::new(&config)
}

/// Instructions, of Cranelift's own, up to which functions grow by those that they call: the tick of a hundred modules.
/// Its usual 2,000 are a few of them, and `heavy` takes 86 µs a block instead of 61.
const INLINED: &str = "40000";

fn inline_whole_ticks(config: &mut Config) {
    // SAFETY: flags are unsafe because some of them change what code may assume of its surroundings. This one is a number
    // that the compiler compares the size of a function with before it inlines another.
    #[expect(unsafe_code, reason = "there is no other way to set it")]
    unsafe {
        config.cranelift_flag_set("wasmtime_inlining_sum_size_threshold", INLINED);
    }
}

/// Elements of all tables of an instance. The compiler makes no tables; those of others are small.
const TABLE_ELEMENTS: usize = 65_536;

/// What an instance may take: memory up to the limit, all memories together; next to nothing of anything else.
#[derive(Debug)]
pub(crate) struct Room {
    /// What memories may still take.
    left: usize,
}

impl Room {
    /// All that the limits give.
    pub(crate) fn of(limits: &Limits) -> Self {
        Self { left: usize::try_from(limits.max_memory_bytes).unwrap_or(usize::MAX) }
    }
}

impl ResourceLimiter for Room {
    /// Asked for every memory that is made, and every time that one is to grow. What is granted stays taken, also if the
    /// machine has no memory left: nobody says for certain which growth it was that failed.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let left = self.left.checked_sub(desired.saturating_sub(current));
        let Some(left) = left.filter(|_| maximum.is_none_or(|most| desired <= most)) else {
            return Ok(false);
        };
        self.left = left;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS && maximum.is_none_or(|most| desired <= most))
    }
}
