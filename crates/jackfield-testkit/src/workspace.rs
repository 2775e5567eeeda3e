//! Which of the workspace's crates uses which, and what their sources may not name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use crate::code::code_of;

/// The dependencies, among the crates in the directory `crates`, of each of them: what the product needs, without
/// what only its tests need.
///
/// # Errors
///
/// Fails if a manifest cannot be read or is not TOML.
pub fn dependencies(crates: &Path) -> io::Result<BTreeMap<String, BTreeSet<String>>> {
    let mut manifests = BTreeMap::new();
    for directory in subdirectories(crates)? {
        let text = fs::read_to_string(directory.join("Cargo.toml"))?;
        let manifest: toml::Table = text.parse().map_err(io::Error::other)?;
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut needs = BTreeSet::new();
        collect(&manifest, &mut needs);
        manifests.insert(name, needs);
    }
    let names: BTreeSet<_> = manifests.keys().cloned().collect();
    for needs in manifests.values_mut() {
        needs.retain(|name| names.contains(name));
    }
    Ok(manifests)
}

/// What `[dependencies]` names, here and under `[target.….dependencies]`.
fn collect(table: &toml::Table, needs: &mut BTreeSet<String>) {
    for key in ["dependencies", "build-dependencies"] {
        if let Some(toml::Value::Table(dependencies)) = table.get(key) {
            needs.extend(dependencies.keys().cloned());
        }
    }
    if let Some(toml::Value::Table(targets)) = table.get("target") {
        for target in targets.values().filter_map(toml::Value::as_table) {
            collect(target, needs);
        }
    }
}

/// The places, as `path:line`, where code of a crate's `src` names `what`. Comments and literals do not count.
///
/// # Errors
///
/// Fails if a source cannot be read.
pub fn places_naming(crates: &Path, what: &str) -> io::Result<Vec<String>> {
    let mut places = Vec::new();
    for directory in subdirectories(crates)? {
        search(crates, &directory.join("src"), what, &mut places)?;
    }
    Ok(places)
}

fn search(crates: &Path, directory: &Path, what: &str, places: &mut Vec<String>) -> io::Result<()> {
    for path in entries(directory)? {
        if path.is_dir() {
            search(crates, &path, what, places)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let code = code_of(&fs::read_to_string(&path)?);
            let path = path.strip_prefix(crates).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let lines = code.lines().enumerate().filter(|(_, line)| line.contains(what));
            places.extend(lines.map(|(index, _)| format!("{path}:{}", index + 1)));
        }
    }
    Ok(())
}

fn subdirectories(directory: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(entries(directory)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(directory)?.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}
