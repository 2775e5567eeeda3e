//! Programs as they are played: the code itself, what is around it, and what it takes to begin and to change.

mod node;
mod starting;
mod switching;

use std::{path::PathBuf, sync::Arc};

use jackfield_engines::{
    AudioSettings, BLOCK_FRAMES, Block, BlockRunner, Carry, Console, Instance, Limits, Offline, Processor,
    Program, Project, Start, Swap, SwapSender, Voice,
};

use crate::{
    alloc,
    measure::{Contender, interleaved},
    table::{Goal, Group, Planned, Unit},
};

pub(crate) fn run(group: &mut Group) {
    around_a_block(group);
    code(group);
    rendering(group);
    swapping(group);
    switching::run(group);
    starting::run(group);
    memory(group);
}

/// A project of our own.
pub(super) fn project(name: &str) -> Arc<Project> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../fixtures/8f4e/{name}/{name}.project.json"));
    Arc::new(Project::load(path).expect("a project of our own"))
}

fn instance(project: &Project) -> Instance {
    let program = Program::compile(project, &Limits::default()).expect("it compiles");
    Program::prepare_thread();
    program.instantiate_from(Start::Init).expect("it starts")
}

fn runner(project: &Project) -> BlockRunner {
    let settings = AudioSettings::read(project.config.selected().expect("settings")).expect("audio");
    BlockRunner::new(instance(project), settings.routes(&project.map).0)
}

/// Plays as the audio engine has it played: with knobs, gauges and calls, and a tape.
fn processor(project: &Project, console: &Console) -> (Processor, SwapSender) {
    let runner = runner(project);
    let (controls, _) = console.connect(runner.instance().program());
    let (voice, _monitor) = Voice::new(runner, controls);
    let (processor, _, swaps) = Processor::new(voice, 0, console.take_writer());
    (processor, swaps)
}

/// What the host adds to a block: all that is played of `dc`, less the program itself.
fn around_a_block(group: &mut Group) {
    let (project, console) = (project("dc"), Console::new());
    let (mut processor, _swaps) = processor(&project, &console);
    let mut alone = instance(&project);
    let mut empty = Empty::new();
    let mut output = [0.0; 2 * BLOCK_FRAMES];
    let mut copied = [[0.0_f32; BLOCK_FRAMES]; 2];
    let samples = interleaved(
        &mut [
            Contender::each("Jackfield", || processor.process(&[], &mut output)),
            Contender::each("the program", || alone.buffer().expect("it plays")),
            Contender::each("a call and a copy of 1 KB", || {
                empty.call();
                empty.copy(&mut copied);
                copied[1][BLOCK_FRAMES - 1]
            }),
        ],
        group.effort(),
    );
    let cost = samples.spread(0).median - samples.spread(1).median;
    let floor = samples.spread(2).median;
    group.figure(
        "host cost around one block of 128 frames",
        Unit::Nanos,
        cost,
        Some(floor),
        Goal::AtMost(300.0),
    );
    group.note("\"host cost\": a block of `dc` through the audio thread's half of the engine, with its tape and controls, \
                less the same program called alone. The floor is a call of an empty function and a copy of both channels.");
}

/// The least: a typed call of a function that does nothing, and its memory.
struct Empty {
    store: wasmtime::Store<()>,
    call: wasmtime::TypedFunc<(), ()>,
    memory: wasmtime::Memory,
}

impl Empty {
    fn new() -> Self {
        let engine = wasmtime::Engine::default();
        let module = r#"(module (memory (export "m") 1) (func (export "f")))"#;
        let module = wasmtime::Module::new(&engine, wat::parse_str(module).expect("text")).expect("a module");
        let mut store = wasmtime::Store::new(&engine, ());
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).expect("an instance");
        let call = instance.get_typed_func(&mut store, "f").expect("a function");
        let memory = instance.get_memory(&mut store, "m").expect("a memory");
        Self { store, call, memory }
    }

    fn call(&mut self) {
        self.call.call(&mut self.store, ()).expect("it returns");
    }

    fn copy(&self, channels: &mut [Block; 2]) {
        let memory = self.memory.data(&self.store);
        for (number, channel) in channels.iter_mut().enumerate() {
            let bytes = &memory[number * 512..][..512];
            for (sample, bytes) in channel.iter_mut().zip(bytes.as_chunks().0) {
                *sample = f32::from_le_bytes(*bytes);
            }
        }
    }
}

