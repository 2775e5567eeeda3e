//! Opening a card for playing.

use crate::device::channels::nearest;
use crate::device::cpal::Message;
use crate::device::cpal::input::{Input, Microphone};
use crate::device::{DeviceError, Render, StreamFormat, fitted};
use crate::realtime::LoadProbe;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig, SupportedBufferSize};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Samples rendered at a time, where the card has another sample type than ours and they have to be converted.
const SCRATCH_FRAMES: usize = 1024;

/// Sample types we can give, best first.
const FORMATS: [SampleFormat; 4] =
    [SampleFormat::F32, SampleFormat::I32, SampleFormat::I16, SampleFormat::U16];

/// A card that plays, and listens if it is to. Ends when dropped.
pub(super) struct Playing {
    _output: cpal::Stream,
    _microphone: Option<Microphone>,
}

pub(super) fn open(
    wanted: Option<&str>,
    name: &str,
    format: StreamFormat,
    render: Box<dyn Render>,
    load: LoadProbe,
    messages: Sender<Message>,
) -> Result<Playing, DeviceError> {
    let host = cpal::default_host();
    let device = match wanted {
        None => host.default_output_device(),
        Some(wanted) => {
            let mut all = host.output_devices().map_err(|error| failure(name, format, error))?;
            let is_it = |device: &cpal::Device| {
                device.to_string() == wanted || device.id().is_ok_and(|id| id.to_string() == wanted)
            };
            all.find(is_it)
        }
    };
    let device = device.ok_or_else(|| DeviceError::NotThere {
        device: name.to_owned(),
        source: "the machine lists no such output".into(),
    })?;
    let offered = supported(&device, format).map_err(|error| failure(name, format, error))?;
    let (channels, sample_format, blocks) = offered.ok_or_else(|| DeviceError::Format {
        device: name.to_owned(),
        sample_rate: format.sample_rate,
        channels: format.outputs,
        source: "it lists no such format".into(),
    })?;
    if channels < format.outputs {
        let routed = format.outputs;
        tracing::warn!(
            target: "jackfield::engine",
            "Device `{name}` has {channels} channels of the {routed} that the program plays to; the rest is not heard"
        );
    }
    let render = fitted(render, format, channels);
    let format = format.with_outputs(channels);
    let mut config = stream_config(format, channels);
    config.buffer_size = within(config.buffer_size, blocks);
    let (microphone, input) = match Microphone::open(&host, format) {
        Ok((microphone, input)) => (microphone, input),
        Err(error) => {
            tracing::warn!(target: "jackfield::engine", "There is no sound input, so it is silent: {error}");
            (None, Input::silent(format.inputs))
        }
    };
    let player = Player { render, load, input, format, entered: false };
    let on_error = on_error(name, format, messages);
    let output = match sample_format {
        SampleFormat::I32 => build::<i32>(&device, config, player, on_error),
        SampleFormat::I16 => build::<i16>(&device, config, player, on_error),
        SampleFormat::U16 => build::<u16>(&device, config, player, on_error),
        _ => build::<f32>(&device, config, player, on_error),
    };
    let output = output.map_err(|error| failure(name, format, error))?;
    output.play().map_err(|error| failure(name, format, error))?;
    Ok(Playing { _output: output, _microphone: microphone })
}

pub(super) fn stream_config(format: StreamFormat, channels: usize) -> StreamConfig {
    let block = format.block.and_then(|frames| u32::try_from(frames).ok());
    StreamConfig {
        channels: u16::try_from(channels).unwrap_or(u16::MAX),
        sample_rate: format.sample_rate,
        buffer_size: block.map_or(BufferSize::Default, BufferSize::Fixed),
    }
}

/// A block that the card cannot play in is no reason not to play; programs meet any.
fn within(wanted: BufferSize, offered: SupportedBufferSize) -> BufferSize {
    match (wanted, offered) {
        (BufferSize::Fixed(frames), SupportedBufferSize::Range { min, max })
            if !(min..=max).contains(&frames) =>
        {
            BufferSize::Default
        }
        (wanted, _) => wanted,
    }
}

