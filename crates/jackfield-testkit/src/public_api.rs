//! What a crate shows to others, as a text that is committed beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs, io,
    path::{Path, PathBuf},
};

mod items;

use self::items::{Item, items};
use crate::code::{code_of, is_word};

/// Set this, and a snapshot is written instead of compared.
const BLESS: &str = "JACKFIELD_BLESS";

/// Compares what the crate in directory `crate_root` shows to others with its `public-api.txt`.
///
/// # Panics
///
/// If it shows something else, with the lines that differ and how to accept them; or its sources cannot be read.
#[track_caller]
pub fn check_public_api(crate_root: impl AsRef<Path>) {
    let root = crate_root.as_ref();
    let file = root.join("public-api.txt");
    let now = public_api(&root.join("src")).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    if env::var_os(BLESS).is_some() {
        fs::write(&file, now).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        return;
    }
    let before = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    if before == now {
        return;
    }
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (before.lines().collect(), now.lines().collect());
    let gone = old.difference(&new).map(|line| format!("- {}", line.trim()));
    let come = new.difference(&old).map(|line| format!("+ {}", line.trim()));
    let lines: Vec<String> = gone.chain(come).collect();
    panic!(
        "the public API is not what {} says:\n{}\nif that is meant, accept it with `{BLESS}=1 ./dev test --test house`, and say in the changelog what it means for others",
        file.display(),
        lines.join("\n"),
    );
}

/// What a crate shows to others: the names that its `lib.rs` makes public, each with what can be seen of it. Types that
/// a macro of the crate makes are described by the macro's `$name`.
///
/// # Errors
///
/// Fails if the sources cannot be read.
pub fn public_api(src: &Path) -> io::Result<String> {
    let mut exported = Exported::default();
    exported.collect("", &items(&code_of(&fs::read_to_string(src.join("lib.rs"))?)), src)?;
    let mut api = Api::default();
    for path in sources(src)? {
        api.visit(&items(&code_of(&fs::read_to_string(path)?)));
    }
    let mut lines: Vec<String> = Vec::new();
    for (path, name) in &exported.names {
        lines.push(path.clone());
        // Further names for the same thing, as in a prelude, say no more than that they are there.
        let first = exported.names.iter().find(|(_, other)| *other == name);
        if first.is_some_and(|(first, _)| first == path) {
            lines.extend(api.described(name));
        }
    }
    for name in api.0.keys().filter(|name| name.starts_with('$')) {
        lines.push(name.clone());
        lines.extend(api.described(name));
    }
    Ok(lines.join("\n") + "\n")
}

/// The names that can be reached from outside, by their paths.
#[derive(Default)]
struct Exported {
    names: BTreeMap<String, String>,
}

impl Exported {
    fn collect(&mut self, module: &str, items: &[Item], src: &Path) -> io::Result<()> {
        for item in items {
            if let Some(tree) = item.header.strip_prefix("pub use ") {
                for name in used_names(tree) {
                    self.names.insert(format!("{module}{name}"), name);
                }
            } else if let Some(name) = item.header.strip_prefix("pub mod ") {
                let inside = match &item.body {
                    Some(body) => items::items(body),
                    None => items::items(&code_of(&fs::read_to_string(src.join(name).with_extension("rs"))?)),
                };
                self.collect(&format!("{module}{name}::"), &inside, src)?;
            } else if let Some((_, name)) = item.public() {
                self.names.insert(format!("{module}{name}"), name.to_owned());
            }
        }
        Ok(())
    }
}

/// The names at the ends of a tree of uses.
fn used_names(tree: &str) -> Vec<String> {
    let Some(open) = tree.find('{') else {
        let end = tree.rsplit("::").next().unwrap_or(tree);
        let end = end.rsplit(" as ").next().unwrap_or(end).trim();
        return if end.is_empty() { Vec::new() } else { vec![end.to_owned()] };
    };
    let inside = tree[open + 1..].trim_end().strip_suffix('}').unwrap_or(&tree[open + 1..]);
    items::split(inside).iter().flat_map(|part| used_names(part)).collect()
}

/// What can be seen of each name.
#[derive(Default)]
struct Api(BTreeMap<String, BTreeSet<String>>);

impl Api {
    fn described(&self, name: &str) -> Vec<String> {
        self.0.get(name).into_iter().flatten().map(|line| format!("    {line}")).collect()
    }

    fn add(&mut self, name: &str, line: impl Into<String>) {
        self.0.entry(name.to_owned()).or_default().insert(line.into());
    }

    fn visit(&mut self, all: &[Item]) {
        for item in all.iter().filter(|item| !item.is_for_tests()) {
            let inside = || item.body.as_deref().map(items::items).unwrap_or_default();
            if item.header.starts_with("impl") {
                self.visit_impl(item, &inside());
            } else if let Some((kind, name)) = item.public() {
                self.visit_public(item, kind, name);
            } else if item.header.starts_with("mod ") || item.is_macro() {
                self.visit(&inside());
            }
        }
    }

    fn visit_public(&mut self, item: &Item, kind: &str, name: &str) {
        for attribute in
            item.attributes.iter().filter(|text| text.starts_with("derive") || *text == "non_exhaustive")
        {
            self.add(name, format!("#[{attribute}]"));
        }
        let header =
            if kind == "struct" { items::with_public_fields(&item.header) } else { item.header.clone() };
        self.add(name, header);
        let body = item.body.as_deref().unwrap_or_default();
        match kind {
            "struct" => {
                let fields = items::split(body).into_iter().map(|field| items::without_attributes(&field));
                fields.filter(|field| field.starts_with("pub ")).for_each(|field| self.add(name, field));
            }
            "enum" => {
                for variant in items::split(body) {
                    self.add(name, items::without_attributes(&variant));
                }
            }
            "trait" => {
                for inside in items(body) {
                    let optional = if inside.body.is_some() { " { .. }" } else { "" };
                    self.add(name, format!("{}{optional}", inside.header));
                }
            }
            _ => {}
        }
    }

    fn visit_impl(&mut self, item: &Item, inside: &[Item]) {
        let Some(target) = items::implemented(&item.header) else { return };
        if target.of_trait {
            self.add(&target.name, item.header.clone());
            return;
        }
        for public in inside.iter().filter(|inside| inside.public().is_some()) {
            self.add(&target.name, public.header.clone());
        }
    }
}

fn sources(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut entries = fs::read_dir(directory)?.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The word at the beginning.
fn word(text: &str) -> &str {
    let end = text.find(|c| !is_word(c) && c != '$').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests;
