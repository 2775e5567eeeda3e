use std::{
    collections::BTreeSet,
    fmt,
    fs::File,
    hash::{DefaultHasher, Hasher},
    io::{self, Read},
    path::{Path, PathBuf},
};

use tokio::time::sleep;

use crate::{
    links::directories,
    watch::{CHECK_WATCHED, Directories, QUIET},
};

/// Some files, of any kind, that belong together: tells when what is in them has changed.
///
/// For what is too large or too manifold to be delivered as a text: whoever is told reads for themselves. A file may be
/// missing, appear and go again. Events of the directories are hints: the content alone decides, by a hash of it, so a
/// file that is written with what it had is no change. A change is told some 50 ms after it is complete.
///
/// Costs one watcher (on Linux a thread and a file descriptor) from the first [`changed`](Self::changed) until it is
/// dropped, and reading the files at every look. `changed` must run within a tokio runtime that has its clock enabled.
pub struct FileChanges {
    paths: Vec<PathBuf>,
    last: Option<Vec<Option<u64>>>,
    /// Whether a change is to be told that shows in no look.
    pending: bool,
    directories: Directories,
}

impl FileChanges {
    /// The files at `paths`, none of which need exist.
    ///
    /// # Errors
    ///
    /// Fails if a path is empty, or relative while there is no current directory.
    pub fn of(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> io::Result<Self> {
        let paths = paths.into_iter().map(std::path::absolute).collect::<io::Result<_>>()?;
        Ok(Self { paths, last: None, pending: false, directories: Directories::new() })
    }

    /// Takes what is in the files now as known. Otherwise the first [`changed`](Self::changed) does, when it begins.
    /// Reads the files on the spot.
    #[must_use]
    pub fn from_now(mut self) -> Self {
        self.last = Some(self.paths.iter().map(|path| fingerprint(path)).collect());
        self
    }

    /// Takes it that a change is still to be told: the next [`changed`](Self::changed) tells it once the files have settled,
    /// whatever is in them. For whoever finds, after this was made, that what they read before is not what is there.
    #[must_use]
    pub fn having_changed(mut self) -> Self {
        self.pending = true;
        self
    }

    /// Waits until a file says something else than when this was last told, or made, or until a change that is
    /// [still to be told](Self::having_changed) has settled. `false` when the runtime shuts down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is missed by giving up and waiting again.
    pub async fn changed(&mut self) -> bool {
        loop {
            let Some(mut found) = self.look().await else { return false };
            let known = self.last.get_or_insert_with(|| found.clone()).clone();
            while self.pending || found != known {
                sleep(QUIET).await;
                let Some(again) = self.look().await else { return false };
                if again == found {
                    (self.last, self.pending) = (Some(again), false);
                    return true;
                }
                found = again;
            }
            self.directories.time_to_look(CHECK_WATCHED).await;
        }
    }

    async fn look(&mut self) -> Option<Vec<Option<u64>>> {
        let paths = self.paths.clone();
        let look = move || {
            let around: BTreeSet<PathBuf> = paths.iter().flat_map(|path| directories(path)).collect();
            (paths.iter().map(|path| fingerprint(path)).collect(), around)
        };
        self.directories.look(look).await
    }
}

/// A hash of what is in the file; none if it is not there, is no file, or cannot be read.
fn fingerprint(path: &Path) -> Option<u64> {
    // Asked before opening, because opening a pipe waits for its writer.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let (mut file, mut hasher, mut buffer) = (File::open(path).ok()?, DefaultHasher::new(), [0; 16 * 1024]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Some(hasher.finish()),
            Ok(read) => hasher.write(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

impl fmt::Debug for FileChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileChanges").field("paths", &self.paths).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
