//! Programs with another number of channels than two, and devices with another number than the program.

use crate::support::Session;
use base64::Engine as _;
use jackfield_engines::{
    AudioEngine, AudioSettings, BlockRunner, Device, DeviceError, EngineFactory, Knobs, Limits, ManualClock,
    NullDevice, Pace, Processor, Program, Project, Render, Start, Stream, StreamFormat, StreamSetup, Voice,
    WavDevice, fitted,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What frame `frame` of a block holds in channel `channel`.
fn sample(channel: usize, frame: usize) -> f32 {
    (channel + 1) as f32 + frame as f32 / 256.0
}

/// A program with so many variables `out.c0`, `out.c1`, …, each of 128 samples that never change by themselves, which are
/// routed as this says.
fn routed(variables: usize, outputs: &Value, inputs: &Value) -> Arc<Project> {
    let bytes = (0..variables).flat_map(|c| (0..128).flat_map(move |frame| sample(c, frame).to_le_bytes()));
    let data: String = bytes.map(|byte| format!("\\{byte:02x}")).collect();
    let wasm = wat::parse_str(format!(
        r#"(module (import "js" "memory" (memory 1))
            (func (export "init")) (func (export "cycle")) (func (export "buffer"))
            (data (i32.const 4) "{data}"))"#
    ));
    let variable = |c: usize| {
        let name = format!("c{c}");
        let place = json!({ "id": name, "byteAddress": 4 + 512 * c, "numberOfElements": 128, "elementWordSize": 4,
            "isInteger": false, "type": "float", "wordAlignedAddress": 1 + 128 * c, "wordAlignedSize": 128 });
        (name, place)
    };
    let map: serde_json::Map<_, _> = (0..variables).map(variable).collect();
    let project = json!({
        "compiledWasm": base64::engine::general_purpose::STANDARD.encode(wasm.unwrap()),
        "compiledModules": { "out": { "id": "out", "index": 0, "byteAddress": 4, "wordAlignedAddress": 1,
            "wordAlignedSize": 128 * variables, "memoryMap": map } },
        "compiledProjectConfig": { "runtimeSettings": { "runtime": "AudioWorkletRuntime", "sampleRate": 48_000,
            "audioOutputBuffers": outputs, "audioInputBuffers": inputs } },
    });
    Arc::new(Project::from_json("routed", &project.to_string()).unwrap())
}

/// Each variable to the channel of its number.
fn straight(channels: usize, port: &str) -> Value {
    (0..channels).map(|c| json!({ "memoryId": format!("out.c{c}"), "channel": c, port: 0 })).collect()
}

fn settings(project: &Project) -> AudioSettings {
    AudioSettings::read(project.config.selected().unwrap()).unwrap()
}

/// Plays a project into a file for a tenth of a second, in device blocks of 100 frames.
async fn recorded(project: Arc<Project>) -> (usize, Vec<f32>, Session) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.wav");
    let clock = ManualClock::new();
    let device = WavDevice::new(&path, Pace::Clock(Arc::new(clock.clone())));
    let engine = AudioEngine::new(Arc::new(device)).with_block(100);
    let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
    session.play(project).await;
    clock.advance(Duration::from_millis(100));
    session.manager.close().await;
    let mut wav = hound::WavReader::open(&path).unwrap();
    let samples = wav.samples::<f32>().map(Result::unwrap).collect();
    (wav.spec().channels.into(), samples, session)
}

#[tokio::test]
async fn a_file_has_as_many_channels_as_the_program_is_routed_to_and_two_at_least() {
    for channels in [1, 2, 4, 6] {
        let (found, samples, session) =
            recorded(routed(channels, &straight(channels, "output"), &json!([]))).await;
        assert_eq!((found, samples.len()), (channels.max(2), 4800 * channels.max(2)));
        for (frame, found) in samples.chunks(channels.max(2)).enumerate() {
            let expected: Vec<f32> = (0..channels).map(|channel| sample(channel, frame % 128)).collect();
            assert_eq!(found[..channels], expected, "frame {frame}");
            assert!(found[channels..].iter().all(|sample| *sample == 0.0));
        }
        let mut tape = [f32::NAN; 4];
        assert_eq!(session.console.tape().read(&mut tape).frames, 2, "the tape holds the first two");
        let right = |frame| if channels > 1 { sample(1, frame) } else { 0.0 };
        assert_eq!(tape, [sample(0, 0), right(0), sample(0, 1), right(1)]);
    }
}

#[tokio::test]
async fn channels_between_those_that_are_routed_are_silent() {
    let outputs = json!([{ "memoryId": "out.c0", "channel": 4, "output": 0 }]);
    let (channels, samples, _) = recorded(routed(1, &outputs, &json!([]))).await;
    assert_eq!((channels, &samples[5..10]), (5, &[0.0, 0.0, 0.0, 0.0, sample(0, 1)][..]));
}

