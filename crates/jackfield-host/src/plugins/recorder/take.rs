//! One recording: a thread that carries what is played from the tape to a file.

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use hound::{SampleFormat, WavSpec, WavWriter};
use jackfield::{BoxError, Bus};
use jackfield_engines::{Console, TapeReader};

use crate::plugins::Notice;

/// How often what was played goes to the file. The tape holds some seconds, so a slow disk has time.
const PERIOD: Duration = Duration::from_millis(50);

/// After how many periods the file's header is brought up to date: a file that is cut off, say by a power failure, is
/// whole up to there.
const PERIODS_TO_FLUSH: u32 = 20;

/// The most samples in a file, which counts its bytes in 32 bits: three hours at the usual rate. Room is left for what
/// one period can bring.
const MOST_SAMPLES: u32 = (u32::MAX - (64 << 20)) / 4;

/// The rate of a take that begins before anything plays.
const USUAL_RATE: u32 = 48_000;

/// A recording that goes on until it is finished, or dropped.
pub(super) struct Take {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Done, hound::Error>>>,
}

/// What became of a take.
pub(super) struct Done {
    path: PathBuf,
    seconds: f64,
    lost: u64,
}

impl Take {
    /// Makes the file, and records into it from now on.
    pub(super) fn start(path: &Path, console: &Console, bus: Bus) -> Result<Self, BoxError> {
        let (mut tape, console) = (console.tape(), console.clone());
        tape.skip_to_now();
        let reel = Reel::new(path, rate(&console), tape.channels())?;
        let path = reel.path.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("jackfield-recorder".to_owned())
            .spawn(move || record(reel, tape, &console, &stopped, &bus))?;
        Ok(Self { path, stop, thread: Some(thread) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Completes the file, and returns when it is complete.
    pub(super) async fn finish(mut self) -> Result<Done, BoxError> {
        let Some(thread) = self.end() else { return Err("the take has ended already".into()) };
        let ended = tokio::task::spawn_blocking(move || thread.join()).await?;
        let done = ended.map_err(|_| "the recording thread panicked")?;
        done.map_err(|error| format!("{}: the recording broke off: {error}", self.path.display()).into())
    }

    fn end(&mut self) -> Option<JoinHandle<Result<Done, hound::Error>>> {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.take()?;
        thread.thread().unpark();
        Some(thread)
    }
}

impl Drop for Take {
    fn drop(&mut self) {
        self.end(); // its thread completes the file on its own
    }
}

/// A file that grows.
struct Reel {
    path: PathBuf,
    writer: WavWriter<BufWriter<File>>,
    rate: u32,
}

impl Reel {
    /// The file at `path`, or a numbered neighbour if there is one already.
    fn new(path: &Path, rate: u32, channels: usize) -> Result<Self, BoxError> {
        let cannot = |error: &dyn fmt::Display| format!("{}: cannot be written: {error}", path.display());
        let (path, file) = create_beside(path).map_err(|error| cannot(&error))?;
        let channels = u16::try_from(channels).map_err(|_| "too many channels for a file")?;
        let spec =
            WavSpec { channels, sample_rate: rate, bits_per_sample: 32, sample_format: SampleFormat::Float };
        let writer = WavWriter::new(BufWriter::new(file), spec).map_err(|error| cannot(&error))?;
        Ok(Self { path, writer, rate })
    }

    fn done(self, lost: u64) -> Result<Done, hound::Error> {
        let seconds = f64::from(self.writer.duration()) / f64::from(self.rate);
        self.writer.finalize()?;
        Ok(Done { path: self.path, seconds, lost })
    }
}

/// Carries on until told to stop, and once more then: what was played before is in the file.
fn record(
    mut reel: Reel,
    mut tape: TapeReader,
    console: &Console,
    stopped: &AtomicBool,
    bus: &Bus,
) -> Result<Done, hound::Error> {
    let channels = tape.channels();
    let mut samples = vec![0.0; 4096 * channels];
    let mut lost = 0;
    for period in 1_u32.. {
        let last = stopped.load(Ordering::Acquire);
        let other_rate = rate(console) != reel.rate && console.playing().borrow().is_some();
        if other_rate || reel.writer.len() > MOST_SAMPLES {
            reel = next_reel(reel, rate(console), channels, bus)?;
        }
        loop {
            let read = tape.read(&mut samples);
            // What the disk was too slow for is silent, and keeps its time.
            for _ in 0..read.lost.min(u64::from(reel.rate)) * channels as u64 {
                reel.writer.write_sample(0.0_f32)?;
            }
            lost += read.lost;
            for sample in &samples[..read.frames * channels] {
                reel.writer.write_sample(*sample)?;
            }
            if read.frames == 0 {
                break;
            }
        }
        if last {
            break;
        }
        if period % PERIODS_TO_FLUSH == 0 {
            reel.writer.flush()?;
        }
        thread::park_timeout(PERIOD);
    }
    reel.done(lost)
}

/// A file has one rate, and an end: another rate is another file, and so is what has no room in it.
fn next_reel(reel: Reel, rate: u32, channels: usize, bus: &Bus) -> Result<Reel, hound::Error> {
    let next = Reel::new(&reel.path, rate, channels).map_err(|error| io::Error::other(error.to_string()))?;
    let done = reel.done(0)?;
    bus.emit_sync(Notice(format!("recorder: {done}; going on in {} at {rate} Hz", next.path.display()))).ok();
    Ok(next)
}

fn rate(console: &Console) -> u32 {
    let playing = console.playing();
    let rate = playing
        .borrow()
        .as_ref()
        .filter(|playing| playing.device.is_some())
        .map(|playing| playing.sample_rate);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an audio rate is a whole number"
    )]
    rate.map_or(USUAL_RATE, |rate| rate as u32)
}

/// `take.wav`, or `take-2.wav` if that is there, and so on: nothing that was recorded is lost.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = path.extension().map_or_else(String::new, |ending| format!(".{}", ending.to_string_lossy()));
    let mut candidate = path.to_owned();
    for number in 2_u32.. {
        match File::create_new(&candidate) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (candidate, file)),
        }
        candidate = path.with_file_name(format!("{stem}-{number}{ending}"));
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrote {}, {:.1} s", self.path.display(), self.seconds)?;
        if self.lost > 0 {
            write!(f, " ({} frames were lost: the disk was too slow)", self.lost)?;
        }
        Ok(())
    }
}
