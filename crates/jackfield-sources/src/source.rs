use std::{
    fmt,
    path::{Path, PathBuf},
};

use futures_util::future::BoxFuture;

use crate::error::SourceError;

/// Delivers a text now and whenever it changes.
///
/// Only the latest text matters: a reader that was busy while the text changed three times gets the third. A
/// source has one reader, and ends what it started when dropped.
pub trait Source: Send {
    /// Where the text comes from.
    fn origin(&self) -> &Origin;

    /// Waits for a text, or a problem, that differs from the one delivered last. The first call delivers what is
    /// there.
    ///
    /// `None` means that there will be no more, and the last text stays in force.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what a dropped call would have delivered, the next one does.
    fn next(&mut self) -> BoxFuture<'_, Option<Update>>;
}

const _: Option<&dyn Source> = None;

/// What a source delivers. After a problem the last good text should stay in force.
pub type Update = Result<Document, SourceError>;

/// A text, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Where the text is from, to be named beside whatever is wrong with it.
    pub origin: Origin,
    /// The whole text.
    pub text: String,
}

/// Where a text is from. Prints as people would call it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A file, by its absolute path.
    File(PathBuf),
    /// Anything else, by name.
    Named(String),
}

impl Origin {
    /// The path, if this is a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Named(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Named(name) => name.fmt(f),
        }
    }
}
