use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicUsize, atomic::Ordering, mpsc},
    time::Duration,
};

use notify::{
    Event, EventKind, NullWatcher, Watcher,
    event::{AccessKind, AccessMode, CreateKind},
};
use tempfile::{TempDir, tempdir};
use tokio::time::Instant;

use crate::{
    file::FileSource,
    source::Source,
    watch::{Directories, Handler},
};

const DEADLINE: Duration = Duration::from_secs(30);

fn settings() -> (TempDir, PathBuf) {
    let dir = tempdir().unwrap();
    let path = dir.path().join("settings.toml");
    fs::write(&path, "one").unwrap();
    (dir, path)
}

fn source(path: &Path, directories: Directories) -> FileSource {
    FileSource::watching_through(path.to_owned(), directories).check_every(Duration::from_secs(86_400))
}

async fn text(source: &mut FileSource) -> String {
    source.next().await.unwrap().unwrap().text
}

/// Directories whose watchers report what the test tells their handlers.
fn driven_by_hand() -> (Arc<Mutex<Vec<Handler>>>, Directories) {
    let handlers = Arc::new(Mutex::new(Vec::<Handler>::new()));
    let made = Arc::clone(&handlers);
    let directories = Directories::made_by(move |handler| {
        made.lock().unwrap().push(handler);
        Ok(Box::new(NullWatcher::new(|_| {}, notify::Config::default())?))
    });
    (handlers, directories)
}

/// Hears when the last of its clones is dropped.
fn until_dropped() -> (mpsc::Sender<()>, impl FnOnce() -> bool) {
    let (alive, ended) = mpsc::channel();
    (alive, move || ended.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Disconnected))
}

#[tokio::test]
async fn dropping_the_source_ends_its_watcher() {
    let (_dir, path) = settings();
    let (alive, ended) = until_dropped();
    let directories = Directories::made_by(move |mut handler| {
        let alive = alive.clone();
        let watcher = notify::recommended_watcher(move |event| {
            let _held_by_the_watchers_thread = &alive;
            handler(event);
        })?;
        Ok(Box::new(watcher))
    });
    let mut source = source(&path, directories);
    assert_eq!(text(&mut source).await, "one");
    assert!(source.directories.all_watched());
    drop(source);
    assert!(ended(), "the watcher's thread has not ended");
}

#[tokio::test(start_paused = true)]
async fn where_no_watcher_can_be_made_the_file_is_read_regularly_and_another_is_tried_now_and_then() {
    let (_dir, path) = settings();
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let none = Directories::made_by(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Err(notify::Error::generic("out of descriptors"))
    });
    let mut source = source(&path, none);
    assert_eq!(text(&mut source).await, "one");
    fs::write(&path, "two").unwrap();
    assert_eq!(text(&mut source).await, "two");
    assert_eq!(attempts.load(Ordering::Relaxed), 1);

    tokio::time::timeout(Duration::from_secs(60), source.next()).await.unwrap_err();
    let attempts = attempts.load(Ordering::Relaxed);
    assert!((10..=13).contains(&attempts), "{attempts} in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_fails_is_replaced_and_nothing_is_missed_meanwhile() {
    let (_dir, path) = settings();
    let (handlers, directories) = driven_by_hand();
    let mut source = source(&path, directories);
    assert_eq!(text(&mut source).await, "one");
    assert!(source.directories.all_watched());

    (handlers.lock().unwrap()[0])(Err(notify::Error::generic("the connection was lost")));
    fs::write(&path, "two").unwrap();
    assert_eq!(text(&mut source).await, "two");
    assert!(!source.directories.all_watched(), "it reads regularly for now");
    fs::write(&path, "three").unwrap();
    assert_eq!(text(&mut source).await, "three");

    tokio::time::timeout(Duration::from_secs(60), source.next()).await.unwrap_err();
    assert_eq!(handlers.lock().unwrap().len(), 2);
    assert!(source.directories.all_watched(), "by the second watcher");
}

// On Linux our own reading is reported too; if it woke us we would read for ever.
#[tokio::test(start_paused = true)]
async fn a_file_that_is_read_wakes_nobody() {
    let (dir, _path) = settings();
    let (handlers, mut directories) = driven_by_hand();
    directories.follow(&[dir.path().to_owned()].into());
    let limit = Duration::from_secs(10);
    for (kind, wakes) in [
        (EventKind::Access(AccessKind::Open(AccessMode::Any)), false),
        (EventKind::Access(AccessKind::Close(AccessMode::Read)), false),
        (EventKind::Access(AccessKind::Close(AccessMode::Write)), true),
        (EventKind::Create(CreateKind::File), true),
        (EventKind::Other, true),
    ] {
        (handlers.lock().unwrap()[0])(Ok(Event::new(kind)));
        let begun = Instant::now();
        directories.changed_within(limit).await;
        assert_eq!(begun.elapsed() < limit, wakes, "{kind:?}");
    }
}
