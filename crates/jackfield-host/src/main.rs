//! The program `jackfield`: plays compiled 8f4e programs, is made of plugins, and follows its settings while it plays.

use std::process::ExitCode;

use clap::Parser;

mod failure;
mod cache;
mod workplace;
mod terminal;
mod plugins;
mod host;
mod progress;
mod start;
mod render;
mod trace;
mod check;
mod settings_file;
mod run;
mod cli;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.carry_out() {
        Ok(code) => code,
        Err(failure) => {
            failure::warn(&failure);
            failure.exit_code()
        }
    }
}
