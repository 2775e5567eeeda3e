//! Sections that run as they would on an audio thread: they ask nothing of the system.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod watched;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use watched as machine;

/// Elsewhere nobody watches.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod machine {
    pub(super) fn watch<R>(section: impl FnOnce() -> R) -> Result<(R, Option<String>), R> {
        Err(section())
    }
}

use std::sync::Once;

use assert_no_alloc::assert_no_alloc;

/// Runs `section` as an audio thread would: without the allocator, and without asking the system for anything.
///
/// The allocator is only watched where a test program has `assert_no_alloc::AllocDisabler` for its own, and aborts. For the
/// rest see [`asks_nothing`].
///
/// # Panics
///
/// Panics when the section has asked the system for something, and names it.
#[track_caller]
pub fn realtime<R>(section: impl FnOnce() -> R) -> R {
    asks_nothing(|| assert_no_alloc(section))
}

/// Runs `section` on this thread, and panics afterwards if it has asked the system for anything, naming what came first.
///
/// Caught is every system call, and so everything that can make a thread wait: a lock that somebody else has, waking
/// somebody, sleeping, files, sockets, printing, making threads, growing the heap. Caught is a look at the clock too, which
/// makes no call: reading the processor's counter is an error meanwhile. Not caught is what stays in the thread's own
/// hands: a lock that happens to be free, an endless loop, a page that is touched for the first time.
///
/// Works on Linux on x86-64 from 5.11 on, without any rights, also in containers; elsewhere the section just runs, and
/// that is said once on standard error.
///
/// # Panics
///
/// Panics when the section has asked the system for something, or when another such section is around it.
#[track_caller]
pub fn asks_nothing<R>(section: impl FnOnce() -> R) -> R {
    static SAID: Once = Once::new();
    match machine::watch(section) {
        Ok((result, None)) => result,
        Ok((_, Some(asked))) => panic!("a realtime section asked the system: {asked}"),
        Err(result) => {
            SAID.call_once(|| {
                eprintln!("skipped: watching realtime sections. This system does not tell a thread of its own calls.");
            });
            result
        }
    }
}

/// Whether sections are watched on this machine.
#[must_use]
pub fn is_watched() -> bool {
    machine::watch(|| ()).is_ok()
}
