use std::{error::Error, io, path::PathBuf, sync::Arc};

/// Why a source has no text to deliver. Cheap to clone.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file is there and cannot be read: mostly a matter of permissions.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// A directory, pipe or device is where the file should be; name a file.
    #[error("`{}` is not a file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// The file is larger than any settings are; probably another file was meant.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many bytes are read at most.
        limit: u64,
    },
    /// The file is not UTF-8 text; save it with that encoding.
    #[error("`{}` is not UTF-8 text: line {line} has other bytes", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first line that is not UTF-8, counted from one.
        line: usize,
    },
    /// A source other than a file has failed.
    #[error("cannot read `{origin}`")]
    Failed {
        /// What the source calls itself.
        origin: String,
        /// What it says.
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl SourceError {
    /// Whether the other one tells a reader nothing new.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let cause = |error: &Self| error.source().map(ToString::to_string);
        self.to_string() == other.to_string() && cause(self) == cause(other)
    }
}
