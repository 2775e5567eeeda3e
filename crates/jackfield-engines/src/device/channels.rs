//! Programs meet devices that have another number of channels.

use crate::device::{Render, StreamFormat};

/// Frames rendered at a time, where there are too many or too few channels.
const SCRATCH_FRAMES: usize = 1024;

/// Plays what was made for `format` on a device that has `channels` channels out: those that it has more of are silent,
/// and what it has no place for is not heard.
///
/// Allocates here, for 1024 frames, and nothing later; costs a copy, and nothing where the numbers agree.
#[must_use]
pub fn fitted(render: Box<dyn Render>, format: StreamFormat, channels: usize) -> Box<dyn Render> {
    if channels == format.outputs || channels == 0 || format.outputs == 0 {
        return render;
    }
    let scratch = vec![0.0; SCRATCH_FRAMES * format.outputs].into();
    Box::new(Fitted { render, format, channels, scratch })
}

/// The number of channels to play on, of those that a device offers: the one that is wanted, or else the next larger one,
/// or else the largest.
#[cfg(any(feature = "cpal", test))]
pub(super) fn nearest(wanted: usize, offered: impl IntoIterator<Item = usize>) -> Option<usize> {
    let order = |channels: &usize| if *channels >= wanted { (0, *channels) } else { (1, wanted - *channels) };
    offered.into_iter().filter(|channels| *channels > 0).min_by_key(order)
}

struct Fitted {
    render: Box<dyn Render>,
    format: StreamFormat,
    channels: usize,
    scratch: Box<[f32]>,
}

impl Render for Fitted {
    fn enter(&mut self) {
        self.render.enter();
    }

    fn render(&mut self, input: &[f32], output: &mut [f32]) {
        let StreamFormat { inputs, outputs, .. } = self.format;
        let mut heard = 0;
        for output in output.chunks_mut(SCRATCH_FRAMES * self.channels) {
            let frames = output.len() / self.channels;
            let scratch = &mut self.scratch[..frames * outputs];
            let end = (heard + frames * inputs).min(input.len());
            self.render.render(&input[heard..end], scratch);
            heard = end;
            output.fill(0.0);
            for (place, frame) in output.chunks_exact_mut(self.channels).zip(scratch.chunks_exact(outputs)) {
                for (place, sample) in place.iter_mut().zip(frame) {
                    *place = *sample;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_channels_nearest_to_what_is_wanted_are_chosen_rather_too_many_than_too_few() {
        assert_eq!(nearest(4, [1, 2, 4, 8]), Some(4));
        assert_eq!(nearest(3, [1, 2, 4, 8]), Some(4));
        assert_eq!(nearest(6, [1, 2, 4]), Some(4));
        assert_eq!(nearest(2, [0]), None);
    }
}
