use std::{
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
