use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::code::{code_of, is_word};

/// Panics with all places where a module uses one that is not above it in reading order.
///
/// See [`arrows`]. One test of each crate:
///
/// ```no_run
/// # macro_rules! test { ($($item:item)*) => { $($item)* } }
/// #[test]
/// fn a_module_uses_only_modules_above_it() {
///     jackfield_testkit::check_arrows(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
/// }
/// ```
///
/// # Panics
///
/// Panics if an arrow points the wrong way, or the sources cannot be read.
#[track_caller]
pub fn check_arrows(src: impl AsRef<Path>) {
    let src = src.as_ref();
    match arrows(src) {
        Ok(wrong) if wrong.is_empty() => {}
        Ok(wrong) => panic!("arrows that point the wrong way:\n  {}", wrong.join("\n  ")),
        Err(error) => panic!("cannot read `{}`: {error}", src.display()),
    }
}

/// The places where a module uses one that is not above it, each as a line for people.
///
/// The reading order is that of the `mod` lines in `lib.rs` (or `main.rs`). A module, with the files of its
/// directory, may name `crate::x` if `x` is above it or itself; its own submodules are its own affair. Naming an
/// item through the crate root hides the arrow and counts as wrong, as does `super::x` where it means
/// `crate::x`. Comments and literals say nothing. A file that no `mod` line of the root leads to is wrong too.
///
/// # Errors
///
/// Fails if the sources cannot be read.
pub fn arrows(src: &Path) -> io::Result<Vec<String>> {
    let sources = Sources::read(src)?;
    let mut wrong = sources.astray.clone();
    for (rank, module) in sources.modules.iter().enumerate() {
        let above = &sources.modules[..rank];
        for file in &module.files {
            for Use { name, line } in file.uses(&sources) {
                if name == module.name || above.iter().any(|above| above.name == name) {
                    continue;
                }
                let known = sources.modules.iter().any(|module| module.name == name);
                let reason =
                    if known { "is below it" } else { "is not a module: name it by its module's path" };
                let at = file.path.display();
                wrong.push(format!("{at}:{line}: `{}` uses `crate::{name}`, which {reason}", module.name));
            }
        }
    }
    Ok(wrong)
}

/// The modules whose code names a path that begins with `root::`, in reading order: who knows of it.
///
/// # Errors
///
/// Fails if the sources cannot be read.
pub fn modules_naming(src: impl AsRef<Path>, root: &str) -> io::Result<Vec<String>> {
    let sources = Sources::read(src.as_ref())?;
    let names = |module: &&Module| module.files.iter().any(|file| !paths(&file.code, root).is_empty());
    Ok(sources.modules.iter().filter(names).map(|module| module.name.clone()).collect())
}

/// The files of a crate, by module.
struct Sources {
    modules: Vec<Module>,
    /// What is wrong with the files themselves.
    astray: Vec<String>,
}

struct Module {
    name: String,
    files: Vec<SourceFile>,
}

struct SourceFile {
    path: PathBuf,
    code: String,
    /// How many `super` lead from here to the crate root.
    depth: usize,
}

/// A module named by a path from the crate root.
struct Use {
    name: String,
    line: usize,
}

impl Sources {
    fn read(src: &Path) -> io::Result<Self> {
        let root = ["lib.rs", "main.rs"].map(|name| src.join(name));
        let root = root.iter().find(|path| path.exists()).unwrap_or(&root[0]);
        let mut files = Vec::new();
        collect(src, Path::new(""), &mut files)?;
        let mut modules = Vec::new();
        for name in declared(&code_of(&fs::read_to_string(root)?)) {
            let ours: Vec<_>;
            (ours, files) = files.into_iter().partition(|path| belongs(path, &name));
            let mut module = Module { name, files: Vec::new() };
            for path in ours {
                let code = code_of(&fs::read_to_string(src.join(&path))?);
                let depth = path.components().count();
                module.files.push(SourceFile { path, code, depth });
            }
            modules.push(module);
        }
        let mut astray = Vec::new();
        for module in modules.iter().filter(|module| module.files.is_empty()) {
            astray.push(format!("`mod {};` has no file of that name", module.name));
        }
        for path in files {
            if path != Path::new("lib.rs") && path != Path::new("main.rs") && !path.starts_with("bin") {
                astray.push(format!("{}: no `mod` line of the crate root leads here", path.display()));
            }
        }
        Ok(Self { modules, astray })
    }
}

impl SourceFile {
    /// What this file names from the crate root, by `crate::` or by enough `super::`.
    fn uses(&self, sources: &Sources) -> Vec<Use> {
        let mut uses = paths(&self.code, "crate");
        let up = vec!["super"; self.depth].join("::");
        // An inline module is a level of its own that is not counted here, so only names of modules are taken.
        let reach = paths(&self.code, &up).into_iter();
        uses.extend(reach.filter(|used| sources.modules.iter().any(|module| module.name == used.name)));
        uses
    }
}

/// `name.rs`, or anything in the directory `name`.
fn belongs(path: &Path, name: &str) -> bool {
    path == Path::new(name).with_extension("rs") || path.starts_with(name)
}

fn collect(src: &Path, below: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(src.join(below))?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(src, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The names in `mod name;` lines, in order.
fn declared(code: &str) -> Vec<String> {
    let declaration = |line: &str| {
        let line = line.trim().strip_suffix(';')?;
        let (before, name) = line.rsplit_once(char::is_whitespace)?;
        (before.split_whitespace().last() == Some("mod")).then(|| name.to_owned())
    };
    code.lines().filter_map(declaration).collect()
}

/// The names that follow `root::` in code, those in braces one by one.
fn paths(code: &str, root: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for (at, _) in code.match_indices(root) {
        let before = &code[..at];
        let part_of_more = before.ends_with(is_word) || before.trim_end().ends_with("::");
        let Some(rest) = code[at + root.len()..].trim_start().strip_prefix("::") else { continue };
        // `::std::…` begins with a `::` that belongs to no name.
        let global = before
            .trim_end()
            .strip_suffix("::")
            .is_some_and(|before| !before.trim_end().ends_with(|c| is_word(c) || c == '>'));
        if part_of_more && !global {
            continue;
        }
        let line = 1 + before.matches('\n').count();
        let named = |name: &str| Use { name: name.to_owned(), line };
        let rest = rest.trim_start();
        match rest.strip_prefix('{') {
            Some(group) => uses.extend(heads(group).into_iter().map(named)),
            None => uses.extend(head(rest).map(named)),
        }
    }
    uses
}

/// The first word.
fn head(path: &str) -> Option<&str> {
    let path = path.trim_start();
    let end = path.find(|c| !is_word(c)).unwrap_or(path.len());
    (end > 0).then(|| &path[..end])
}

/// The first words of a group's members; `group` begins inside its brace.
fn heads(group: &str) -> Vec<&str> {
    let mut heads = Vec::new();
    let mut depth = 1;
    let mut member = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            heads.extend(head(&group[member..at]));
            member = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

#[cfg(test)]
mod tests;
