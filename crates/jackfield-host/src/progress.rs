use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// How often the bar is drawn: often enough to move, seldom enough not to slow the work down.
const PERIOD: Duration = Duration::from_millis(100);

/// How wide the bar is, in characters.
const WIDTH: usize = 32;

/// A progress bar on standard error, for a person; nothing for a pipe.
pub(crate) struct Progress {
    total: u64,
    shown: Option<Instant>,
    live: bool,
}

impl Progress {
    pub(crate) fn of(total: u64) -> Self {
        Self { total, shown: None, live: io::stderr().is_terminal() }
    }

    pub(crate) fn at(&mut self, done: u64) {
        if !self.live || self.shown.is_some_and(|shown| shown.elapsed() < PERIOD) {
            return;
        }
        self.shown = Some(Instant::now());
        drop(write!(io::stderr(), "\r{}", bar(done, self.total)));
    }

    pub(crate) fn finish(&mut self) {
        if self.live && self.shown.is_some() {
            drop(write!(io::stderr(), "\r\x1b[2K"));
        }
    }
}

fn bar(done: u64, total: u64) -> String {
    let part = done as f64 / total.max(1) as f64;
    let full = (part * WIDTH as f64) as usize;
    format!("[{}{}] {:3.0} %", "#".repeat(full), "-".repeat(WIDTH.saturating_sub(full)), part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn the_bar_fills_from_the_left() {
        assert_eq!(bar(0, 4), "[--------------------------------]   0 %");
        assert_eq!(bar(1, 4), "[########------------------------]  25 %");
        assert_eq!(bar(4, 4), "[################################] 100 %");
    }
}
