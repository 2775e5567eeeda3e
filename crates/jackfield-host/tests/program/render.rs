//! `jackfield render`: a project to a file.

use std::{fs, process::Stdio};

use jackfield_testkit::{fixtures, peak_memory};
use serde_json::Value;

use crate::support::{Done, Place, Wav, jackfield, write_wav};

/// As long as 64 blocks of 128 frames at 48000 Hz: 0.1706666… s.
const BLOCKS_64: &str = "0.170666667";

/// What `outputs` in the expectations say of each channel.
fn expected(outputs: &Value) -> Vec<Vec<f32>> {
    let outputs = outputs.as_array().unwrap();
    outputs.iter().map(|output| fixtures::samples(&output["float32Base64"])).collect()
}

fn bits(wav: &Wav) -> Vec<Vec<u32>> {
    wav.channels.iter().map(|channel| channel.iter().map(|sample| sample.to_bits()).collect()).collect()
}

#[track_caller]
fn rendered(place: &Place, fixture: &str, more: &[&str]) -> Wav {
    let project = format!("{fixture}.project.json");
    let mut arguments = vec!["render", &project, "--out", "song.wav"];
    arguments.extend(more);
    place.run(&arguments).good();
    Wav::read(&place.file("song.wav"))
}

/// The first 64 blocks are the expected ones, bit for bit.
#[track_caller]
fn check(fixture: &str, more: &[&str]) {
    let place = Place::with(fixture);
    let expectation = fixtures::expected(fixture);
    if expectation["input"].is_object() {
        write_wav(
            &place.file("heard.wav"),
            48_000,
            &fixtures::samples(&expectation["input"]["float32Base64"]),
        );
    }
    let mut arguments = vec!["--seconds", BLOCKS_64];
    arguments.extend(more);
    let wav = rendered(&place, fixture, &arguments);
    let channels = expected(&expectation["outputs"]);
    assert_eq!((wav.sample_rate, wav.frames()), (48_000, 64 * 128));
    assert!(bits(&wav) == bits(&Wav { sample_rate: 48_000, channels }), "{fixture} differs");
}

#[test]
fn first_light_is_bit_exact() {
    check("first-light", &[]);
}

#[test]
fn dc_is_bit_exact() {
    check("dc", &[]);
}

#[test]
fn ramp_is_bit_exact() {
    check("ramp", &[]);
}

#[test]
fn heavy_is_bit_exact() {
    check("heavy", &[]);
}

#[test]
fn echo_is_bit_exact_and_hears_a_file() {
    check("echo", &["--input", "heard.wav"]);
}

#[test]
fn an_input_of_whole_numbers_is_heard_as_well() {
    // What echo is described to hear: multiples of 1/256, so 16 bits hold them exactly.
    let place = Place::with("echo");
    let signal = |i: i32| if i % 2048 < 512 { (i * 53) % 257 - 128 } else { 0 };
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(place.file("heard.wav"), spec).unwrap();
    (0..64 * 128).for_each(|i| writer.write_sample(signal(i) * 128).unwrap());
    writer.finalize().unwrap();
    let wav = rendered(&place, "echo", &["--seconds", BLOCKS_64, "--input", "heard.wav"]);
    assert!(wav.channels == expected(&fixtures::expected("echo")["outputs"]));
}

#[test]
fn after_the_end_of_its_input_a_program_hears_silence() {
    let place = Place::with("echo");
    write_wav(&place.file("heard.wav"), 48_000, &[1.0; 100]);
    let wav = rendered(&place, "echo", &["--seconds", BLOCKS_64, "--input", "heard.wav"]);
    // 481 frames later on the left, as the closed form of echo has it; again, and half as loud, after 1440 more.
    let expected = |n: usize| match n {
        481..581 => 1.0,
        1921..2021 => 0.5,
        3361..3461 => 0.25,
        _ => 0.0,
    };
    assert!((0..4800).all(|n| wav.channels[0][n] == expected(n)));
}

#[test]
fn without_an_input_echo_is_silent() {
    let wav = rendered(&Place::with("echo"), "echo", &["--seconds", "0.1"]);
    assert_eq!(wav.peak(), 0.0);
}