/// As many channels as are wanted or the nearest, the best sample type for them, and the blocks that go with that.
fn supported(
    device: &cpal::Device,
    format: StreamFormat,
) -> Result<Option<(usize, SampleFormat, SupportedBufferSize)>, cpal::Error> {
    let offered: Vec<_> = device
        .supported_output_configs()?
        .filter(|offer| (offer.min_sample_rate()..=offer.max_sample_rate()).contains(&format.sample_rate))
        .filter(|offer| FORMATS.contains(&offer.sample_format()))
        .map(|offer| (usize::from(offer.channels()), offer.sample_format(), *offer.buffer_size()))
        .collect();
    let channels = nearest(format.outputs, offered.iter().map(|(channels, ..)| *channels));
    let find = |wanted| offered.iter().find(|(has, format, _)| Some(*has) == channels && *format == wanted);
    Ok(FORMATS.into_iter().find_map(find).copied())
}

/// What runs in the card's callback.
struct Player {
    render: Box<dyn Render>,
    load: LoadProbe,
    input: Input,
    format: StreamFormat,
    entered: bool,
}

impl Player {
    /// The time of a callback is measured here, so that what it calls need not ask a clock.
    fn measured(&mut self, samples: usize, play: impl FnOnce(&mut Self)) {
        if !self.entered {
            self.entered = true;
            self.render.enter();
        }
        let begun = Instant::now();
        play(self);
        let frames = samples / self.format.outputs.max(1);
        let budget = Duration::from_secs_f64(frames as f64 / f64::from(self.format.sample_rate.max(1)));
        self.load.record(begun.elapsed(), budget);
    }

    fn render(&mut self, output: &mut [f32]) {
        let frames = output.len() / self.format.outputs.max(1);
        for (part, output) in (0..frames).step_by(SCRATCH_FRAMES).zip(output.chunks_mut(self.chunk())) {
            let input = self.input.take((frames - part).min(SCRATCH_FRAMES));
            self.render.render(input, output);
        }
    }

    fn chunk(&self) -> usize {
        SCRATCH_FRAMES * self.format.outputs.max(1)
    }
}

fn build<T: SizedSample + FromSample<f32> + Send + 'static>(
    device: &cpal::Device,
    config: StreamConfig,
    mut player: Player,
    on_error: impl FnMut(cpal::Error) + Send + 'static,
) -> Result<cpal::Stream, cpal::Error> {
    let mut scratch = vec![0.0; player.chunk()];
    let play = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
        player.measured(data.len(), |player| {
            for data in data.chunks_mut(scratch.len()) {
                let scratch = &mut scratch[..data.len()];
                player.render(scratch);
                for (place, sample) in data.iter_mut().zip(scratch) {
                    *place = T::from_sample_(*sample);
                }
            }
        });
    };
    device.build_output_stream(config, play, on_error, None)
}

/// Some errors are news, some are noise; only the end of the stream matters here.
fn on_error(
    name: &str,
    format: StreamFormat,
    messages: Sender<Message>,
) -> impl FnMut(cpal::Error) + Send + use<> {
    let name = name.to_owned();
    move |error| match error.kind() {
        ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {
            tracing::debug!(target: "jackfield::engine", "Device `{name}`: {error}");
        }
        _ => {
            messages.send(Message::Lost(failure(&name, format, error))).ok();
        }
    }
}

fn failure(name: &str, format: StreamFormat, error: cpal::Error) -> DeviceError {
    let device = name.to_owned();
    match error.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable | ErrorKind::StreamInvalidated => {
            DeviceError::NotThere { device, source: error.into() }
        }
        ErrorKind::DeviceBusy => DeviceError::Busy { device, source: error.into() },
        ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation | ErrorKind::InvalidInput => {
            let (sample_rate, channels) = (format.sample_rate, format.outputs);
            DeviceError::Format { device, sample_rate, channels, source: error.into() }
        }
        _ => DeviceError::Failed { device, source: error.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_the_card_does_not_offer_is_left_to_the_card() {
        let offered = SupportedBufferSize::Range { min: 64, max: 4096 };
        assert_eq!(within(BufferSize::Fixed(64), offered), BufferSize::Fixed(64));
        assert_eq!(within(BufferSize::Fixed(32), offered), BufferSize::Default);
        assert_eq!(within(BufferSize::Fixed(32), SupportedBufferSize::Unknown), BufferSize::Fixed(32));
        assert_eq!(within(BufferSize::Default, offered), BufferSize::Default);
    }
}
