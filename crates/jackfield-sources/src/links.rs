use std::{
    collections::BTreeSet,
    iter,
    path::{Path, PathBuf},
};

/// As many links as Linux follows before it calls a path a loop.
const MOST_LINKS: usize = 40;

/// The path, and if it is a symbolic link, every path it leads to, as far as they go. The last one is no link,
/// whether it exists or not, unless the links go in a circle.
pub(crate) fn followed(path: &Path) -> impl Iterator<Item = PathBuf> {
    let next = |link: &PathBuf| Some(link.parent()?.join(link.read_link().ok()?));
    iter::successors(Some(path.to_owned()), next).take(MOST_LINKS + 1)
}

/// The directory of the file, and if that is a symbolic link, of every file it leads to.
///
/// A directory that is missing is named as it is written, so that it counts as not watched.
pub(crate) fn directories(path: &Path) -> BTreeSet<PathBuf> {
    let directory = |file: PathBuf| {
        let directory = file.parent()?;
        Some(directory.canonicalize().unwrap_or_else(|_| directory.to_owned()))
    };
    followed(path).filter_map(directory).collect()
}
