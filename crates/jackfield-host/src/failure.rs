use std::{
    fmt,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

/// Why a command did not do what it was asked for: one clear message, and what it means for a script.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was given is wrong: a file, a flag, a value. Exit code 2.
    Input(String),
    /// What was given is right, and it went wrong all the same. Exit code 1.
    Work(String),
}

pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn input(message: impl fmt::Display) -> Self {
        Self::Input(message.to_string())
    }

    pub(crate) fn work(message: impl fmt::Display) -> Self {
        Self::Work(message.to_string())
    }

    /// A file that cannot be written: the path, the reason, and what to do.
    pub(crate) fn unwritable(path: &Path, error: impl fmt::Display) -> Self {
        Self::Input(format!(
            "{}: cannot be written: {error}; choose another path, or mend its permissions",
            path.display()
        ))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Input(_) => ExitCode::from(2),
            Self::Work(_) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(message) | Self::Work(message) => f.write_str(message),
        }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Says what was asked for. Unlike `println!`, it does not panic where nobody can hear it.
pub(crate) fn say(text: &str) -> Outcome<()> {
    let mut stdout = io::stdout().lock();
    let said = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    said.map_err(|error| Failure::Work(format!("standard output cannot be written: {error}")))
}

/// Says on standard error what went wrong; if even that cannot be written, the exit code has to do.
pub(crate) fn warn(text: &dyn fmt::Display) {
    drop(writeln!(io::stderr(), "jackfield: {text}"));
}
