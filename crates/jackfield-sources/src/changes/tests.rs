use std::{fs, time::Duration};

use tempfile::tempdir;
use tokio::time::timeout;

use super::FileChanges;

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_change_in_any_of_the_files_is_told_once_it_is_complete() {
    let dir = tempdir().unwrap();
    let (one, two) = (dir.path().join("one.wasm"), dir.path().join("two.json"));
    fs::write(&one, [0, 159, 146, 150]).unwrap();
    let mut changes = FileChanges::of([&one, &two]).unwrap().from_now();
    fs::write(&two, "appears").unwrap();
    assert!(timeout(DEADLINE, changes.changed()).await.unwrap());
    fs::write(&one, [0, 159]).unwrap();
    assert!(timeout(DEADLINE, changes.changed()).await.unwrap());
    fs::remove_file(&two).unwrap();
    assert!(timeout(DEADLINE, changes.changed()).await.unwrap());
}

#[tokio::test]
async fn a_file_that_is_written_with_what_it_had_is_no_change() {
    let dir = tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    fs::write(&one, "same").unwrap();
    let mut changes = FileChanges::of([&one, &two]).unwrap().from_now();
    fs::write(&one, "same").unwrap();
    fs::write(dir.path().join("three"), "a neighbour").unwrap();
    fs::write(&two, "new").unwrap();
    assert!(timeout(DEADLINE, changes.changed()).await.unwrap());
    let known = changes.last.clone();
    fs::write(&one, "same").unwrap();
    let (again, _dir) = (changes.look().await, dir);
    assert_eq!(again, known);
}

#[tokio::test(start_paused = true)]
async fn what_was_edited_before_it_was_watched_is_told_once() {
    let dir = tempdir().unwrap();
    let gone = dir.path().join("gone");
    let mut changes = FileChanges::of([&gone]).unwrap().from_now().having_changed();
    assert!(timeout(DEADLINE, changes.changed()).await.unwrap());
    timeout(DEADLINE, changes.changed()).await.unwrap_err();
}
