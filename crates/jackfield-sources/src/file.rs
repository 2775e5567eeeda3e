mod look;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::sleep;

use crate::{
    file::look::{Found, look, same},
    source::{Document, Origin, Source, Update},
    watch::{CHECK_WATCHED, Directories, QUIET},
};

/// A text file that is watched, however its editor saves it.
///
/// The directory is watched, so the file may be written in place, replaced by a rename, deleted and made again,
/// or be a symbolic link whose target changes, as configuration mounted by Kubernetes is. Events are hints: the
/// content alone decides whether something changed. An edit is delivered some 50 ms after it is complete.
///
/// A missing or empty file is no change: it is what editors leave behind for a moment. To say "no settings",
/// leave a comment or an empty line. A file that cannot be read is delivered as a problem, once. Where watching
/// is impossible or fails, the file is read ten times a second instead.
///
/// Costs one watcher (on Linux a thread and a file descriptor) from the first [`next`](Source::next) until it is
/// dropped. Nothing happens between two calls of `next`, which must run within a tokio runtime that has its clock
/// enabled.
pub struct FileSource {
    path: PathBuf,
    origin: Origin,
    last: Found,
    check_every: Duration,
    directories: Directories,
}

impl FileSource {
    /// A source for the file at `path`, which need not exist yet. Reads nothing so far.
    ///
    /// # Errors
    ///
    /// Fails if the path is empty, or relative while there is no current directory.
    pub fn new(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::watching_through(std::path::absolute(path)?, Directories::new()))
    }

    fn watching_through(path: PathBuf, directories: Directories) -> Self {
        let origin = Origin::File(path.clone());
        Self { path, origin, last: None, check_every: CHECK_WATCHED, directories }
    }

    /// Takes `text` as delivered already, so that only a different one is.
    #[must_use]
    pub fn having_read(mut self, text: impl Into<String>) -> Self {
        self.last = Some(Ok(text.into()));
        self
    }

    /// Reads the file this often while it is watched, in case the watcher misses something; a second by default.
    #[must_use]
    pub fn check_every(mut self, interval: Duration) -> Self {
        self.check_every = interval;
        self
    }

    /// Does without a watcher: for network drives, whose watchers report nothing. The file is read ten times a
    /// second.
    #[must_use]
    pub fn without_watching(mut self) -> Self {
        self.directories = Directories::never();
        self
    }

    /// Looks until there is news that has settled. `None` when the runtime shuts down.
    async fn news(&mut self) -> Option<Update> {
        loop {
            let mut found = self.look().await?;
            while found.is_some() && !same(&found, &self.last) {
                sleep(QUIET).await;
                let again = self.look().await?;
                if same(&found, &again) {
                    self.last.clone_from(&again);
                    return again.map(|text| text.map(|text| Document { origin: self.origin.clone(), text }));
                }
                found = again;
            }
            self.directories.time_to_look(self.check_every).await;
        }
    }

    async fn look(&mut self) -> Option<Found> {
        let path = self.path.clone();
        self.directories.look(move || look(&path)).await
    }
}

impl Source for FileSource {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn next(&mut self) -> BoxFuture<'_, Option<Update>> {
        Box::pin(self.news())
    }
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSource").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
