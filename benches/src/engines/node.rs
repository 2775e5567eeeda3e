//! V8, through a process of Node.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::measure::Contender;

/// A process of Node that runs programs. It ends when this is dropped.
pub(super) struct Node {
    process: RefCell<Process>,
    version: String,
}

struct Process {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Node {
    /// None where there is no Node.
    pub(super) fn start() -> Option<Self> {
        let asked = Command::new("node").arg("--version").output().ok()?;
        let version = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/engines/node.mjs");
        let mut child =
            Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (orders, answers) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self {
            process: RefCell::new(Process { child, orders, answers }),
            version: format!("Node {version}"),
        })
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Blocks of the program in this file.
    pub(super) fn blocks<'a>(&'a self, file: &Path) -> Contender<'a> {
        let file = file.display().to_string();
        Contender::new("V8", move |times| {
            let Process { orders, answers, .. } = &mut *self.process.borrow_mut();
            let mut answer = String::new();
            writeln!(orders, "{file}\t{times}").expect("Node is there");
            answers.read_line(&mut answer).expect("Node is there");
            Duration::from_nanos(answer.trim().parse().expect("nanoseconds"))
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
