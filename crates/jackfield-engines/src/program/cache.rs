use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// How much a cache may take before what was used least is thrown away.
const LARGEST: u64 = 256 << 20;

/// A directory in which compiled code is kept, so that a program that was compiled before starts at once. Clones share
/// it; so may any number of processes.
///
/// Code is found by a hash of the program, of the compiler's version and of its settings: nothing has to be thrown away
/// by hand, and a file that does not fit is not used. The cache holds 256 MiB at most; what was used least goes first.
///
/// What lies in the directory is run: it must belong to whoever runs the programs, and to nobody else.
#[derive(Clone)]
pub struct CodeCache(wasmtime::Cache);

impl CodeCache {
    /// The cache in this directory, which is made if it is not there.
    ///
    /// # Errors
    /// When the directory cannot be made or is not an absolute path.
    pub fn in_directory(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        std::fs::create_dir_all(path)?;
        let mut config = wasmtime::CacheConfig::new();
        config.with_directory(path.canonicalize()?).with_files_total_size_soft_limit(LARGEST);
        let cache = wasmtime::Cache::new(config).map_err(|error| io::Error::other(format!("{error:#}")))?;
        Ok(Self(cache))
    }

    /// Where it is.
    pub fn directory(&self) -> &PathBuf {
        self.0.directory()
    }

    /// How many programs it had ready, and how many it had not, since it was made.
    pub fn hits_and_misses(&self) -> (usize, usize) {
        (self.0.cache_hits(), self.0.cache_misses())
    }

    pub(super) fn cache(&self) -> wasmtime::Cache {
        self.0.clone()
    }
}

impl fmt::Debug for CodeCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CodeCache").field(self.directory()).finish()
    }
}
