use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::{TempDir, tempdir};

use crate::write::{
    CHUNK,
    Step::{self, ChunkWritten, Created, NameOnDisk, Protected, Renamed, TextOnDisk},
    WriteError, write_atomically, write_in_steps,
};

const OLD: &str = "old = true";
const STEPS: [Step; 8] =
    [Created, Protected, ChunkWritten, ChunkWritten, ChunkWritten, TextOnDisk, Renamed, NameOnDisk];

fn new_text() -> String {
    "n".repeat(2 * CHUNK + 1)
}

fn old_settings() -> (TempDir, PathBuf) {
    let dir = tempdir().unwrap();
    let path = dir.path().join("settings.toml");
    fs::write(&path, OLD).unwrap();
    (dir, path)
}

fn files_in(dir: &Path) -> usize {
    fs::read_dir(dir).unwrap().count()
}

/// Counts the steps, and does `harm` after the one with this index.
fn harm_after(index: usize, harm: impl Fn() -> io::Result<()>) -> impl FnMut(Step) -> io::Result<()> {
    let mut steps = 0..;
    move |_| if steps.next() == Some(index) { harm() } else { Ok(()) }
}

#[test]
fn the_text_is_on_the_disk_before_it_takes_the_name_and_the_name_after() {
    let (_dir, path) = old_settings();
    let mut steps = Vec::new();
    let done = write_in_steps(&path, &new_text(), &mut |step| {
        steps.push(step);
        Ok(())
    });
    done.unwrap();
    assert_eq!(steps, STEPS);
}

#[test]
fn a_failure_at_any_step_leaves_the_old_text_or_the_new_and_says_which() {
    for (index, step) in STEPS.into_iter().enumerate() {
        let (dir, path) = old_settings();
        let full = || Err(io::ErrorKind::StorageFull.into());
        let error = write_in_steps(&path, &new_text(), &mut harm_after(index, full)).unwrap_err();
        let text = fs::read_to_string(&path).unwrap();
        match error {
            WriteError::Unchanged { .. } => assert_eq!(text, OLD, "after {step:?}"),
            WriteError::NotDurable { .. } => assert_eq!(text, new_text(), "after {step:?}"),
            other => panic!("after {step:?}: {other}"),
        }
        assert_eq!(files_in(dir.path()), 1, "nothing is left behind after {step:?}");
    }
}

const VICTIM: &str = "JACKFIELD_TEST_WRITER_TO_KILL";
const DEATH: i32 = 86;

// Settings survive a crash. This test is also the writer that dies: it runs itself as a process of its own.
#[test]
fn a_writer_killed_at_any_step_leaves_the_old_text_or_the_new() {
    if let Ok(victim) = env::var(VICTIM) {
        let (index, path) = victim.split_once(' ').unwrap();
        let die = || -> io::Result<()> { std::process::exit(DEATH) };
        write_in_steps(Path::new(path), &new_text(), &mut harm_after(index.parse().unwrap(), die)).unwrap();
    }
    for (index, step) in STEPS.into_iter().enumerate() {
        let (_dir, path) = old_settings();
        let run = Command::new(env::current_exe().unwrap())
            .args(["--exact", "write::tests::a_writer_killed_at_any_step_leaves_the_old_text_or_the_new"])
            .env(VICTIM, format!("{index} {}", path.display()))
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(DEATH), "it was to die after {step:?}");

        let expected = if index < 6 { OLD.to_owned() } else { new_text() };
        assert!(fs::read_to_string(&path).unwrap() == expected, "a torn text after {step:?}");
        write_atomically(&path, "next").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "next", "what is left behind is in nobody's way");
    }
}

#[test]
fn a_leftover_of_the_same_name_is_not_written_into() {
    let (dir, path) = old_settings();
    let leftover = dir.path().join(format!(".settings.toml.{}-0.tmp", std::process::id()));
    fs::write(&leftover, "left over").unwrap();
    write_atomically(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&leftover).unwrap(), "left over");
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}
