//! Which test holds which promise.
//!
//! `docs/behaviour.md` and the files beside it make promises, each with a number; a test that holds one names the
//! number in a comment. Both are text, so both can be compared.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

mod book;
mod claims;

use book::{Book, Promise};
use claims::{Claim, claims};

/// The families of requirements, and how many each has: `R-ID-01` to `R-ID-14`.
pub const FAMILIES: [(&str, usize); 21] = [
    ("ID", 14),
    ("PLG", 13),
    ("ENB", 15),
    ("REG", 19),
    ("RES", 19),
    ("OVR", 20),
    ("CFG", 19),
    ("STF", 18),
    ("BUS", 25),
    ("REQ", 13),
    ("CTX", 11),
    ("INI", 12),
    ("SES", 13),
    ("SET", 30),
    ("UNK", 11),
    ("SER", 9),
    ("DSP", 9),
    ("LOG", 6),
    ("ERR", 7),
    ("UIC", 8),
    ("TST", 6),
];

/// The defects that must never happen, `F-01` to this one.
const DEFECTS: usize = 44;

/// The decisions about the plugin runtime, `J-01` to this one. The others are about engines.
const DECISIONS: usize = 16;

/// What promises and tests say of each other.
#[derive(Debug)]
pub struct Audit {
    /// Every promise, with what holds it: tests, or decisions that replace it.
    pub held: Vec<(String, Vec<String>)>,
    /// What is wrong, one line each.
    pub problems: Vec<String>,
}

impl Audit {
    /// Compares the promises in `docs` of the workspace at `root` with the tests of its crates.
    ///
    /// A promise that says `(open)` is not kept yet, and shown as such. A family that has no promise yet is passed over; defects and decisions must be held by tests once all families
    /// are there.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read.
    pub fn of_workspace(root: &Path) -> io::Result<Self> {
        let docs = root.join("docs");
        let mut files = files_below(&docs.join("behaviour"), "md")?;
        files.extend(Some(docs.join("behaviour.md")).filter(|file| file.exists()));
        let mut book = Book::default();
        for file in files {
            book.read(&shown(&docs, &file), &fs::read_to_string(&file)?);
        }
        let crates = root.join("crates");
        let mut found = Vec::new();
        for source in files_below(&crates, "rs")? {
            found.extend(claims(&shown(&crates, &source), &fs::read_to_string(&source)?));
        }
        Ok(Self::of(book, &found))
    }

    fn of(book: Book, claims: &[Claim]) -> Self {
        let Book { promises, mut problems } = book;
        let mut tests: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for claim in claims {
            if !promises.contains_key(&claim.number) && is_there(&promises, &claim.number) {
                problems.push(format!("{} names {}, which nothing promises", claim.file, claim.number));
            }
            if let Some(test) = &claim.test {
                tests.entry(&claim.number).or_default().insert(format!("{}: {test}", claim.file));
            }
        }

        let expected = expected(&promises);
        problems.extend(
            expected
                .iter()
                .filter(|number| !promises.contains_key(*number))
                .map(|n| format!("{n} is not promised")),
        );
        let whole = FAMILIES.iter().all(|(family, _)| has_family(&promises, family));
        let mut held = Vec::new();
        for (number, promise) in &promises {
            if number.starts_with("R-") && !expected.contains(number) {
                problems
                    .push(format!("{} promises {number}, and there is no such requirement", promise.file));
            }
            let mut holders: Vec<String> =
                tests.get(number.as_str()).into_iter().flatten().cloned().collect();
            if number.starts_with("R-") {
                for decision in &promise.decisions {
                    if !promises.contains_key(decision) {
                        problems.push(format!("{number} leans on {decision}, which nothing promises"));
                    }
                    holders.push(decision.clone());
                }
            }
            if promise.open {
                holders.push("open".to_owned());
            }
            let must_be_held = number.starts_with("R-") || (whole && expected.contains(number));
            if holders.is_empty() && must_be_held {
                problems.push(format!(
                    "{number} ({}) is held by no test and replaced by no decision",
                    promise.file
                ));
            }
            held.push((number.clone(), holders));
        }
        Self { held, problems }
    }
}

/// All numbers that should be promised, as far as their family is there.
fn expected(promises: &BTreeMap<String, Promise>) -> BTreeSet<String> {
    let families = FAMILIES.iter().filter(|(family, _)| has_family(promises, family));
    let families = families.map(|(family, count)| (format!("R-{family}"), *count));
    families
        .chain([("F".to_owned(), DEFECTS), ("J".to_owned(), DECISIONS)])
        .flat_map(|(prefix, count)| (1..=count).map(move |n| format!("{prefix}-{n:02}")))
        .collect()
}

fn has_family(promises: &BTreeMap<String, Promise>, family: &str) -> bool {
    let prefix = format!("R-{family}-");
    promises.keys().any(|number| number.starts_with(&prefix))
}

/// Whether the family of `number` is there.
fn is_there(promises: &BTreeMap<String, Promise>, number: &str) -> bool {
    number
        .split('-')
        .rev()
        .nth(1)
        .is_some_and(|family| !number.starts_with("R-") || has_family(promises, family))
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, holders) in &self.held {
            match holders.split_first() {
                None => writeln!(f, "{number:<9} –")?,
                Some((first, others)) => {
                    writeln!(f, "{number:<9} {first}")?;
                    others.iter().try_for_each(|holder| writeln!(f, "{:<9} {holder}", ""))?;
                }
            }
        }
        let by_tests =
            self.held.iter().filter(|(_, holders)| holders.iter().any(|name| name.contains(':'))).count();
        writeln!(f, "{} promises, {by_tests} of them held by tests", self.held.len())?;
        self.problems.iter().try_for_each(|problem| writeln!(f, "! {problem}"))
    }
}

fn shown(base: &Path, file: &Path) -> String {
    file.strip_prefix(base).unwrap_or(file).to_string_lossy().replace('\\', "/")
}

fn files_below(directory: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !directory.exists() {
        return Ok(files);
    }
    let mut entries = fs::read_dir(directory)?.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            files.extend(files_below(&entry, extension)?);
        } else if entry.extension().is_some_and(|ending| ending == extension) {
            files.push(entry);
        }
    }
    Ok(files)
}
