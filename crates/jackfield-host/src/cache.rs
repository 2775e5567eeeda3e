//! Where compiled code is kept from one run to the next.

use std::{env, path::PathBuf};

use jackfield_engines::CodeCache;

/// The environment variable that names another directory; set to nothing, nothing is kept.
const VARIABLE: &str = "JACKFIELD_CACHE";

/// The cache of whoever runs the program. `None` if there is to be none, or if it cannot be had, which is no reason not to
/// play.
pub(crate) fn code_cache() -> Option<CodeCache> {
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    let directory = match named {
        Some(named) => Some(named).filter(|named| !named.as_os_str().is_empty()),
        None => dirs::cache_dir().map(|directory| directory.join("jackfield")),
    };
    let directory = directory?;
    CodeCache::in_directory(&directory)
        .inspect_err(|error| {
            tracing::warn!(
                "Compiled code is not kept: {}: {error}; name another directory in {VARIABLE}",
                directory.display()
            );
        })
        .ok()
}