#[test]
fn a_minute_of_first_light_is_bit_exact() {
    let wav = rendered(&Place::with("first-light"), "first-light", &["--seconds", "60"]);
    assert_eq!(wav.frames(), 60 * 48_000);
    let expectation = fixtures::expected("first-light");
    let channels = expectation["minute"]["channels"].as_array().unwrap();
    assert_eq!(channels.len(), 2);
    for (channel, samples) in channels.iter().zip(&wav.channels) {
        assert_eq!(fixtures::sha256_of_samples(samples), channel["sha256"]);
    }
}

#[test]
fn the_same_project_renders_to_the_same_bytes() {
    let files = [(); 2].map(|()| {
        let place = Place::with("first-light");
        rendered(&place, "first-light", &["--seconds", "2"]);
        fs::read(place.file("song.wav")).unwrap()
    });
    assert!(files[0] == files[1]);
}

/// Ten minutes are 220 MiB of samples, which go to the file as they are made.
#[test]
fn a_long_piece_takes_no_more_memory_than_a_short_one() {
    let place = Place::with("dc");
    let peak = |seconds| {
        let arguments = ["render", "dc.project.json", "--out", "song.wav", "--seconds", seconds];
        peak_memory(jackfield(&place).args(arguments).stdout(Stdio::null())).unwrap()
    };
    let (Some(short), Some(long)) = (peak("60"), peak("600")) else {
        println!("skipped: this system is not asked how much memory a program takes");
        return;
    };
    assert!(long < short + (8 << 20), "{short} bytes for a minute, {long} for ten");
}

#[test]
fn the_end_may_lie_within_a_block() {
    let wav = rendered(&Place::with("ramp"), "ramp", &["--seconds", "0.5003"]);
    assert_eq!(wav.frames(), 24_014); // 187 blocks and 78 frames
    let left = |n: usize| (n % 65_536) as f32 / 65_536.0;
    assert!(wav.channels[0].iter().enumerate().all(|(n, sample)| *sample == left(n)));
}

#[test]
fn the_least_time_is_one_frame() {
    let wav = rendered(&Place::with("dc"), "dc", &["--seconds", "0.0000001"]);
    assert_eq!(wav.channels, [[0.25], [-0.25]]);
}

#[test]
fn the_file_has_the_rate_of_the_project() {
    let place = Place::new();
    let mut project = fixtures::json("dc/dc.project.json");
    project["compiledProjectConfig"]["runtimeSettings"]["sampleRate"] = 44_100.into();
    place.write("dc.project.json", project.to_string());
    let wav = rendered(&place, "dc", &["--seconds", "1"]);
    assert_eq!((wav.sample_rate, wav.frames()), (44_100, 44_100));
}

#[test]
fn it_says_how_fast_it_was() {
    let place = Place::with("dc");
    let said = place.run(&["render", "dc.project.json", "--seconds", "2", "--out", "song.wav"]).good();
    assert!(said.starts_with("song.wav: 2.0 s in 0."), "{said}");
    assert!(said.ends_with(" times real time\n"), "{said}");
}

#[test]
fn a_directory_stands_for_the_project_in_it() {
    let place = Place::with("dc");
    place.run(&["render", ".", "--seconds", "0.1", "--out", "song.wav"]).good();
    assert_eq!(Wav::read(&place.file("song.wav")).frames(), 4_800);
}

#[test]
fn an_existing_file_is_replaced_by_the_complete_one() {
    let place = Place::with("dc");
    place.write("song.wav", "an older song");
    rendered(&place, "dc", &["--seconds", "0.1"]);
    assert_eq!(place.names(), ["dc.project.json", "song.wav"]);
}

