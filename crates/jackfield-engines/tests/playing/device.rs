use jackfield_engines::{
    Device, DeviceError, LoadMeter, ManualClock, NullDevice, Pace, Render, StreamFormat, StreamSetup,
    WavDevice,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Counts frames into both channels, and says when it is dropped.
struct Counting {
    at: usize,
    blocks: Arc<Mutex<Vec<usize>>>,
    dropped: Arc<AtomicUsize>,
}

impl Render for Counting {
    fn render(&mut self, input: &[f32], output: &mut [f32]) {
        assert_eq!(input, [0.0; 0]);
        let frames = output.as_chunks_mut::<2>().0;
        for frame in frames.iter_mut() {
            *frame = [self.at as f32, -(self.at as f32)];
            self.at += 1;
        }
        self.blocks.lock().unwrap().push(frames.len());
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Default)]
struct Watched {
    load: LoadMeter,
    blocks: Arc<Mutex<Vec<usize>>>,
    dropped: Arc<AtomicUsize>,
}

impl Watched {
    fn setup(&self, format: StreamFormat) -> StreamSetup {
        let render = Counting { at: 0, blocks: Arc::clone(&self.blocks), dropped: Arc::clone(&self.dropped) };
        StreamSetup {
            format,
            render: Box::new(render),
            load: self.load.probe(),
            lost: Box::new(|error| panic!("lost: {error}")),
        }
    }

    fn frames(&self) -> usize {
        self.blocks.lock().unwrap().iter().sum()
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn the_null_device_plays_as_many_blocks_as_time_has_passed() {
    let (clock, watched) = (ManualClock::new(), Watched::default());
    let device = NullDevice::with_clock(Arc::new(clock.clone()));
    let stream = device.open(watched.setup(StreamFormat::stereo(48_000).with_block(480))).unwrap();
    clock.advance(ms(9));
    assert_eq!(watched.frames(), 0);
    clock.advance(ms(1));
    assert_eq!(watched.frames(), 480);
    clock.advance(ms(57));
    assert_eq!(watched.frames(), 6 * 480);
    stream.stop().unwrap();
}

#[test]
fn the_null_device_does_not_drift() {
    let (clock, watched) = (ManualClock::new(), Watched::default());
    let device = NullDevice::with_clock(Arc::new(clock.clone()));
    let stream = device.open(watched.setup(StreamFormat::stereo(44_100).with_block(127))).unwrap();
    for _ in 0..1000 {
        clock.advance(ms(7));
    }
    assert_eq!(watched.frames(), 44_100 * 7 / 127 * 127);
    stream.stop().unwrap();
}

#[test]
fn after_a_long_pause_a_tenth_of_a_second_is_made_up_for_and_the_rest_is_counted() {
    let (clock, watched) = (ManualClock::new(), Watched::default());
    let device = NullDevice::with_clock(Arc::new(clock.clone()));
    let stream = device.open(watched.setup(StreamFormat::stereo(48_000).with_block(480))).unwrap();
    clock.advance(Duration::from_secs(60));
    assert_eq!(watched.frames(), 4800);
    assert_eq!((watched.load.read().blocks, watched.load.read().late), (10, 5990));
    clock.advance(ms(10));
    assert_eq!(watched.frames(), 5280);
    stream.stop().unwrap();
}

// Pitfall: a callback after the stream has been stopped.
#[test]
fn when_stop_returns_nothing_is_called_any_more_and_what_played_is_dropped() {
    let watched = Watched::default();
    let stream = NullDevice::new().open(watched.setup(StreamFormat::stereo(48_000))).unwrap();
    assert_eq!(watched.dropped(), 0);
    stream.stop().unwrap();
    assert_eq!(watched.dropped(), 1);
}

#[test]
fn a_file_holds_exactly_what_was_played_and_is_complete_after_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.wav");
    let (clock, watched) = (ManualClock::new(), Watched::default());
    let device = WavDevice::new(&path, Pace::Clock(Arc::new(clock.clone())));
    let stream = device.open(watched.setup(StreamFormat::stereo(48_000).with_block(100))).unwrap();
    clock.advance(ms(10));
    stream.stop().unwrap();
    let mut wav = hound::WavReader::open(&path).unwrap();
    assert_eq!((wav.spec().sample_rate, wav.spec().bits_per_sample, wav.duration()), (48_000, 32, 400));
    let samples: Vec<f32> = wav.samples::<f32>().map(Result::unwrap).collect();
    let expected: Vec<f32> = (0..400).flat_map(|frame| [frame as f32, -(frame as f32)]).collect();
    assert_eq!(samples, expected);
}

#[test]
fn a_file_can_be_written_as_fast_as_the_machine_can_up_to_a_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.wav");
    let watched = Watched::default();
    let device = WavDevice::new(&path, Pace::Frames(1000));
    let stream = device.open(watched.setup(StreamFormat::stereo(8000).with_block(300))).unwrap();
    while watched.dropped() == 0 {
        std::thread::yield_now();
    }
    stream.stop().unwrap();
    assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 1000);
    assert_eq!(*watched.blocks.lock().unwrap(), [300, 300, 300, 100]);
}

