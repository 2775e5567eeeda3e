use std::{path::PathBuf, sync::Arc};

use serde_json::Value;

use crate::{
    binary::Outline,
    memory::MemoryMap,
    project::{
        assets::Asset,
        config::ProjectConfig,
        json::{self, At},
        map,
        problem::{Problem, ProjectError},
        regions::Regions,
        settings::check_selected,
    },
};

/// A program as its author gave it: binary, memory map, settings, and the memory it continues from, if any.
///
/// Everything in it has been read and fits together: the map and the snapshot lie within the memories the binary asks
/// for. Whether the binary is a program that can be played shows when it is compiled. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Project {
    /// The file's name without its endings: `first-light` of `first-light.project.json`.
    pub name: String,
    /// The file it was read from, unless it came from memory.
    pub path: Option<PathBuf>,
    /// The binary, as it was given.
    pub wasm: Arc<[u8]>,
    /// Which variable lies where.
    pub map: Arc<MemoryMap>,
    /// How it is to be played.
    pub config: ProjectConfig,
    /// The memory from address 0 at the moment of the export. With it the program goes on from there.
    pub snapshot: Option<Arc<[u8]>>,
    /// Files that are loaded into its memory when it starts.
    pub assets: Vec<Asset>,
    /// What is odd about it, or what it wants and cannot have, without which it is played all the same.
    pub left_out: Vec<Problem>,
}

impl Project {
    /// Reads a project from the text of a runtime-ready JSON project. Touches no file.
    ///
    /// # Errors
    /// Everything that is wrong, with its place and what to do.
    pub fn from_json(name: impl Into<String>, text: &str) -> Result<Self, ProjectError> {
        Self::from_text(name.into(), None, text, &mut |_| None)
    }

    /// `sibling` is asked for the binary when the text holds none.
    pub(super) fn from_text(
        name: String,
        path: Option<PathBuf>,
        text: &str,
        sibling: &mut dyn FnMut(&mut Vec<Problem>) -> Option<Vec<u8>>,
    ) -> Result<Self, ProjectError> {
        let fail = |problems| ProjectError { path: path.clone(), problems };
        if text.trim_start().starts_with("8f4e/v1") {
            let remedy = "compile it, and give the `.wasm` with its `.map.json`, or a runtime-ready project";
            return Err(fail(vec![Problem::whole("is the source of a program, not a compiled one", remedy)]));
        }
        let json = json::parse(text).map_err(|problem| fail(vec![problem]))?;
        let mut problems = Vec::new();
        let root = At::new(&json, "");
        if root.object(&mut problems).is_none() {
            let message = format!("{} is not a project", json::brief(&json));
            return Err(fail(vec![Problem::whole(message, "give a runtime-ready project, a JSON object")]));
        }
        let wasm = match root.get("compiledWasm") {
            Some(wasm) => wasm.bytes(&mut problems),
            None => sibling(&mut problems),
        };
        if wasm.is_none() && problems.is_empty() {
            return Err(fail(vec![without_program(&root)]));
        }
        // Until 2025-12-01 the settings lay in the project itself.
        let config = root.get("compiledProjectConfig").or_else(|| root.get("compiledConfig"));
        let config = checked_config(&config.unwrap_or_else(|| root.clone()), &mut problems);
        let snapshot = root.get("memorySnapshot").and_then(|at| at.bytes(&mut problems));
        let parts = Parts { name, path, wasm, config, snapshot };
        parts.assemble(&root, problems)
    }
}

/// What has been read of a project, except for the map.
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) path: Option<PathBuf>,
    /// `None` if it could not be read, which is a problem already.
    pub(super) wasm: Option<Vec<u8>>,
    pub(super) config: ProjectConfig,
    pub(super) snapshot: Option<Vec<u8>>,
}

impl Parts {
    /// Reads the map in `root` and sees whether all of it fits together.
    pub(super) fn assemble(self, root: &At<'_>, mut problems: Vec<Problem>) -> Result<Project, ProjectError> {
        let outline = self.wasm.as_ref().map(|wasm| (wasm, Outline::read(wasm)));
        // Without an imported memory there is nothing to compare with; compiling says so.
        let memories = match &outline {
            Some((_, Ok(outline))) => Some(outline.memories()).filter(|memories| !memories.is_empty()),
            _ => None,
        };
        let mut regions = Regions::new(memories.as_deref());
        let (keys, map) = read_map(root, &mut regions, &mut problems);
        if let Some(memories) = &memories {
            map::outside(&map, memories, keys, &mut problems);
            check_snapshot(self.snapshot.as_deref(), memories[0].bytes(), &mut problems);
        }
        if let Some((wasm, Err(malformed))) = outline {
            problems.push(not_wasm(wasm, malformed.offset, &malformed.message));
        }
        let left_out = regions.unknown();
        let (Some(wasm), true) = (self.wasm, problems.is_empty()) else {
            return Err(ProjectError { path: self.path, problems });
        };
        Ok(Project {
            name: self.name,
            path: self.path,
            wasm: wasm.into(),
            map: Arc::new(map),
            config: self.config,
            snapshot: self.snapshot.map(Into::into),
            assets: Vec::new(),
            left_out,
        })
    }
}

/// The settings in `at`, with those of the selected engine checked.
pub(super) fn checked_config(at: &At<'_>, problems: &mut Vec<Problem>) -> ProjectConfig {
    let config = ProjectConfig::read(at, problems);
    check_selected(at, &config, problems);
    config
}

/// The map, and the keys that lead to its modules and from there to their variables.
fn read_map(
    root: &At<'_>,
    regions: &mut Regions<'_>,
    problems: &mut Vec<Problem>,
) -> ([&'static str; 2], MemoryMap) {
    if let Some(plan) = root.get("memoryPlan") {
        return (["memoryPlan.modules", "memory"], map::newest(root, &plan, regions, problems));
    }
    if let Some(modules) = root.get("compiledModules") {
        return (["compiledModules", "memoryMap"], map::seed(&modules, problems));
    }
    let message = "holds no memory map: neither `compiledModules` nor `memoryPlan`";
    problems.push(Problem::whole(message, "export the project as runtime-ready, or compile it again"));
    ([""; 2], MemoryMap::default())
}

fn check_snapshot(snapshot: Option<&[u8]>, size: u64, problems: &mut Vec<Problem>) {
    let Some(length) = snapshot.map(<[u8]>::len).filter(|length| *length as u64 > size) else { return };
    let message = format!("holds {length} bytes, but the memory has {size}");
    problems.push(Problem::new("memorySnapshot", message, "remove it, or export the project again"));
}

fn not_wasm(bytes: &[u8], offset: usize, message: &str) -> Problem {
    if !bytes.starts_with(b"\0asm") {
        let message = "is not WebAssembly: it does not start with the bytes 00 61 73 6d";
        return Problem::new("compiledWasm", message, "compile the program again");
    }
    let message = format!("is not whole WebAssembly: {message}");
    Problem::new(format!("byte {offset}"), message, "compile the program again, or copy the file again")
}

fn without_program(root: &At<'_>) -> Problem {
    let has_source = root.value.get("codeBlocks").is_some_and(Value::is_array);
    let message = if has_source {
        "is a project without a compiled program: it has no `compiledWasm`"
    } else {
        "is not a project: it has neither `compiledWasm` nor `codeBlocks`"
    };
    let remedy = if has_source {
        "export it from 8f4e as runtime-ready, or put the compiled `.wasm` of the same name beside it"
    } else {
        "give a runtime-ready project, or a `.wasm` with its `.map.json` beside it"
    };
    Problem::whole(message, remedy)
}
