//! Listening to a card while playing on it.

use crate::device::StreamFormat;
use crate::device::cpal::card::stream_config;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use rtrb::{Consumer, Producer, RingBuffer};

/// How far playing may lag behind listening before samples are lost: a fifth of a second at 48 kHz.
const ROOM_FRAMES: usize = 9600;

/// The most frames that are taken at once.
const MOST_FRAMES: usize = 4096;

/// The default sound input, running. Ends when dropped.
pub(super) struct Microphone {
    _stream: cpal::Stream,
}

impl Microphone {
    /// Opens it if the format has input channels, and gives what playing takes from it.
    pub(super) fn open(
        host: &cpal::Host,
        format: StreamFormat,
    ) -> Result<(Option<Self>, Input), cpal::Error> {
        if format.inputs == 0 {
            return Ok((None, Input::silent(0)));
        }
        let device = host.default_input_device().ok_or(cpal::ErrorKind::DeviceNotAvailable)?;
        let (mut heard, input) = Input::connected(format.inputs);
        let listen = move |data: &[f32], _: &cpal::InputCallbackInfo| push(&mut heard, data);
        let config = stream_config(format, format.inputs);
        // When it goes, there is silence from it; playing does not depend on it.
        let stream = device.build_input_stream(config, listen, |_| {}, None)?;
        stream.play()?;
        Ok((Some(Self { _stream: stream }), input))
    }
}

/// All of `data`, or none of it, so that channels stay in their places.
fn push(heard: &mut Producer<f32>, data: &[f32]) {
    if let Ok(chunk) = heard.write_chunk_uninit(data.len()) {
        chunk.fill_from_iter(data.iter().copied());
    }
}

/// What was heard, for the callback that plays.
pub(super) struct Input {
    heard: Option<Consumer<f32>>,
    block: Box<[f32]>,
    channels: usize,
}

impl Input {
    pub(super) fn silent(channels: usize) -> Self {
        Self { heard: None, block: vec![0.0; MOST_FRAMES * channels].into(), channels }
    }

    fn connected(channels: usize) -> (Producer<f32>, Self) {
        let (producer, consumer) = RingBuffer::new(ROOM_FRAMES * channels);
        (producer, Self { heard: Some(consumer), ..Self::silent(channels) })
    }

    /// The next frames; what has not been heard yet is silence.
    pub(super) fn take(&mut self, frames: usize) -> &[f32] {
        let wanted = frames.min(MOST_FRAMES) * self.channels;
        let block = &mut self.block[..wanted];
        let mut there = 0;
        if let Some(heard) = &mut self.heard
            && let Ok(chunk) = heard.read_chunk(wanted.min(heard.slots()))
        {
            for (place, sample) in block.iter_mut().zip(chunk) {
                *place = sample;
                there += 1;
            }
        }
        block[there..].fill(0.0);
        block
    }
}
