//! The detector of what a realtime thread must not do detects.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "sleeping is one of the things to be caught")]
#![expect(clippy::unwrap_used, reason = "a scenario that cannot go on fails")]

use std::{
    cell::Cell,
    fs, hint, io,
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant, SystemTime},
};

use jackfield_testkit::{asks_nothing, is_watched, realtime};

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

/// What the section is caught at.
#[track_caller]
fn check<R>(section: impl FnOnce() -> R, expected: &str) {
    if !is_watched() {
        println!("skipped: realtime sections are not watched on this machine");
        return;
    }
    let caught = catch_unwind(AssertUnwindSafe(|| drop(asks_nothing(section)))).unwrap_err();
    let message = caught.downcast_ref::<String>().unwrap();
    assert!(message.contains(expected), "{message}");
}

/// This thread, as the system knows it.
fn this_thread() -> PathBuf {
    fs::canonicalize("/proc/thread-self").unwrap_or_default()
}

/// Returns when the thread waits for something, or is gone.
fn wait_until_it_waits(thread: &Path) {
    let runs = |stat: String| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('R'));
    while fs::read_to_string(thread.join("stat")).is_ok_and(runs) {
        thread::yield_now();
    }
}

#[test]
fn a_lock_that_somebody_else_has_is_caught() {
    let lock = Mutex::new(());
    let (begins, begun) = mpsc::channel();
    thread::scope(|threads| {
        let held = lock.lock().unwrap();
        threads.spawn(|| {
            let begins = begins;
            // Whatever it waits for from here on is the lock.
            let watched = is_watched();
            begins.send(this_thread()).unwrap();
            if watched {
                check(|| drop(lock.lock()), "`futex`");
            }
        });
        wait_until_it_waits(&begun.recv().unwrap());
        drop(held);
    });
}

#[test]
fn sleeping_is_caught() {
    check(|| thread::sleep(Duration::from_nanos(1)), "`clock_nanosleep`");
}

#[test]
fn printing_is_caught() {
    // The test runner catches what `eprintln` prints, and does not print it.
    check(|| io::stderr().write_all(b"\n"), "`write`");
}

#[test]
fn a_look_at_the_clock_is_caught() {
    check(Instant::now, "time");
    check(SystemTime::now, "time");
}

#[test]
fn files_are_caught() {
    check(|| fs::read("/dev/null"), "`openat`");
}

#[test]
fn making_a_thread_is_caught() {
    // Which of the calls comes first depends on what was there before.
    check(|| thread::spawn(|| ()).join(), "asked the system");
}

#[test]
fn waking_who_waits_is_caught() {
    let (send, receive) = mpsc::channel();
    let (begins, begun) = mpsc::channel();
    thread::scope(|threads| {
        threads.spawn(move || {
            begins.send(this_thread()).unwrap();
            receive.recv()
        });
        wait_until_it_waits(&begun.recv().unwrap());
        check(|| send.send(1), "`futex`");
    });
}

#[test]
fn memory_from_the_system_is_caught() {
    check(|| hint::black_box(vec![1_u8; 64 << 20]), "memory");
}

#[test]
fn what_a_section_asks_for_it_gets_and_the_next_section_starts_anew() {
    let read = Cell::new(None);
    check(|| read.set(fs::read("/dev/null").ok()), "`openat`");
    assert_eq!(read.take(), is_watched().then(Vec::new));
    assert_eq!(asks_nothing(|| 1), 1);
}

#[test]
fn what_asks_for_nothing_passes_and_gives_its_result() {
    let lock = Mutex::new(2);
    let sum = realtime(|| (0..1000).sum::<i32>() + *lock.lock().unwrap());
    assert_eq!(sum, 499_502);
}

#[test]
fn a_section_that_panics_is_watched_no_more() {
    let caught = catch_unwind(AssertUnwindSafe(|| asks_nothing(|| panic!("on purpose")))).unwrap_err();
    assert_eq!(caught.downcast_ref::<&str>(), Some(&"on purpose"));
    assert!(fs::exists("/").unwrap());
    assert_eq!(asks_nothing(|| 1), 1);
}