#[test]
fn an_existing_file_stays_when_there_is_nothing_to_take_its_place() {
    let place = Place::with("dc");
    place.write("song.wav", "an older song");
    fs::create_dir(place.file("song.wav.part")).unwrap(); // in the way of the new one
    let done = place.run(&["render", "dc.project.json", "--seconds", "0.1", "--out", "song.wav"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert_eq!(fs::read_to_string(place.file("song.wav")).unwrap(), "an older song");
}

#[cfg(unix)]
#[test]
fn a_link_stays_one() {
    let place = Place::with("dc");
    place.write("real.wav", "an older song");
    std::os::unix::fs::symlink("real.wav", place.file("song.wav")).unwrap();
    rendered(&place, "dc", &["--seconds", "0.1"]);
    assert!(place.file("song.wav").is_symlink());
    assert_eq!(Wav::read(&place.file("real.wav")).frames(), 4_800);
}

#[cfg(unix)]
#[test]
fn what_is_no_ordinary_file_is_not_replaced() {
    let place = Place::with("dc");
    let _listening = std::os::unix::net::UnixListener::bind(place.file("socket")).unwrap();
    let done = place.run(&["render", "dc.project.json", "--seconds", "0.1", "--out", "socket"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.starts_with("jackfield: socket: cannot be written: "), "{done:?}");
    assert!(std::os::unix::net::UnixStream::connect(place.file("socket")).is_ok());
    assert_eq!(place.names(), ["dc.project.json", "socket"]);
}

/// It broke, said so, and left a whole file.
#[track_caller]
fn broke(done: &Done, message: &str) {
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
    assert_eq!(done.stderr, format!("jackfield: {message}\n"));
}

#[test]
fn a_program_that_breaks_leaves_a_whole_file_that_is_silent_from_there() {
    let place = Place::with("trap-later");
    let done = place.run(&["render", "trap-later.project.json", "--seconds", "1", "--out", "song.wav"]);
    broke(
        &done,
        "trap-later.project.json: the program broke at 0.683 s: `buffer` ended early: a float that is not a number \
         or out of range was made an integer; song.wav is silent from there",
    );
    let wav = Wav::read(&place.file("song.wav"));
    assert_eq!(wav.frames(), 48_000);
    let trap = &fixtures::expected("trap-later")["trap"];
    let frames = 256 * 128;
    assert_eq!(trap["completedBuffers"], 256);
    for (samples, sha256) in wav.channels.iter().zip(trap["allOutputSha256"].as_array().unwrap()) {
        assert_eq!(fixtures::sha256_of_samples(&samples[..frames]), *sha256);
        assert!(samples[frames..].iter().all(|sample| *sample == 0.0));
    }
}

#[test]
fn a_program_that_does_not_return_is_ended() {
    let place = Place::new();
    let project = fixtures::path("wat/late-runaway.project.json");
    fs::copy(project, place.file("late.project.json")).unwrap();
    let done = place.run(&["render", "late.project.json", "--seconds", "1", "--out", "song.wav"]);
    broke(
        &done,
        "late.project.json: the program broke at 0.171 s: `buffer` ended early: it took too long and was \
         interrupted; song.wav is silent from there",
    );
    let wav = Wav::read(&place.file("song.wav"));
    assert_eq!(wav.frames(), 48_000);
    for samples in &wav.channels {
        assert!(samples[..64 * 128].iter().all(|sample| *sample == 0.125));
        assert!(samples[64 * 128..].iter().all(|sample| *sample == 0.0));
    }
}

// E.2: what a device would be asked for is in the file.
#[test]
fn a_file_has_as_many_channels_as_the_program_is_routed_to() {
    let place = Place::with("dc");
    let mut project = fixtures::json("dc/dc.project.json");
    let routes =
        project["compiledProjectConfig"]["runtimeSettings"]["audioOutputBuffers"].as_array_mut().unwrap();
    routes.push(serde_json::json!({ "memoryId": "speakers.left", "channel": 3, "output": 0 }));
    routes.push(serde_json::json!({ "memoryId": "speakers.left", "channel": 0, "output": 1 }));
    place.write("dc.project.json", project.to_string());
    let arguments = ["render", "dc.project.json", "--out", "song.wav", "--seconds", "0.01"];
    let done = place.run(&arguments);
    let wav = Wav::read(&place.file("song.wav"));
    let expected = [vec![0.25; 480], vec![-0.25; 480], vec![0.0; 480], vec![0.25; 480]];
    assert_eq!(wav.channels, expected);
    assert!(
        done.stderr.contains("there is no output 1, only output 0; the route is left out"),
        "{}",
        done.stderr
    );
}
