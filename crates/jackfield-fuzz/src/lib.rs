//! Whatever Jackfield is given from outside, it is read or refused, in bounded time and memory, and says why.
//!
//! * [`TARGETS`]: what is fed with random input. `./dev fuzz` does it for as long as one likes, guided by coverage; a test
//!   runs the same code on the fixtures and on every input that was once a finding.
//! * [`Target`]: one of them.
//!
//! A target panics when something is wrong. What takes too long, or too much memory, only the fuzzer sees.

mod bytes;
mod wrapped;
mod problems;
mod map;
mod project;
mod engine_settings;
mod running;
mod binary;
mod program;
mod midi;
mod document;
mod plan;
mod seeds;

use std::{fs, io, path::PathBuf};

/// Something that takes input from outside.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: `./dev fuzz NAME`.
    pub name: &'static str,
    /// What is fed, and what must hold.
    pub about: &'static str,
    /// Feeds it; says whether it was taken, and not refused. Panics when something is wrong.
    pub run: fn(&[u8]) -> bool,
    /// Inputs to begin with, made from the fixtures.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words that mean something to it.
    pub words: &'static [&'static str],
    /// The longest input that is worth trying, in bytes.
    pub longest: usize,
}

/// All of them.
pub const TARGETS: [Target; 8] = [
    Target {
        name: "project",
        about: "a project's text is read, or refused with a place and a remedy",
        run: project::run,
        seeds: seeds::projects,
        words: project::WORDS,
        longest: 16_384,
    },
    Target {
        name: "map",
        about: "variables of a memory map, of either generation, are read, written and carried over",
        run: map::run,
        seeds: seeds::maps,
        words: map::WORDS,
        longest: 8_192,
    },
    Target {
        name: "engine-settings",
        about: "settings of the audio, timer and MIDI engines are read, and lead somewhere or are left out",
        run: engine_settings::run,
        seeds: seeds::engine_settings,
        words: engine_settings::WORDS,
        longest: 4_096,
    },
    Target {
        name: "binary",
        about: "a binary is compiled or refused, and what was compiled ends and stays within its memory",
        run: binary::run,
        seeds: seeds::binaries,
        words: &[],
        longest: 4_096,
    },
    Target {
        name: "program",
        about: "of programs with loops of all kinds, those that are said to end do end",
        run: program::run,
        seeds: seeds::programs,
        words: &[],
        longest: 512,
    },
    Target {
        name: "midi",
        about: "no message breaks the mapper, and every note that it begins it ends",
        run: midi::run,
        seeds: seeds::midi,
        words: &[],
        longest: 400,
    },
    Target {
        name: "document",
        about: "a settings document, in TOML or JSON, is the same when it is written and read again",
        run: document::run,
        seeds: seeds::documents,
        words: document::WORDS,
        longest: 4_096,
    },
    Target {
        name: "plan",
        about: "settings make a plan or are refused, and applied twice they change nothing the second time",
        run: plan::run,
        seeds: seeds::plans,
        words: plan::WORDS,
        longest: 2_048,
    },
];

impl Target {
    /// The target called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Inputs that were once findings, by their paths; they lie in `inputs/NAME`.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be read.
    pub fn findings(&self) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut found = Vec::new();
        let directory = directory().join(self.name);
        if !directory.exists() {
            return Ok(found);
        }
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let bytes = fs::read(&path)?;
            found.push((path, bytes));
        }
        found.sort();
        Ok(found)
    }
}

/// Where the findings of all targets lie.
#[must_use]
pub fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/inputs"))
}
