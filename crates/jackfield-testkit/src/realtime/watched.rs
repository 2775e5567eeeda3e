//! The kernel hands a thread's system calls back to it, as signals, while a byte of the thread says so (syscall user
//! dispatch, made for running programs of other systems); and reading the time stamp counter, which every look at the clock
//! does, can be made a fault. Both concern one thread, need no rights and leave nothing behind.
//!
//! The first thing that is asked for is noted, and from there on everything passes: what was asked for happens, and the
//! section goes on as it would have.

#![expect(unsafe_code, reason = "signal handlers and `prctl`; only tests are made with this crate")]

use std::{
    ffi::{c_int, c_long, c_ulong, c_void},
    mem::{self, MaybeUninit},
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicI64, AtomicU8, Ordering},
    },
};

const PR_SET_SYSCALL_USER_DISPATCH: c_int = 59;
const OFF: c_ulong = 0;
const ON: c_ulong = 1;
const ALLOW: u8 = 0;
const BLOCK: u8 = 1;

/// How the kernel says that a signal comes from there.
const SYS_USER_DISPATCH: c_int = 2;
/// … and that a fault was no access to memory.
const SI_KERNEL: c_int = 0x80;

const NOTHING: i64 = -1;
const CLOCK: i64 = -2;

thread_local! {
    /// Read by the kernel at every system call.
    static SELECTOR: AtomicU8 = const { AtomicU8::new(ALLOW) };
    /// What was asked for first: the number of a system call, or one of the above.
    static ASKED: AtomicI64 = const { AtomicI64::new(NOTHING) };
}

/// What was done about faults before.
static FAULTS_BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// The code that returns from signal handlers, by a system call that is none of the section's; `None` if the handlers
/// cannot be installed.
static RETURN: OnceLock<Option<usize>> = OnceLock::new();

/// How long that code is at most: a number into a register, and the call.
const RETURN_BYTES: c_ulong = 16;

/// The section's result, with what it asked for, or alone if it cannot be watched.
pub(super) fn watch<R>(section: impl FnOnce() -> R) -> Result<(R, Option<String>), R> {
    assert_eq!(SELECTOR.with(|selector| selector.load(Ordering::SeqCst)), ALLOW, "there is one around it");
    let Some(watching) = Watching::begin() else { return Err(section()) };
    let result = section();
    drop(watching);
    Ok((result, asked()))
}

/// Ends it when it is dropped, by a panic as well.
struct Watching;

impl Watching {
    fn begin() -> Option<Self> {
        let back = (*RETURN.get_or_init(install))?;
        let selector = SELECTOR.with(AtomicU8::as_ptr);
        ASKED.with(|asked| asked.store(NOTHING, Ordering::SeqCst));
        // SAFETY: the selector lives as long as the thread, and it is switched off before the thread can end.
        let on = unsafe { libc::prctl(PR_SET_SYSCALL_USER_DISPATCH, ON, back, RETURN_BYTES, selector) };
        if on != 0 {
            return None;
        }
        let watching = Self;
        // SAFETY: concerns this thread, whose handler knows of it. Without it clocks are not watched.
        unsafe { libc::prctl(libc::PR_SET_TSC, libc::PR_TSC_SIGSEGV as c_ulong) };
        SELECTOR.with(|selector| selector.store(BLOCK, Ordering::SeqCst));
        Some(watching)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        SELECTOR.with(|selector| selector.store(ALLOW, Ordering::SeqCst));
        // SAFETY: both concern this thread, and are as they were before.
        unsafe {
            libc::prctl(PR_SET_SYSCALL_USER_DISPATCH, OFF, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong);
            libc::prctl(libc::PR_SET_TSC, libc::PR_TSC_ENABLE as c_ulong);
        }
    }
}

fn asked() -> Option<String> {
    match ASKED.with(|asked| asked.load(Ordering::SeqCst)) {
        NOTHING => None,
        CLOCK => Some("what time it is".to_owned()),
        number => Some(name(number)),
    }
}

/// Notes what was asked for, if it is the first, and lets everything pass from here on.
fn note(what: i64) {
    SELECTOR.with(|selector| selector.store(ALLOW, Ordering::SeqCst));
    ASKED.with(|asked| asked.compare_exchange(NOTHING, what, Ordering::SeqCst, Ordering::SeqCst)).ok();
}

