use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// A file of 32-bit float samples, read as a whole.
#[derive(Debug, PartialEq)]
pub(crate) struct Wav {
    pub(crate) sample_rate: u32,
    pub(crate) channels: Vec<Vec<f32>>,
}

impl Wav {
    /// Reads it; it must be whole: as long as its header says, and not a byte longer.
    #[track_caller]
    pub(crate) fn read(path: &Path) -> Self {
        let reader = WavReader::open(path).unwrap();
        let (spec, frames) = (reader.spec(), reader.duration() as usize);
        assert_eq!((spec.bits_per_sample, spec.sample_format), (32, SampleFormat::Float));
        let samples: Vec<f32> = reader.into_samples().map(Result::unwrap).collect();
        let count = usize::from(spec.channels);
        assert_eq!(samples.len(), frames * count, "{}", path.display());
        // RIFF, `fmt ` of 40 bytes, `data`
        assert_eq!(path.metadata().unwrap().len(), 12 + 48 + 8 + samples.len() as u64 * 4);
        let channel = |channel| samples.iter().skip(channel).step_by(count).copied().collect();
        Self { sample_rate: spec.sample_rate, channels: (0..count).map(channel).collect() }
    }

    pub(crate) fn frames(&self) -> usize {
        self.channels[0].len()
    }

    pub(crate) fn peak(&self) -> f32 {
        self.channels.iter().flatten().fold(0.0, |peak: f32, sample| peak.max(sample.abs()))
    }
}

/// Writes one channel of 32-bit float samples.
pub(crate) fn write_wav(path: &Path, sample_rate: u32, samples: &[f32]) {
    let spec = WavSpec { channels: 1, sample_rate, bits_per_sample: 32, sample_format: SampleFormat::Float };
    let mut writer = WavWriter::create(path, spec).unwrap();
    samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
    writer.finalize().unwrap();
}
