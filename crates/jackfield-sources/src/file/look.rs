use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{error::SourceError, links::directories};

/// Settings are a few kilobytes; this keeps a path to something else from filling the memory.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What is in the file, or what is wrong with it; `None` while it is missing or empty.
pub(super) type Found = Option<Result<String, SourceError>>;

pub(super) fn same(one: &Found, other: &Found) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(Ok(one)), Some(Ok(other))) => one == other,
        (Some(Err(one)), Some(Err(other))) => one.says_the_same_as(other),
        _ => false,
    }
}

/// Reads the file, and finds the directories in which its replacement would show. Blocks.
pub(super) fn look(path: &Path) -> (Found, BTreeSet<PathBuf>) {
    let directories = directories(path);
    let found = match read(path) {
        Ok(text) if text.is_empty() => None,
        Err(SourceError::Unreadable { source, .. }) if is_missing(&source) => None,
        other => Some(other),
    };
    (found, directories)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn read(path: &Path) -> Result<String, SourceError> {
    let unreadable = |error| SourceError::Unreadable { path: path.to_owned(), source: Arc::new(error) };
    // Asked before opening, because opening a pipe waits for its writer.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SourceError::NotAFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let length = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if length as u64 > LARGEST {
        return Err(SourceError::TooLarge { path: path.to_owned(), limit: LARGEST });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        SourceError::NotUtf8 { path: path.to_owned(), line }
    })
}
