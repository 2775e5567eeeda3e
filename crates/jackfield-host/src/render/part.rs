use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// A file that is being written, beside the one whose place it takes when it is complete.
pub(super) struct Part {
    out: PathBuf,
    /// Nothing where `out` is no ordinary file: nothing may take the place of a device, so it is written itself.
    beside: Option<PathBuf>,
}

impl Part {
    /// A part of `out`, open for writing. A link stays one, and the file it leads to is replaced.
    pub(super) fn of(out: &Path) -> io::Result<(Self, File)> {
        let out = fs::canonicalize(out).unwrap_or_else(|_| out.to_owned());
        let is_special = fs::metadata(&out).is_ok_and(|found| !found.is_file());
        let mut name = out.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let beside = (!is_special).then(|| out.with_file_name(name));
        let file = File::create(beside.as_ref().unwrap_or(&out))?;
        Ok((Self { out, beside }, file))
    }

    /// The file is complete: puts it where it belongs.
    pub(super) fn put_in_place(mut self) -> io::Result<()> {
        let Some(beside) = &self.beside else { return Ok(()) };
        fs::rename(beside, &self.out)?;
        self.beside = None;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            fs::remove_file(beside).ok(); // it is of no use, and may stay if it must
        }
    }
}
