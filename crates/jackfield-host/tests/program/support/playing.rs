use std::{
    io::{BufRead, BufReader, Read},
    mem,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread::{JoinHandle, spawn},
    time::{Duration, Instant},
};

use super::{Place, jackfield};

/// Long enough for the busiest machine; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// `jackfield run`, while it plays. Its lines are read as they come.
pub(crate) struct Playing {
    child: Child,
    lines: Receiver<String>,
    /// All of what it said so far.
    said: Vec<String>,
    /// Whether the last line was the last of a list that is to have no more.
    list_is_over: bool,
    errors: Option<JoinHandle<String>>,
}

/// What is left of it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// From being told to stop to the end.
    pub(crate) took: Duration,
    /// All of what it said.
    pub(crate) said: Vec<String>,
    pub(crate) stderr: String,
}

impl Playing {
    /// Plays on no sound card, with these arguments; returns when the banner is there.
    #[track_caller]
    pub(crate) fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut child = jackfield(place)
            .args(["run", "--silent"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = channel();
        spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let errors = spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let mut playing = Self { child, lines, said: Vec::new(), list_is_over: false, errors: Some(errors) };
        playing.wait_for("settings   ");
        playing
    }

    /// The next line that contains `text`.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        self.wait_until(text, |line| line.contains(text))
    }

    /// The next line that is `awaited`. It writes one every second whatever happens, so each of them alone being in time
    /// would be no end.
    #[track_caller]
    fn wait_until(&mut self, awaited: &str, is_it: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let line = self.next_line(awaited, until);
            if is_it(&line) {
                return line;
            }
        }
    }

    /// The next edit is followed, and this is what is done.
    #[track_caller]
    pub(crate) fn follows(&mut self, plan: &[&str]) {
        self.wait_for("settings: following jackfield.toml");
        self.lists(plan);
    }

    /// The next edit is refused, and this is why.
    #[track_caller]
    pub(crate) fn refuses(&mut self, problems: &[&str]) {
        self.wait_for("settings: refused; the last good ones stay in force");
        self.lists(problems);
    }

    /// The next line of a list, whose beginning has been waited for.
    #[track_caller]
    pub(crate) fn listed(&mut self) -> String {
        let line = self.next_line("a list", Instant::now() + PATIENCE);
        line.strip_prefix("  ").unwrap_or_else(|| panic!("not a part of the list: {line}")).to_owned()
    }

    /// The next lines are these, indented; should more of them come later, whoever reads on fails.
    #[track_caller]
    fn lists(&mut self, lines: &[&str]) {
        for expected in lines {
            assert_eq!(self.listed(), *expected);
        }
        self.list_is_over = true;
    }

    #[track_caller]
    fn next_line(&mut self, awaited: &str, until: Instant) -> String {
        let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) else {
            panic!("no line came with `{awaited}`:\n{}\n{}", self.said.join("\n"), self.errors());
        };
        self.said.push(line.clone());
        let one_too_many = mem::take(&mut self.list_is_over) && line.starts_with("  ");
        assert!(!one_too_many, "awaiting `{awaited}`:\n{}", self.said.join("\n"));
        line
    }

    /// Plays for a second, as its own clock counts it.
    #[track_caller]
    pub(crate) fn a_second_passes(&mut self) {
        self.next_clock();
        self.next_clock();
    }

    /// The next of the lines that it writes every second.
    #[track_caller]
    pub(crate) fn next_clock(&mut self) -> String {
        self.wait_until("its clock", is_clock)
    }

    /// Ends it with this signal: `INT`, `TERM`.
    #[track_caller]
    pub(crate) fn signal(self, signal: &str) -> Ended {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap();
        assert!(sent.success(), "{signal} could not be sent");
        self.wait()
    }

    /// Ends it as Ctrl-C does, and everything was well.
    #[track_caller]
    pub(crate) fn stop(self) -> Ended {
        let ended = self.signal("INT");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:#?}");
        ended
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Ended {
        let asked = Instant::now();
        // Its output ends when it does.
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.said.join("\n")),
            }
        }
        let code = self.child.wait().unwrap().code();
        let (took, stderr) = (asked.elapsed(), self.errors());
        Ended { code, took, said: mem::take(&mut self.said), stderr }
    }

    /// What it wrote to standard error, once it has ended; it is made to, if it has not.
    fn errors(&mut self) -> String {
        self.child.kill().ok(); // it has ended already
        self.errors.take().map(|errors| errors.join().unwrap()).unwrap_or_default()
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.child.kill().ok(); // it has ended already
        self.child.wait().ok();
    }
}

/// `00:01.0   …`
pub(crate) fn is_clock(line: &str) -> bool {
    let time = line.split_whitespace().next().unwrap_or_default();
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "00:00.0"
}
