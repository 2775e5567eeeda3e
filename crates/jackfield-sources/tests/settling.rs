//! What a file passes through on the way to its next text is not delivered. The clock is paused and the file is
//! read by the clock alone, so each of these is the same every time.

#![allow(clippy::unwrap_used, reason = "tests may, in their helpers too")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use jackfield_sources::{FileSource, Source};
use tempfile::{TempDir, tempdir};
use tokio::time::{Instant, sleep, timeout};

const MOMENT: Duration = Duration::from_millis(15);
const LONG: Duration = Duration::from_secs(60);

async fn opened(first: &str) -> (TempDir, PathBuf, FileSource) {
    let dir = tempdir().unwrap();
    let path = dir.path().join("settings.toml");
    fs::write(&path, first).unwrap();
    let mut source = FileSource::new(&path).unwrap().without_watching();
    assert_eq!(text(&mut source).await, first);
    (dir, path, source)
}

async fn text(source: &mut FileSource) -> String {
    source.next().await.unwrap().unwrap().text
}

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn two_quick_edits_are_one_change() {
    let (_dir, path, mut source) = opened("one").await;
    let edits = async {
        fs::write(&path, "two").unwrap();
        sleep(MOMENT).await;
        fs::write(&path, "three").unwrap();
    };
    let (delivered, ()) = tokio::join!(text(&mut source), edits);
    assert_eq!(delivered, "three");
}

// At every phase of the reading, because the edits above may both have come before it.
#[tokio::test(start_paused = true)]
async fn a_text_written_piece_by_piece_arrives_whole() {
    for phase in (0..150).step_by(7).map(Duration::from_millis) {
        let (_dir, path, mut source) = opened("one").await;
        let edits = async {
            sleep(phase).await;
            fs::File::create(&path).unwrap();
            for piece in ["t", "w", "o"] {
                sleep(MOMENT).await;
                append(&path, piece);
            }
        };
        let (delivered, ()) = tokio::join!(text(&mut source), edits);
        assert_eq!(delivered, "two", "with the edit {phase:?} after the first reading");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_stays_empty_is_no_change() {
    let (_dir, path, mut source) = opened("one").await;
    fs::write(&path, "").unwrap();
    assert!(timeout(LONG, source.next()).await.is_err());
    fs::write(&path, "one").unwrap();
    assert!(timeout(LONG, source.next()).await.is_err(), "the same text as before");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_stays_away_is_no_change() {
    let (dir, path, mut source) = opened("one").await;
    fs::remove_file(&path).unwrap();
    assert!(timeout(LONG, source.next()).await.is_err());
    fs::remove_dir(dir.path()).unwrap();
    assert!(timeout(LONG, source.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_edit_and_its_undoing_are_no_change() {
    let (_dir, path, mut source) = opened("one").await;
    let edits = async {
        fs::write(&path, "two").unwrap();
        sleep(MOMENT).await;
        fs::write(&path, "one").unwrap();
    };
    let (delivered, ()) = tokio::join!(timeout(LONG, source.next()), edits);
    assert!(delivered.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_problem_is_delivered_once() {
    let (_dir, path, mut source) = opened("one").await;
    fs::write(&path, b"\xff").unwrap();
    source.next().await.unwrap().unwrap_err();
    assert!(timeout(LONG, source.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_busy_reader_gets_only_the_latest_text() {
    let (_dir, path, mut source) = opened("one").await;
    for next in ["two", "three", "four"] {
        fs::write(&path, next).unwrap();
        sleep(LONG).await;
    }
    assert_eq!(text(&mut source).await, "four");
    assert!(timeout(LONG, source.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_edit_arrives_within_200_ms_even_without_a_watcher() {
    for phase in (0..200).step_by(9).map(Duration::from_millis) {
        let (_dir, path, mut source) = opened("one").await;
        let edited = async {
            sleep(phase).await;
            fs::write(&path, "two").unwrap();
            Instant::now()
        };
        let ((delivered, at), edited) =
            tokio::join!(async { (text(&mut source).await, Instant::now()) }, edited);
        assert_eq!(delivered, "two");
        assert!(at - edited < Duration::from_millis(200), "{:?}", at - edited);
    }
}
