//! Bad input: exit code 2, one clear message, no panic, and nothing that looks like success.

use crate::support::{Done, Place};

mod flags;
mod mutated;
mod paths;
mod projects;
mod settings;

/// Refused, with exactly this message.
#[track_caller]
fn refused(done: &Done, message: &str) {
    assert_eq!(done.stderr, format!("jackfield: {message}\n"));
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
}

/// `run`, `render` and `trace` refuse `path` with this message; `check` finds it and nothing else; and the place is as
/// it was.
#[track_caller]
fn check(place: &Place, path: &str, message: &str) {
    let before = place.names();
    for arguments in [
        &["run", "--silent", "--for", "1s", path][..],
        &["render", path, "--seconds", "0.1", "--out", "song.wav"],
        &["trace", path, "--cycles", "10", "--out", "t.json"],
        &["trace", path],
    ] {
        refused(&place.run(arguments), message);
    }
    let done = place.run(&["check", path]);
    assert_eq!(done.stdout, format!("{message}\n"));
    assert_eq!((done.code, done.stderr.as_str()), (Some(2), ""), "{done:?}");
    assert_eq!(place.names(), before);
}