// E.2: outputs that do not exist are skipped.
#[tokio::test]
async fn routes_to_other_outputs_and_to_channels_out_of_reach_are_left_out_and_named() {
    let outputs = json!([
        { "memoryId": "out.c0", "channel": 0, "output": 0 },
        { "memoryId": "out.c1", "channel": 1, "output": 1 },
        { "memoryId": "out.c1", "channel": 32, "output": 0 },
    ]);
    let project = routed(2, &outputs, &json!([{ "memoryId": "out.c0", "channel": 7, "input": 2 }]));
    let settings = settings(&project);
    assert_eq!((settings.output_channels(), settings.input_channels()), (2, 0));
    let told: Vec<_> = settings.out_of_reach().iter().map(ToString::to_string).collect();
    let left_out = [
        "runtimeSettings.audioOutputBuffers[1]: there is no output 1, only output 0; the route is left out",
        "runtimeSettings.audioOutputBuffers[2]: there is no channel 32, only 0 to 31; the route is left out",
        "runtimeSettings.audioInputBuffers[0]: there is no input 2, only input 0; the route is left out",
    ];
    assert_eq!(told, left_out);
    let (channels, samples, _) = recorded(project).await;
    assert_eq!((channels, &samples[2..4]), (2, &[sample(0, 1), 0.0][..]));
}

/// Writes down what it is asked for.
#[derive(Clone)]
struct Asked(NullDevice, Arc<Mutex<Vec<StreamFormat>>>);

impl Device for Asked {
    fn name(&self) -> String {
        self.0.name()
    }

    fn has_input(&self) -> bool {
        true
    }

    fn open(&self, setup: StreamSetup) -> Result<Box<dyn Stream>, DeviceError> {
        self.1.lock().unwrap().push(setup.format);
        self.0.open(setup)
    }
}

#[tokio::test]
async fn a_device_is_asked_for_the_channels_that_are_routed_and_opened_anew_when_that_changes() {
    let asked = Asked(NullDevice::with_clock(Arc::new(ManualClock::new())), Arc::default());
    let engine = AudioEngine::new(Arc::new(asked.clone())) as AudioEngine;
    let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
    session.play(routed(4, &straight(4, "output"), &json!([]))).await;
    session.play(routed(4, &straight(4, "output"), &straight(3, "input"))).await;
    session.play(routed(4, &straight(1, "output"), &straight(3, "input"))).await;
    let formats: Vec<_> =
        asked.1.lock().unwrap().iter().map(|format| (format.inputs, format.outputs)).collect();
    assert_eq!(formats, [(0, 4), (3, 4), (3, 2)]);
    session.manager.close().await;
}

/// A processor for a device with so many channels in and out.
fn processor(project: &Project, inputs: usize, outputs: usize) -> Processor {
    let instance =
        Program::compile(project, &Limits::default()).unwrap().instantiate_from(Start::Init).unwrap();
    let runner = BlockRunner::new(instance, settings(project).routes(&project.map).0);
    let (voice, _) = Voice::new(runner, Knobs::new().connect(project.map.clone()).0);
    Processor::with_outputs(voice, inputs, outputs, None).0
}

#[test]
fn as_many_inputs_as_there_are_go_to_where_they_are_routed() {
    let project = routed(4, &straight(4, "output"), &straight(4, "input"));
    for inputs in [1, 2, 4, 6] {
        let mut processor = processor(&project, inputs, 4);
        let input: Vec<f32> = (0..256 * inputs).map(|n| n as f32).collect();
        let mut output = vec![f32::NAN; 256 * 4];
        processor.process(&input, &mut output);
        for (frame, played) in output.chunks(4).enumerate().skip(128) {
            for (channel, played) in played.iter().enumerate() {
                // What no input reaches is what it was.
                let heard = if channel < inputs {
                    ((frame - 128) * inputs + channel) as f32
                } else {
                    sample(channel, frame - 128)
                };
                assert_eq!(*played, heard, "{inputs} inputs, frame {frame}, channel {channel}");
            }
        }
    }
}

#[test]
fn a_device_with_more_or_fewer_channels_plays_those_that_both_have() {
    let project = routed(4, &straight(4, "output"), &straight(1, "input"));
    let format = StreamFormat::stereo(48_000).with_outputs(4).with_inputs(1);
    for has in [1, 2, 4, 6] {
        let mut render = fitted(Box::new(Played(processor(&project, 1, 4))), format, has);
        // Longer than what is rendered at a time, and not a multiple of anything.
        let frames = 2500;
        let input: Vec<f32> = (0..frames).map(|frame| frame as f32).collect();
        let mut output = vec![f32::NAN; frames * has];
        render.render(&input, &mut output);
        for (frame, played) in output.chunks(has).enumerate().skip(128) {
            let program = [
                (frame - 128) as f32,
                sample(1, frame % 128),
                sample(2, frame % 128),
                sample(3, frame % 128),
            ];
            for (channel, played) in played.iter().enumerate() {
                assert_eq!(*played, program.get(channel).copied().unwrap_or(0.0), "{has}, frame {frame}");
            }
        }
    }
}

struct Played(Processor);

impl Render for Played {
    fn render(&mut self, input: &[f32], output: &mut [f32]) {
        self.0.process(input, output);
    }
}
