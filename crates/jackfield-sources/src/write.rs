use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::links::followed;

/// Large enough that settings take one write, small enough that a large text shows what happens between two.
const CHUNK: usize = 64 * 1024;

/// Why a text was not written, and what is in the file now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file is marked read-only. Somebody meant that: nothing was touched.
    #[error("`{}` is read-only; make it writable to save settings", path.display())]
    ReadOnly {
        /// The file, with links resolved.
        path: PathBuf,
    },
    /// The file is as it was: the directory may be missing, full or not writable.
    #[error("cannot write `{}`, which is as it was: {doing} failed", path.display())]
    Unchanged {
        /// The file, with links resolved as far as they could be.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The new text is in place, but a power cut in the next seconds may bring the old one back.
    #[error("`{}` is written, but its directory cannot be brought to the disk", path.display())]
    NotDurable {
        /// The file, with links resolved.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Replaces the file's text so that whoever reads it, and whatever kills the writer, finds the old text or the
/// new one and never a part.
///
/// The text goes to a file beside it, to the disk, and takes the name of the old one. The file keeps its
/// permissions, and its owner where the process may decide that. A symbolic link stays one: the file it leads to
/// is written. A writer that is killed may leave a hidden `.tmp` file behind, which does no harm.
///
/// Blocks until the disk has the text, often for some milliseconds.
///
/// # Errors
///
/// Says whether the file was left as it was. See [`WriteError`].
pub fn write_atomically(path: impl AsRef<Path>, text: &str) -> Result<(), WriteError> {
    write_in_steps(path.as_ref(), text, &mut |_| Ok(()))
}

/// What has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Created,
    Protected,
    ChunkWritten,
    TextOnDisk,
    Renamed,
    NameOnDisk,
}

/// The whole of [`write_atomically`]; `after` is where tests let it fail or die.
fn write_in_steps(
    path: &Path,
    text: &str,
    after: &mut dyn FnMut(Step) -> io::Result<()>,
) -> Result<(), WriteError> {
    let unchanged = |path: &Path, doing| {
        let path = path.to_owned();
        move |source| WriteError::Unchanged { path, doing, source }
    };
    let path = &follow_links(path).map_err(unchanged(path, "following its links"))?;
    let old = match fs::metadata(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(unchanged(path, "looking at it")(error)),
    };
    if old.as_ref().is_some_and(|old| old.permissions().readonly()) {
        return Err(WriteError::ReadOnly { path: path.clone() });
    }

    let (mut file, beside) =
        create_beside(path, old.is_some()).map_err(unchanged(path, "creating a file beside it"))?;
    after(Step::Created).map_err(unchanged(path, "creating a file beside it"))?;
    if let Some(old) = &old {
        protect(&file, old)
            .and_then(|()| after(Step::Protected))
            .map_err(unchanged(path, "keeping its permissions"))?;
    }
    for chunk in text.as_bytes().chunks(CHUNK) {
        file.write_all(chunk)
            .and_then(|()| after(Step::ChunkWritten))
            .map_err(unchanged(path, "writing the text beside it"))?;
    }
    file.sync_all()
        .and_then(|()| after(Step::TextOnDisk))
        .map_err(unchanged(path, "bringing the text to the disk"))?;
    drop(file); // some systems do not rename an open file
    beside.rename_to(path).map_err(unchanged(path, "taking its name"))?;
    after(Step::Renamed)
        .and_then(|()| sync_directory(path))
        .and_then(|()| after(Step::NameOnDisk))
        .map_err(|source| WriteError::NotDurable { path: path.clone(), source })
}

/// The file that a chain of symbolic links ends in, whether it exists or not.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let end = followed(&std::path::absolute(path)?).last().filter(|end| !end.is_symlink());
    end.ok_or_else(|| io::Error::other("the links go in a circle"))
}

/// A file that is removed again unless it takes its final name.
struct Beside(Option<PathBuf>);

impl Beside {
    fn rename_to(mut self, path: &Path) -> io::Result<()> {
        if let Some(beside) = &self.0 {
            fs::rename(beside, path)?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_file(path)
        {
            tracing::debug!(path = %path.display(), %error, "A temporary file was left behind.");
        }
    }
}

/// Creates a file that was not there, in the directory of `path`. Where it stands in for an `existing` one,
/// nobody else may read it until it has that one's permissions.
fn create_beside(path: &Path, existing: bool) -> io::Result<(File, Beside)> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if existing {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = existing;
    let mut attempt = 0_u32;
    loop {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let beside = path.with_file_name(hidden);
        match options.open(&beside) {
            Ok(file) => return Ok((file, Beside(Some(beside)))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < u32::MAX => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Gives the new file the permissions of the old one, and its owner if the process may.
fn protect(file: &File, old: &fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid())
            && let Err(error) = fchown(file, Some(old.uid()), Some(old.gid()))
        {
            tracing::debug!(%error, "A file changes its owner as it is written.");
        }
    }
    file.set_permissions(old.permissions())
}

/// A rename is on the disk once its directory is; elsewhere than on Unix the system sees to that.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