// Whoever kills the host cannot ask it to complete the file first.
#[test]
fn while_a_file_is_being_written_all_but_the_last_second_of_it_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.wav");
    let (clock, watched) = (ManualClock::new(), Watched::default());
    let device = WavDevice::new(&path, Pace::Clock(Arc::new(clock.clone())));
    let stream = device.open(watched.setup(StreamFormat::stereo(8000).with_block(400))).unwrap();
    for _ in 0..30 {
        clock.advance(ms(50));
    }
    let wav = hound::WavReader::open(&path).unwrap();
    assert_eq!(wav.duration(), 8000);
    assert_eq!(wav.into_samples::<f32>().filter_map(Result::ok).count(), 16_000);
    stream.stop().unwrap();
    assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 12_000);
}

struct Panics;

impl Render for Panics {
    fn render(&mut self, _: &[f32], _: &mut [f32]) {
        panic!("told to");
    }
}

#[test]
fn when_what_plays_panics_the_device_says_that_it_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.wav");
    let (sender, lost) = std::sync::mpsc::channel();
    let setup = StreamSetup {
        format: StreamFormat::stereo(8000),
        render: Box::new(Panics),
        load: LoadMeter::new().probe(),
        lost: Box::new(move |error| sender.send(error.to_string()).unwrap()),
    };
    let stream = WavDevice::new(&path, Pace::Frames(100)).open(setup).unwrap();
    assert!(lost.recv().unwrap().contains("failed"));
    assert!(stream.stop().is_err());
    assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 0);
}

#[test]
fn a_file_that_cannot_be_made_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::default();
    let device = WavDevice::new(folder.path().join("no/such.wav"), Pace::Frames(1));
    let error = device.open(watched.setup(StreamFormat::stereo(8000))).unwrap_err();
    assert!(matches!(&error, DeviceError::File { path, .. } if path.ends_with("no/such.wav")), "{error:?}");
    assert_eq!(watched.dropped(), 1);
}

#[test]
fn a_rate_of_zero_is_refused() {
    let watched = Watched::default();
    assert!(NullDevice::new().open(watched.setup(StreamFormat::stereo(0))).is_err());
}

#[cfg(feature = "cpal")]
#[test]
fn a_sound_card_that_is_not_there_is_refused_and_what_was_to_play_comes_back() {
    let watched = Watched::default();
    let device = jackfield_engines::CpalDevice::named("no such card");
    let error = device.open(watched.setup(StreamFormat::stereo(48_000))).unwrap_err();
    assert!(matches!(&error, DeviceError::NotThere { device, .. } if device == "no such card"), "{error:?}");
    assert_eq!(watched.dropped(), 1);
}

#[cfg(feature = "cpal")]
#[test]
fn with_or_without_a_sound_card_nothing_is_called_after_the_end() {
    let watched = Watched::default();
    let opened = jackfield_engines::CpalDevice::new().open(watched.setup(StreamFormat::stereo(48_000)));
    if let Ok(stream) = opened {
        stream.stop().unwrap();
    }
    assert_eq!(watched.dropped(), 1);
}
