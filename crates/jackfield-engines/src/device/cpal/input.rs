//! Listening to a card while playing on it.

use crate::device::StreamFormat;
use crate::device::channels::nearest;
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
        let offered = device.supported_input_configs()?.map(|offer| usize::from(offer.channels()));
        let has = nearest(format.inputs, offered).unwrap_or(format.inputs);
        let wanted = format.inputs;
        let listen = move |data: &[f32], _: &cpal::InputCallbackInfo| push(&mut heard, data, has, wanted);
        let config = stream_config(format, has);
        // When it goes, there is silence from it; playing does not depend on it.
        let stream = device.build_input_stream(config, listen, |_| {}, None)?;
        stream.play()?;
        Ok((Some(Self { _stream: stream }), input))
    }
}

/// All of `data`, or none of it, so that channels stay in their places. It has `has` of them, of which as many as are
/// wanted are heard; those that are missing are silent.
fn push(heard: &mut Producer<f32>, data: &[f32], has: usize, wanted: usize) {
    let frames = data.chunks_exact(has);
    if let Ok(chunk) = heard.write_chunk_uninit(frames.len() * wanted) {
        let fit = |frame| (0..wanted).map(move |channel| sample(frame, channel));
        chunk.fill_from_iter(frames.flat_map(fit));
    }
}

fn sample(frame: &[f32], channel: usize) -> f32 {
    frame.get(channel).copied().unwrap_or(0.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_a_microphone_does_not_have_are_silent_and_those_nobody_wants_are_left_out() {
        let (mut heard, mut input) = Input::connected(2);
        push(&mut heard, &[1.0, 2.0], 1, 2);
        assert_eq!(input.take(2), [1.0, 0.0, 2.0, 0.0]);
        push(&mut heard, &[1.0, 2.0, 3.0], 3, 2);
        assert_eq!(input.take(2), [1.0, 2.0, 0.0, 0.0]);
    }
}
