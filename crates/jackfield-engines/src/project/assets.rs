//! Files that a project wants in its memory.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    memory::{Memories, MemoryMap, Variable},
    project::{config::BinaryAsset, problem::Problem},
};

/// What lies in a file, and where it belongs: a sample, a table.
#[derive(Clone, PartialEq, Eq)]
pub struct Asset {
    /// The file.
    pub path: PathBuf,
    /// The variable it is loaded into.
    pub memory_id: String,
    /// The number of the memory that lies in: 0 is the program's own.
    pub memory: u32,
    /// The first byte of that.
    pub byte_address: u32,
    /// What is in the file, as far as the variable reaches.
    pub bytes: Arc<[u8]>,
}

/// Reads the files that `wanted` names, from where the project's directory is. What cannot be had is left out, and said:
/// a project can be played without its samples.
pub(super) fn load(wanted: &[BinaryAsset], directory: &Path, map: &MemoryMap) -> (Vec<Asset>, Vec<Problem>) {
    let (mut assets, mut left_out) = (Vec::new(), Vec::new());
    for asset in wanted {
        match read(asset, directory, map) {
            Ok(asset) => assets.push(asset),
            Err(problem) => left_out.push(problem),
        }
    }
    (assets, left_out)
}

/// Where the file of an asset is; `None` if it is not a local one.
pub(super) fn local(url: &str, directory: &Path) -> Option<PathBuf> {
    let path = url.strip_prefix("file://").unwrap_or(url);
    let elsewhere = path.contains("://") || path.starts_with("data:") || path.is_empty();
    (!elsewhere).then(|| directory.join(path))
}

fn read(asset: &BinaryAsset, directory: &Path, map: &MemoryMap) -> Result<Asset, Problem> {
    let problem = |message: String, remedy: &str| Problem::new("binaryAssets", message, remedy);
    let BinaryAsset { url, memory_id } = asset;
    let variable = map.variable(memory_id).map_err(|error| {
        problem(format!("`{url}` belongs nowhere: {error}"), "name a variable of the program")
    })?;
    let path = local(url, directory).ok_or_else(|| {
        let message = format!("`{url}` is not on this machine, and nothing is fetched");
        problem(message, "put the file beside the project, and name it there")
    })?;
    let bytes = fs::read(&path)
        .map_err(|error| problem(format!("{} cannot be read: {error}", path.display()), "check the path"))?;
    let room = variable.end() - u64::from(variable.byte_address);
    let length = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
    let bytes = bytes[..length].into();
    let Variable { memory, byte_address, .. } = *variable;
    Ok(Asset { path, memory_id: variable.id.clone(), memory, byte_address, bytes })
}

impl Asset {
    /// Writes it into a program's memories; what lies outside of these is left out.
    pub(crate) fn write(&self, memories: &mut (impl Memories + ?Sized)) {
        let memory = memories.bytes_mut(self.memory);
        let place =
            memory.and_then(|memory| memory.get_mut(self.byte_address as usize..)).unwrap_or_default();
        let length = place.len().min(self.bytes.len());
        place[..length].copy_from_slice(&self.bytes[..length]);
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, memory_id, bytes, .. } = self;
        f.debug_struct("Asset")
            .field("path", path)
            .field("memory_id", memory_id)
            .field("bytes", &bytes.len())
            .finish_non_exhaustive()
    }
}