/// Installs both handlers, once for the process.
fn install() -> Option<usize> {
    // SAFETY: the handlers have the signature that goes with `SA_SIGINFO` and do nothing but atomics and `prctl`; what
    // is written to is large enough, and zeroes are a valid value of it.
    unsafe {
        let handler = |handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void), flags| {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | flags;
            action
        };
        let mut before = MaybeUninit::<libc::sigaction>::zeroed();
        if libc::sigaction(libc::SIGSYS, &handler(on_call, 0), ptr::null_mut()) != 0
            || libc::sigaction(libc::SIGSEGV, ptr::null(), before.as_mut_ptr()) != 0
        {
            return None;
        }
        FAULTS_BEFORE.set(before.assume_init()).ok();
        // A fault within the handler of whoever came before is for that one to know.
        if libc::sigaction(libc::SIGSEGV, &handler(on_fault, libc::SA_NODEFER), ptr::null_mut()) != 0 {
            return None;
        }
        // As the kernel knows it: handler, flags, the way back, mask.
        let mut known = [0_usize; 4];
        let asked = libc::syscall(
            libc::SYS_rt_sigaction,
            c_long::from(libc::SIGSYS),
            ptr::null::<c_void>(),
            known.as_mut_ptr(),
            size_of::<u64>(),
        );
        (asked == 0 && known[2] != 0).then_some(known[2])
    }
}

/// A system call came back: notes it, and has it made again.
extern "C" fn on_call(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel gives a handler with `SA_SIGINFO` both of these, for as long as it runs.
    let (info, context) = unsafe { (&*info, &mut *context.cast::<libc::ucontext_t>()) };
    if info.si_code != SYS_USER_DISPATCH {
        // SAFETY: only sets back to what is done without a handler, which is what happens next time.
        unsafe { libc::signal(libc::SIGSYS, libc::SIG_DFL) };
        return;
    }
    let registers = &mut context.uc_mcontext.gregs;
    note(registers[libc::REG_RAX as usize]);
    registers[libc::REG_RIP as usize] -= 2; // the length of `syscall`
}

/// A fault: a look at the clock is noted, and may be taken again. All else goes to whoever was there before.
extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: as in `on_call`. Code that has just run can be read; a fault of that kind is none of memory.
    let looked = unsafe {
        SELECTOR.with(|selector| selector.load(Ordering::SeqCst)) == BLOCK
            && (*info).si_code == SI_KERNEL
            && {
                let at = (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RIP as usize];
                let code: [u8; 2] = ptr::with_exposed_provenance::<[u8; 2]>(at as usize).read_unaligned();
                code == [0x0f, 0x31] || code == [0x0f, 0x01] // `rdtsc`, `rdtscp`
            }
    };
    if looked {
        note(CLOCK);
        // SAFETY: concerns this thread.
        unsafe { libc::prctl(libc::PR_SET_TSC, libc::PR_TSC_ENABLE as c_ulong) };
        return;
    }
    let before = FAULTS_BEFORE.get();
    match before {
        Some(before) if ![libc::SIG_DFL, libc::SIG_IGN].contains(&before.sa_sigaction) => {
            // SAFETY: it was installed by whoever came before, with the signature that its flags say. One without
            // information takes less, which the calling convention allows.
            unsafe {
                let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                    mem::transmute(before.sa_sigaction);
                handler(signal, info, context);
            }
        }
        // SAFETY: as in `on_call`.
        _ => unsafe {
            libc::signal(libc::SIGSEGV, libc::SIG_DFL);
        },
    }
}

/// What people call a system call.
fn name(number: i64) -> String {
    let known = [
        (libc::SYS_futex, "`futex`: waiting for a lock, or waking who waits"),
        (libc::SYS_nanosleep, "`nanosleep`"),
        (libc::SYS_clock_nanosleep, "`clock_nanosleep`: sleeping"),
        (libc::SYS_sched_yield, "`sched_yield`"),
        (libc::SYS_clock_gettime, "`clock_gettime`: what time it is"),
        (libc::SYS_read, "`read`"),
        (libc::SYS_write, "`write`"),
        (libc::SYS_writev, "`writev`"),
        (libc::SYS_openat, "`openat`: a file"),
        (libc::SYS_close, "`close`"),
        (libc::SYS_poll, "`poll`"),
        (libc::SYS_epoll_wait, "`epoll_wait`"),
        (libc::SYS_recvfrom, "`recvfrom`"),
        (libc::SYS_sendto, "`sendto`"),
        (libc::SYS_mmap, "`mmap`: memory"),
        (libc::SYS_munmap, "`munmap`: memory given back"),
        (libc::SYS_mprotect, "`mprotect`"),
        (libc::SYS_madvise, "`madvise`"),
        (libc::SYS_brk, "`brk`: memory"),
        (libc::SYS_clone, "`clone`: a thread"),
        (libc::SYS_clone3, "`clone3`: a thread"),
        (libc::SYS_getrandom, "`getrandom`"),
        (libc::SYS_rt_sigreturn, "`rt_sigreturn`"),
        (libc::SYS_rt_sigprocmask, "`rt_sigprocmask`"),
    ];
    let known = known.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("call {number} of the system"), |(_, name)| (*name).to_owned())
}
