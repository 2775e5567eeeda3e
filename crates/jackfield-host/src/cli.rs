//! The command line.

use std::{num::NonZeroU64, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::{
    check::check,
    failure::Outcome,
    render::{Render, render},
    run::{Run, run},
    trace::{Trace, trace},
};

/// Plays compiled 8f4e programs, and follows its settings while it plays.
#[derive(Parser)]
#[command(name = "jackfield", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Plays a project, and follows the settings file beside it.
    Run(RunArgs),
    /// Renders a project to a WAV file, as fast as the machine allows.
    Render(RenderArgs),
    /// Runs a timer or MIDI program for some cycles, and writes down its values and messages.
    Trace(TraceArgs),
    /// Says what is wrong with projects and settings files.
    Check {
        /// Projects, programs and settings files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Args)]
struct RunArgs {
    /// A project's directory or file. Without it, the demonstration `first-light`.
    project: Option<PathBuf>,
    /// The settings file. Without it, the `jackfield.toml` beside the project.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The engine to play with, instead of the one that the project asks for.
    #[arg(long, value_name = "ID")]
    engine: Option<String>,
    /// Stops by itself after this time: `10s`, `2m`, `1m 30s`.
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
    /// Plays on no sound card and no MIDI port, even if there are some.
    #[arg(long)]
    silent: bool,
    /// Keeps the MIDI messages that are sent in this file, a standard MIDI file.
    #[arg(long, value_name = "FILE")]
    midi_file: Option<PathBuf>,
}

#[derive(Args)]
struct RenderArgs {
    /// A project's directory or file.
    project: PathBuf,
    /// How much to render.
    #[arg(long, value_parser = seconds, default_value = "10", allow_negative_numbers = true)]
    seconds: Duration,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A WAV file for the program's audio input.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
}

#[derive(Args)]
struct TraceArgs {
    /// A project's directory or file.
    project: PathBuf,
    /// How many cycles to run.
    #[arg(long, default_value = "1000")]
    cycles: NonZeroU64,
    /// MIDI messages that come in, as JSON: cycle → list of messages, each a list of bytes.
    #[arg(long, value_name = "FILE")]
    midi_input: Option<PathBuf>,
    /// The file to write. Without it, standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Cli {
    pub(crate) fn carry_out(self) -> Outcome<ExitCode> {
        match self.verb {
            Verb::Run(RunArgs { project, settings, engine, time, silent, midi_file }) => {
                run(Run { project, settings, engine, time, silent, midi_file }).map(|()| ExitCode::SUCCESS)
            }
            Verb::Render(RenderArgs { project, seconds, out, input }) => {
                render(&Render { project, time: seconds, out, input }).map(|()| ExitCode::SUCCESS)
            }
            Verb::Trace(TraceArgs { project, cycles, midi_input, out }) => {
                trace(&Trace { project, cycles: cycles.get(), midi_input, out }).map(|()| ExitCode::SUCCESS)
            }
            Verb::Check { files } => check(&files),
        }
    }
}

/// A positive number of seconds, with a fraction or without.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "give a number of seconds, such as 10 or 2.5".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("give a positive number of seconds".to_owned()),
    }
}
