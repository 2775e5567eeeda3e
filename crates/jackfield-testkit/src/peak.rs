use std::{io, process::Command};

/// Runs `command` to its end, and gives the most memory it had at once, in bytes; `None` on systems that are not asked.
///
/// A process begins as a copy of the one that starts it, whose memory counts if it is more: compare what several runs take,
/// and do not take one of them for the program's own need.
///
/// # Errors
///
/// Fails if it cannot be run, or does not end well.
pub fn peak_memory(command: &mut Command) -> io::Result<Option<u64>> {
    measure(command)
}

#[cfg(not(target_os = "linux"))]
fn measure(command: &mut Command) -> io::Result<Option<u64>> {
    let status = command.status()?;
    if status.success() { Ok(None) } else { Err(io::Error::other(status.to_string())) }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library does not ask what a process took")]
fn measure(command: &mut Command) -> io::Result<Option<u64>> {
    let child = command.spawn()?;
    let process = i32::try_from(child.id()).map_err(io::Error::other)?;
    let mut status = 0;
    // SAFETY: zeroes are a valid value of it.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both are written to, and outlive the call. Nobody else waits for the child.
    if unsafe { libc::wait4(process, &mut status, 0, &mut used) } != process {
        return Err(io::Error::last_os_error());
    }
    if status != 0 {
        return Err(io::Error::other(format!("ended with status {status:#x}")));
    }
    Ok(u64::try_from(used.ru_maxrss).ok().map(|kilobytes| kilobytes * 1024))
}
