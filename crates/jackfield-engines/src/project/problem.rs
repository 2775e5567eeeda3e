use std::{fmt, path::PathBuf};

/// One thing that is wrong with a project, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the file: a path of keys such as `compiledModules.tempo.memoryMap.bpm`, or `byte 12`. Empty for the
    /// file as a whole.
    pub place: String,
    /// Line and column, both from 1, where they are known.
    pub position: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

impl Problem {
    pub(crate) fn new(
        place: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let [place, message, remedy] = [place.into(), message.into(), remedy.into()].map(in_one_line);
        Self { place, position: None, message, remedy }
    }

    /// About the file as a whole.
    pub(crate) fn whole(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new("", message, remedy)
    }

    pub(crate) fn at(mut self, line: usize, column: usize) -> Self {
        self.position = Some(Place { line, column });
        self
    }
}

/// Names come from elsewhere, and may have line breaks in them, or what moves a terminal's cursor.
fn in_one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let letter = |letter: char| {
        let (escaped, plain) =
            if letter.is_control() { (Some(letter.escape_default()), None) } else { (None, Some(letter)) };
        escaped.into_iter().flatten().chain(plain)
    };
    text.chars().flat_map(letter).collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.position {
            write!(f, "line {line}, column {column}: ")?;
        }
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        write!(f, "{}; {}", self.message, self.remedy)
    }
}

/// A project that cannot be used, with everything that is wrong with it. Shown one problem a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectError {
    /// The file or directory, unless the project came from memory.
    pub path: Option<PathBuf>,
    /// What is wrong; at least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ProjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, problem) in self.problems.iter().enumerate() {
            if line > 0 {
                writeln!(f)?;
            }
            if let Some(path) = &self.path {
                write!(f, "{}: ", path.display())?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ProjectError {}
