//! Whatever an editor does to a file, its text arrives. The edits are made while the source is waiting, and its
//! regular check is an hour away, so that only the watcher can have noticed.

#![allow(clippy::unwrap_used, reason = "tests may, in their helpers too")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::join};
use jackfield_sources::{FileSource, Source, SourceError, Update, write_atomically};
use tempfile::{TempDir, tempdir};
use tokio::{runtime, task::spawn_blocking, time::timeout};

const DEADLINE: Duration = Duration::from_secs(30);
const AN_HOUR: Duration = Duration::from_secs(3600);

fn settings(text: &str) -> (TempDir, PathBuf) {
    let dir = tempdir().unwrap();
    let path = dir.path().join("settings.toml");
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn watch(path: &Path) -> FileSource {
    FileSource::new(path).unwrap().check_every(AN_HOUR)
}

/// Runs a test with one thread for what blocks, which makes a queue of it; see [`update_by`].
fn run(test: impl Future<Output = ()>) {
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_time().max_blocking_threads(1).build().unwrap().block_on(test);
}

async fn update(source: &mut FileSource) -> Update {
    timeout(DEADLINE, source.next()).await.expect("nothing was delivered").unwrap()
}

async fn text(source: &mut FileSource) -> String {
    update(source).await.unwrap().text
}

/// What an edit leads to that is made while the source waits. The source reads the file before it waits; reading
/// blocks; so it waits when what blocks after that is through.
async fn update_by(source: &mut FileSource, edit: impl FnOnce()) -> Update {
    let edit = async {
        for _ in 0..3 {
            spawn_blocking(|| ()).await.unwrap();
        }
        edit();
    };
    join(update(source), edit).await.0
}

async fn text_by(source: &mut FileSource, edit: impl FnOnce()) -> String {
    update_by(source, edit).await.unwrap().text
}

#[test]
fn the_first_text_is_what_is_there() {
    run(async {
        let (_dir, path) = settings("one");
        let mut source = watch(&path);
        let document = update(&mut source).await.unwrap();
        assert_eq!(document.text, "one");
        assert_eq!(document.origin.path(), Some(path.as_path()));
    });
}

#[test]
fn a_text_that_was_read_already_is_not_delivered() {
    run(async {
        let (_dir, path) = settings("one");
        let mut source = watch(&path).having_read("one");
        assert_eq!(text_by(&mut source, || fs::write(&path, "two").unwrap()).await, "two");
    });
}

/// Something done to a file, and the text it then has.
type Edit<'a> = (&'a dyn Fn(&Path), &'a str);

/// Makes the edits in turn, to a file that begins as `one`.
#[track_caller]
fn check(edits: &[Edit<'_>]) {
    run(async {
        let (_dir, path) = settings("one");
        let mut source = watch(&path);
        assert_eq!(text(&mut source).await, "one");
        for (edit, expected) in edits {
            assert_eq!(text_by(&mut source, || edit(&path)).await, *expected);
        }
    });
}

#[test]
fn a_file_written_in_place_is_delivered() {
    check(&[(&|path| fs::write(path, "two").unwrap(), "two"), (&|path| fs::write(path, "3").unwrap(), "3")]);
}

#[test]
fn a_file_replaced_by_a_rename_is_delivered() {
    let replace = |path: &Path, text: &str| {
        let beside = path.with_file_name("settings.toml~");
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, path).unwrap();
    };
    check(&[(&|path| replace(path, "two"), "two"), (&|path| replace(path, "three"), "three")]);
}

#[test]
fn a_file_that_steps_aside_for_its_successor_is_delivered() {
    let step_aside = |path: &Path| {
        fs::rename(path, path.with_file_name("settings.toml~")).unwrap();
        fs::write(path, "two").unwrap();
    };
    check(&[(&step_aside, "two")]);
}

#[test]
fn a_text_written_atomically_is_delivered() {
    check(&[
        (&|path| write_atomically(path, "two").unwrap(), "two"),
        (&|path| write_atomically(path, "three").unwrap(), "three"),
    ]);
}

#[test]
fn a_file_deleted_and_made_again_is_delivered() {
    let make_again = |path: &Path| {
        fs::remove_file(path).unwrap();
        fs::write(path, "two").unwrap();
    };
    check(&[(&make_again, "two"), (&|path| fs::write(path, "three").unwrap(), "three")]);
}

#[test]
fn a_file_that_is_not_there_yet_is_awaited() {
    run(async {
        let dir = tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        let mut source = watch(&path);
        assert_eq!(text_by(&mut source, || fs::write(&path, "one").unwrap()).await, "one");
    });
}

#[test]
fn a_directory_deleted_and_made_again_is_watched_again() {
    run(async {
        let dir = tempdir().unwrap();
        let (inner, path) = (dir.path().join("inner"), dir.path().join("inner/settings.toml"));
        let mut source = watch(&path);
        for generation in 1..=3 {
            let make = || {
                fs::create_dir(&inner).unwrap();
                fs::write(&path, format!("made {generation}")).unwrap();
            };
            assert_eq!(text_by(&mut source, make).await, format!("made {generation}"));
            let edit = || fs::write(&path, format!("edited {generation}")).unwrap();
            assert_eq!(text_by(&mut source, edit).await, format!("edited {generation}"));
            fs::remove_dir_all(&inner).unwrap();
        }
    });
}

#[test]
fn a_call_that_is_dropped_loses_nothing() {
    run(async {
        let (_dir, path) = settings("one");
        let mut source = watch(&path);
        assert_eq!(text(&mut source).await, "one");
        fs::write(&path, "two").unwrap();
        for _ in 0..10 {
            assert!(source.next().now_or_never().is_none());
        }
        assert_eq!(text(&mut source).await, "two");
    });
}

#[test]
fn bytes_that_are_no_text_are_a_problem_with_its_line_and_then_over() {
    run(async {
        let (_dir, path) = settings("one");
        let mut source = watch(&path);
        assert_eq!(text(&mut source).await, "one");
        let spoil = || fs::write(&path, b"fine\nfine\n\xff\xfe\n").unwrap();
        let error = update_by(&mut source, spoil).await.unwrap_err();
        assert!(matches!(error, SourceError::NotUtf8 { line: 3, .. }), "{error}");
        assert_eq!(text_by(&mut source, || fs::write(&path, "one").unwrap()).await, "one");
    });
}

#[test]
fn a_directory_in_place_of_the_file_is_a_problem() {
    run(async {
        let dir = tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        let mut source = watch(&path);
        let error = update_by(&mut source, || fs::create_dir(&path).unwrap()).await.unwrap_err();
        assert!(matches!(error, SourceError::NotAFile { .. }), "{error}");
    });
}

#[test]
fn a_file_beyond_all_measure_is_a_problem() {
    run(async {
        let dir = tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
        let error = update(&mut watch(&path)).await.unwrap_err();
        assert!(matches!(error, SourceError::TooLarge { .. }), "{error}");
    });
}

// The best of five, because what else the machine does is not the source's doing.
#[test]
fn an_edit_is_delivered_within_200_ms() {
    run(async {
        let (_dir, path) = settings("zero");
        let mut source = watch(&path);
        assert_eq!(text(&mut source).await, "zero");
        let mut best = DEADLINE;
        for next in ["one", "two", "three", "four", "five"] {
            let mut begun = Instant::now();
            let edit = || {
                begun = Instant::now();
                fs::write(&path, next).unwrap();
            };
            assert_eq!(text_by(&mut source, edit).await, next);
            best = best.min(begun.elapsed());
        }
        assert!(best < Duration::from_millis(200), "{best:?}");
    });
}

#[cfg(unix)]
mod links {
    use std::{fs, os::unix::fs::symlink};

    use tempfile::tempdir;

    use crate::{SourceError, run, text, text_by, update, watch};

    #[test]
    fn a_file_behind_a_link_is_delivered_when_written_where_it_is() {
        run(async {
            let dir = tempdir().unwrap();
            fs::create_dir(dir.path().join("elsewhere")).unwrap();
            let target = dir.path().join("elsewhere/real.toml");
            let link = dir.path().join("settings.toml");
            fs::write(&target, "one").unwrap();
            symlink("elsewhere/real.toml", &link).unwrap();
            let mut source = watch(&link);
            assert_eq!(text(&mut source).await, "one");
            assert_eq!(text_by(&mut source, || fs::write(&target, "two").unwrap()).await, "two");
        });
    }

    // As Kubernetes mounts a config map: the file leads to `..data`, which is swapped by a rename. Twice, because
    // what is to be watched changes with it.
    #[test]
    fn a_link_whose_directory_is_swapped_is_followed() {
        run(async {
            let dir = tempdir().unwrap();
            let swap = |generation: &str| {
                fs::create_dir(dir.path().join(generation)).unwrap();
                fs::write(dir.path().join(generation).join("settings.toml"), generation).unwrap();
                symlink(generation, dir.path().join("..data_tmp")).unwrap();
                fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
            };
            swap("..first");
            let link = dir.path().join("settings.toml");
            symlink("..data/settings.toml", &link).unwrap();
            let mut source = watch(&link);
            assert_eq!(text(&mut source).await, "..first");
            assert_eq!(text_by(&mut source, || swap("..second")).await, "..second");
            fs::remove_dir_all(dir.path().join("..first")).unwrap();
            assert_eq!(text_by(&mut source, || swap("..third")).await, "..third");
            let edit = || fs::write(dir.path().join("..third/settings.toml"), "by hand").unwrap();
            assert_eq!(text_by(&mut source, edit).await, "by hand");
        });
    }

    #[test]
    fn links_in_a_circle_are_unreadable() {
        run(async {
            let dir = tempdir().unwrap();
            let link = dir.path().join("settings.toml");
            symlink("settings.toml", &link).unwrap();
            let error = update(&mut watch(&link)).await.unwrap_err();
            assert!(matches!(error, SourceError::Unreadable { .. }), "{error}");
        });
    }
}
