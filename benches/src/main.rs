//! How fast Jackfield is: `./dev bench` runs it, and `./dev help` says how.
//!
//! Each path has a *floor*, the least that anybody must do for the same, written by hand next to the measurement, and
//! *peers*, other people's crates; all are measured in the same run, by turns. It judges and fails nothing, except where
//! instructions are counted: those can be relied upon.
//!
//! A group is a module with a `run`, and a line in [`GROUPS`]; one that needs large dependencies goes behind a feature of
//! its own, as the peers do.

mod alloc;
mod measure;
mod table;
mod fixture;
mod services;
mod events;
mod lifecycle;
#[cfg(feature = "engines")]
mod engines;
mod counts;
#[cfg(feature = "peers")]
mod peers;

use std::{path::PathBuf, process::ExitCode};

use serde::Serialize;

use crate::table::{Group, Row};

/// The groups by name, in the order in which they run.
const GROUPS: &[(&str, fn(&mut Group))] = &[
    ("services", services::run),
    ("events", events::run),
    ("lifecycle", lifecycle::run),
    #[cfg(feature = "engines")]
    ("engines", engines::run),
];

#[derive(Default)]
struct Arguments {
    groups: Vec<String>,
    quick: bool,
    json: Option<PathBuf>,
    counts: bool,
    bless: bool,
    /// One path, so many times, for whoever counts instructions.
    walk: Option<(String, u64)>,
}

fn main() -> ExitCode {
    match read(std::env::args().skip(1)) {
        Ok(Arguments { walk: Some((path, times)), .. }) => counts::walk(&path, times),
        Ok(arguments) if arguments.counts => counts::check(arguments.bless),
        Ok(arguments) => measure(&arguments),
        Err(problem) => {
            eprintln!("bench: {problem}");
            ExitCode::from(2)
        }
    }
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut read = Arguments::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => read.quick = true,
            "--counts" => read.counts = true,
            "--bless" => read.bless = true,
            "--json" => read.json = Some(arguments.next().ok_or("`--json` takes a file.")?.into()),
            "--walk" => {
                let path = arguments.next().ok_or("`--walk` takes a path and how often.")?;
                let times = arguments.next().and_then(|times| times.parse().ok());
                read.walk = Some((path, times.ok_or("`--walk` takes a path and how often.")?));
            }
            group if GROUPS.iter().any(|(name, _)| *name == group) => read.groups.push(argument),
            other => {
                let groups: Vec<_> = GROUPS.iter().map(|(name, _)| *name).collect();
                return Err(format!("there is no `{other}`. The groups are {}.", groups.join(", ")));
            }
        }
    }
    if read.bless && !read.counts {
        return Err("`--bless` goes with `--counts`.".to_owned());
    }
    Ok(read)
}

/// A run as it is written down.
#[derive(Serialize)]
struct Run {
    machine: String,
    commit: String,
    date: String,
    rows: Vec<Row>,
}

fn measure(arguments: &Arguments) -> ExitCode {
    let wanted =
        |name: &str| arguments.groups.is_empty() || arguments.groups.iter().any(|group| group == name);
    let date = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let mut run = Run { machine: machine(), commit: commit(), date, rows: Vec::new() };
    println!("{}, at {}, {}", run.machine, run.commit, run.date);
    for (name, measure) in GROUPS.iter().filter(|(name, _)| wanted(name)) {
        let mut group = Group::new(name, arguments.quick);
        measure(&mut group);
        run.rows.extend(group.finish());
    }
    let count = |met| run.rows.iter().filter(|row| row.meets() == Some(met)).count();
    println!("\n{} goals met, {} missed.", count(true), count(false));
    match write(&run, arguments.json.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: the results were not written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// To `file`, or to one of its own among the results.
fn write(run: &Run, file: Option<&std::path::Path>) -> std::io::Result<()> {
    let file = match file {
        Some(file) => file.to_owned(),
        None => {
            let results = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results");
            std::fs::create_dir_all(&results)?;
            results.join(format!("{}.json", run.date.replace(':', "-")))
        }
    };
    std::fs::write(&file, serde_json::to_string_pretty(run)? + "\n")?;
    println!("Written to {}.", file.display());
    Ok(())
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("{model}, {cores} cores, {}", std::env::consts::OS)
}

fn commit() -> String {
    let asked = std::process::Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty", "--abbrev=12"])
        .output();
    match asked {
        Ok(answer) if answer.status.success() => String::from_utf8_lossy(&answer.stdout).trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}
