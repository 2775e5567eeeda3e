//! What a person sees: lines that stay, and one that is drawn again and again.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use tokio::sync::mpsc;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::plugins::meter::Levels;

/// The terminal, or the file or pipe that stands in for it.
pub(crate) struct Terminal {
    live: bool,
    drawn: bool,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        Self { live: io::stdout().is_terminal(), drawn: false }
    }

    /// Whether there is a person, to whom a line may be drawn again and again.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// A line, or several, that stay.
    pub(crate) fn say(&mut self, text: &str) {
        let clear = if self.drawn { "\r\x1b[2K" } else { "" };
        self.drawn = false;
        // Nobody reads any more: not a reason to stop playing.
        drop(writeln!(io::stdout().lock(), "{clear}{text}"));
    }

    /// The line that is drawn over the one before.
    pub(crate) fn draw(&mut self, text: &str) {
        let mut stdout = io::stdout().lock();
        drop(write!(stdout, "\r\x1b[2K{text}").and_then(|()| stdout.flush()));
        self.drawn = true;
    }

    /// Leaves the cursor on a line of its own.
    pub(crate) fn finish(&mut self) {
        if self.drawn {
            self.drawn = false;
            drop(writeln!(io::stdout()));
        }
    }
}

/// `00:12.3  L -12.3 dB peak -20.1 rms  R …  load 3.1 %`
pub(crate) fn live_line(elapsed: Duration, levels: Option<&Levels>, load: Option<f32>) -> String {
    let mut line = clock(elapsed);
    for (channel, (peak, rms)) in levels.iter().flat_map(|levels| levels.channels()).enumerate() {
        let name = ["L", "R"].get(channel).copied().unwrap_or("?");
        line.push_str(&format!("   {name}  peak {} rms {} dBFS", decibels(peak), decibels(rms)));
    }
    if let Some(load) = load {
        line.push_str(&format!("   load {load:4.1} %"));
    }
    line
}

fn clock(elapsed: Duration) -> String {
    let tenths = elapsed.as_millis() / 100;
    let (minutes, seconds, tenths) = (tenths / 600, tenths / 10 % 60, tenths % 10);
    format!("{minutes:02}:{seconds:02}.{tenths}")
}

fn decibels(level: f64) -> String {
    if level > 0.0 { format!("{:6.1}", 20.0 * level.log10()) } else { "  -inf".to_owned() }
}

/// Sends log records, a line each, to whoever draws the terminal.
#[derive(Clone)]
struct LogWriter(mpsc::UnboundedSender<String>);

struct LogLine<'a>(&'a mpsc::UnboundedSender<String>, Vec<u8>);

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = LogLine<'a>;
    fn make_writer(&'a self) -> LogLine<'a> {
        LogLine(&self.0, Vec::new())
    }
}

impl Write for LogLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine<'_> {
    fn drop(&mut self) {
        let line = String::from_utf8_lossy(&self.1).trim_end().to_owned();
        if !line.is_empty() {
            drop(self.0.send(line)); // nobody draws any more
        }
    }
}

/// Starts logging: warnings and errors, or what `JACKFIELD_LOG` asks for. The records come out of the receiver.
pub(crate) fn start_log(default: &str) -> mpsc::UnboundedReceiver<String> {
    let (sender, records) = mpsc::unbounded_channel();
    let filter = EnvFilter::try_from_env("JACKFIELD_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .without_time()
        .with_writer(LogWriter(sender));
    log.try_init().ok(); // there is a log already, where tests have one
    records
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::live_line;
    use crate::plugins::meter::Levels;

    #[test]
    fn the_live_line_says_time_levels_and_load() {
        let levels = Levels::of(&[1.0, 0.0, -1.0, 0.0], 2);
        assert_eq!(
            live_line(Duration::from_millis(61_250), Some(&levels), Some(3.12)),
            "01:01.2   L  peak    0.0 rms    0.0 dBFS   R  peak   -inf rms   -inf dBFS   load  3.1 %"
        );
        assert_eq!(live_line(Duration::ZERO, None, None), "00:00.0");
    }
}
