//! What the scenarios share: a place of their own, the program, and what it leaves there.

mod playing;
mod wav;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use jackfield_testkit::fixtures;
use tempfile::TempDir;

pub(crate) use playing::{Ended, Playing, is_clock};
pub(crate) use wav::{Wav, write_wav};

/// The program, started in `place`.
pub(crate) fn jackfield(place: &Place) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    command.current_dir(place.path()).env_remove("JACKFIELD_LOG").env("JACKFIELD_CACHE", "");
    command
}

/// A directory of its own, and what a person has in it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// With the fixture of this name in it, called `NAME.project.json`.
    pub(crate) fn with(fixture: &str) -> Self {
        let place = Self::new();
        place.take(fixture);
        place
    }

    /// Puts a fixture's project here.
    pub(crate) fn take(&self, fixture: &str) {
        let from = fixtures::project(fixture);
        fs::copy(from, self.file(&format!("{fixture}.project.json"))).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.file(name), text).unwrap();
    }

    /// Saves the settings.
    pub(crate) fn edit(&self, settings: &str) {
        self.write("jackfield.toml", settings);
    }

    /// The names of the files here, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs the program to its end, with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        Done::of(jackfield(self).args(arguments).output().unwrap())
    }
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    fn of(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// It did what it was asked for, and complained of nothing. What it said.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        self.stdout
    }
}