/// The programs themselves, beside the same WebAssembly in V8.
fn code(group: &mut Group) {
    let node = node::Node::start();
    for name in ["first-light", "heavy", "echo", "dc"] {
        let project = project(name);
        let mut ours = instance(&project);
        let mut bare = starting::Bare::compile(&project).start();
        let mut interruptible = starting::Bare::interruptible(&project).start();
        let row = Planned::new(
            format!("the program itself, a block of `{name}`"),
            Unit::Micros,
            Contender::each("Jackfield", move || ours.buffer().expect("it plays")),
        );
        let bare = Contender::each("wasmtime as it comes", move || bare.buffer());
        let interruptible = Contender::each("made to be interrupted", move || interruptible.buffer());
        // V8 stands where the floor does elsewhere: that is what the goal is compared with.
        let has_goal = ["first-light", "heavy"].contains(&name);
        let row = match &node {
            Some(node) => {
                let row = if has_goal { row.goal(Goal::Ratio(1.0)) } else { row };
                row.floor(node.blocks(&project_wasm(name)))
            }
            None => row,
        };
        group.measure(row.peers([bare, interruptible]));
    }
    match node {
        Some(node) => group.note(format!(
            "\"the program itself\": the floor is the same program in V8, {}; nothing there can end a runaway.",
            node.version()
        )),
        None => group.note("\"the program itself\": there is no `node` here, so there is nothing to compare with."),
    }
}

fn project_wasm(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/8f4e/{name}/{name}.wasm"))
}

fn rendering(group: &mut Group) {
    for (name, goal) in [("heavy", Goal::AtLeast(40.0)), ("first-light", Goal::None)] {
        let project = project(name);
        let settings = AudioSettings::read(project.config.selected().expect("settings")).expect("audio");
        let mut offline = Offline::new(instance(&project), settings.routes(&project.map).0);
        let mut output = [[0.0; BLOCK_FRAMES]; 2];
        let mut block = [Contender::each("Jackfield", || offline.render_block(&[], &mut output))];
        let taken = interleaved(&mut block, group.effort()).spread(0).median;
        let lasts = BLOCK_FRAMES as f64 / f64::from(settings.sample_rate) * 1e9;
        group.figure(
            format!("offline render of `{name}`, times real time"),
            Unit::Times,
            lasts / taken,
            None,
            goal,
        );
    }
}

/// Frames of a device block when programs are swapped.
const SMALL: usize = 64;

/// A swap every hundred device blocks, as the audio thread meets it: a cut, and a fade of 20 ms.
fn swapping(group: &mut Group) {
    for (name, fade) in [("a cut", 0), ("a fade of 20 ms", 960)] {
        let project = project("ramp");
        let console = Console::new();
        let (mut processor, mut swaps) = processor(&project, &console);
        let (mut dropped, mut allocations) = (0_u64, 0);
        let mut output = [0.0_f32; 2 * SMALL];
        // The left channel counts frames modulo 65,536, in parts of it; a fade of equals is louder, but goes on counting.
        let mut expected = 0_u32;
        let rounds = group.scale(20, 200);
        for _ in 0..rounds {
            let runner = runner(&project);
            let (controls, _) = console.connect(runner.instance().program());
            let carry = Carry::between(&project.map, &project.map, |_| false);
            let (voice, _monitor) = Voice::new(runner, controls);
            assert!(swaps.send(Box::new(Swap::new(voice, carry, fade))).is_ok(), "there is room");
            let mut swapped = None;
            for block in 0..100 {
                let ((), allocated) = alloc::during(|| processor.process(&[], &mut output));
                allocations += allocated.times;
                // In the midst of a fade two programs are heard; the last forty blocks of a hundred are past it.
                let is_known = fade == 0 || block >= 60;
                for frame in output.chunks_exact(2) {
                    dropped += u64::from(is_known && frame[0] != expected as f32 / 65_536.0);
                    expected = (expected + 1) % 65_536;
                }
                swapped = swapped.or_else(|| swaps.take_back());
            }
            assert!(swapped.is_some(), "it was made");
        }
        group.figure(
            format!("{name} between two programs, device blocks of 64 frames: frames dropped"),
            Unit::Frames,
            dropped as f64,
            None,
            Goal::AtMost(0.0),
        );
        group.figure(
            format!("{name} between two programs: allocations on the audio thread"),
            Unit::Allocations,
            allocations as f64,
            None,
            Goal::AtMost(0.0),
        );
    }
}

/// What a session with an engine takes, besides the program's own memory, which is mapped.
fn memory(group: &mut Group) {
    let project = project("first-light");
    let program = Program::compile(&project, &Limits::default()).expect("it compiles");
    let settings = AudioSettings::read(project.config.selected().expect("settings")).expect("audio");
    let (_kept, console) = alloc::during(Console::new);
    group.figure(
        "bytes of a console, with its tape of 262,144 frames",
        Unit::Bytes,
        console.kept as f64,
        None,
        Goal::None,
    );
    let console = Console::new();
    let (_kept, engine) = alloc::during(|| {
        let instance = program.instantiate_from(Start::Init).expect("it starts");
        let runner = BlockRunner::new(instance, settings.routes(&project.map).0);
        let (controls, _) = console.connect(runner.instance().program());
        let (voice, monitor) = Voice::new(runner, controls);
        (Processor::new(voice, 0, console.take_writer()), monitor)
    });
    group.figure(
        "bytes of an audio engine's running half",
        Unit::Bytes,
        engine.kept as f64,
        None,
        Goal::None,
    );
}
