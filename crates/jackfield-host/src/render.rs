//! `jackfield render`: a project to a file, as fast as the machine allows.

use std::{
    io::BufWriter,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use hound::{SampleFormat, WavSpec, WavWriter};
use jackfield_engines::{
    AudioEngine, AudioSettings, BLOCK_FRAMES, Block, EngineRegistry, NullDevice, Offline,
};

use crate::{
    failure::{Failure, Outcome, say, warn},
    progress::Progress,
    start::{Started, start},
};

mod part;
use part::Part;

/// The most samples that a file has room for: it counts its bytes, the header's among them, in 32 bits.
const MOST_SAMPLES: u64 = (u32::MAX as u64 - 1024) / 4;

/// What to render, and where to.
pub(crate) struct Render {
    pub(crate) project: PathBuf,
    pub(crate) time: Duration,
    pub(crate) out: PathBuf,
    pub(crate) input: Option<PathBuf>,
}

/// Renders, and says how fast it was.
pub(crate) fn render(render: &Render) -> Outcome<()> {
    let Started { project, instance, watchdog } = start(&render.project)?;
    let name = render.project.display();
    let settings =
        project.config.selected().filter(|settings| is_audio(&settings.runtime)).ok_or_else(|| {
            let remedy = "`jackfield trace` runs programs for timers";
            Failure::input(format!("{name}: the project does not ask for the audio engine; {remedy}"))
        })?;
    let settings = AudioSettings::read(settings).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("{name}: {problem}")).collect();
        Failure::input(lines.join("\n"))
    })?;
    let (addresses, left_out) = settings.routes(&project.map);
    let left_out = left_out.into_iter().chain(settings.out_of_reach());
    left_out.for_each(|problem| warn(&format!("{name}: {problem}")));
    let input = render.input.as_deref().map(|path| Input::read(path, settings.sample_rate)).transpose()?;

    let mut program = Offline::new(instance, addresses);
    // What a device would be asked for.
    let format = Format { sample_rate: settings.sample_rate, channels: settings.output_channels() };
    let frames = format.frames(render.time)?;
    let started = Instant::now();
    let broken = write(&render.out, format, frames, |input_block, output| {
        let heard = input.as_ref().map_or(&[][..], |input| input.block(program.blocks(), input_block));
        program.render_block(heard, output).map_err(|trap| trap.to_string())
    })?;
    watchdog.finish();

    let (seconds, took) = (frames as f64 / f64::from(settings.sample_rate), started.elapsed().as_secs_f64());
    let out = render.out.display();
    if let Some((frame, trap)) = broken {
        let at = frame as f64 / f64::from(settings.sample_rate);
        return Err(Failure::Work(format!(
            "{name}: the program broke at {at:.3} s: {trap}; {out} is silent from there"
        )));
    }
    say(&format!("{out}: {seconds:.1} s in {took:.2} s, {:.0} times real time\n", seconds / took.max(1e-9)))
}

/// What a file is made of.
#[derive(Clone, Copy)]
struct Format {
    sample_rate: u32,
    channels: usize,
}

impl Format {
    fn frames(self, time: Duration) -> Outcome<u64> {
        let frames = (time.as_secs_f64() * f64::from(self.sample_rate)).round() as u64;
        let most = MOST_SAMPLES / self.channels as u64;
        if frames > most {
            let (asked, most) = (time.as_secs(), most / u64::from(self.sample_rate));
            return Err(Failure::input(format!(
                "a WAV file has no room for {asked} s; give `--seconds` up to {most}"
            )));
        }
        Ok(frames.max(1))
    }
}

fn is_audio(engine: &str) -> bool {
    let audio = AudioEngine::new(std::sync::Arc::new(NullDevice::new()));
    EngineRegistry::new([std::sync::Arc::new(audio) as _]).get(engine).is_some()
}

/// Writes `frames` frames, block by block, to a file of its own, which takes the place of `out` when it is complete.
/// Returns where the program broke, if it did.
fn write(
    out: &Path,
    Format { sample_rate, channels }: Format,
    frames: u64,
    mut block: impl FnMut(&mut Vec<Block>, &mut [Block]) -> Result<(), String>,
) -> Outcome<Option<(u64, String)>> {
    let unwritable = |error: hound::Error| Failure::unwritable(out, error);
    let spec = WavSpec {
        channels: channels as u16,
        sample_rate,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    let (part, file) = Part::of(out).map_err(|error| Failure::unwritable(out, error))?;
    let mut writer = WavWriter::new(BufWriter::new(file), spec).map_err(unwritable)?;
    let mut progress = Progress::of(frames);
    let (mut input, mut output) = (Vec::new(), vec![[0.0; BLOCK_FRAMES]; channels]);
    let mut broken = None;
    let mut done = 0;
    while done < frames {
        match broken {
            None => broken = block(&mut input, &mut output).err().map(|trap| (done, trap)),
            Some(_) => output.fill([0.0; BLOCK_FRAMES]),
        }
        let count = usize::try_from(frames - done).unwrap_or(usize::MAX).min(BLOCK_FRAMES);
        for frame in 0..count {
            for channel in &output {
                writer.write_sample(channel[frame]).map_err(unwritable)?;
            }
        }
        done += count as u64;
        progress.at(done);
    }
    writer.finalize().map_err(unwritable)?;
    part.put_in_place().map_err(|error| Failure::unwritable(out, error))?;
    progress.finish();
    Ok(broken)
}

/// What a program hears: a file, and silence after its end.
struct Input {
    channels: Vec<Vec<f32>>,
}

impl Input {
    fn read(path: &Path, sample_rate: u32) -> Outcome<Self> {
        let shown = path.display();
        let unreadable = |error: hound::Error| {
            Failure::input(format!("{shown}: cannot be read: {error}; give a WAV file"))
        };
        let mut reader = hound::WavReader::open(path).map_err(unreadable)?;
        let spec = reader.spec();
        if spec.sample_rate != sample_rate {
            return Err(Failure::input(format!(
                "{shown}: has {} frames a second, and the project plays {sample_rate}; convert it first",
                spec.sample_rate
            )));
        }
        let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
            SampleFormat::Float => reader.samples::<f32>().collect(),
            SampleFormat::Int => {
                let full = f64::from(spec.bits_per_sample - 1).exp2();
                reader.samples::<i32>().map(|sample| Ok((f64::from(sample?) / full) as f32)).collect()
            }
        };
        let samples = samples.map_err(unreadable)?;
        let count = usize::from(spec.channels);
        let channel = |channel| samples.iter().skip(channel).step_by(count).copied().collect();
        Ok(Self { channels: (0..count).map(channel).collect() })
    }

    /// The block of this number, put into `blocks`.
    fn block<'a>(&self, number: u64, blocks: &'a mut Vec<Block>) -> &'a [Block] {
        let start = usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(BLOCK_FRAMES);
        blocks.clear();
        blocks.extend(self.channels.iter().map(|channel| {
            let mut samples = channel.iter().skip(start).copied();
            std::array::from_fn(|_| samples.next().unwrap_or(0.0))
        }));
        blocks
    }
}
