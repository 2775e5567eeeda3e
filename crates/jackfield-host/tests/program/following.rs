//! `jackfield run` follows its settings file, through the real file watcher.

mod edits;
mod engines;
mod projects;
mod recording;
mod refusals;
mod saving;
