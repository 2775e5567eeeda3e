//! What it takes until something plays.

use std::{path::Path, process::Command};

use jackfield_engines::{CodeCache, Compiler, Limits, Program, Project, Start};

use super::project;
use crate::{
    measure::{Contender, interleaved},
    table::{Goal, Group, Planned, Unit},
};

pub(super) fn run(group: &mut Group) {
    instantiating(group);
    compiling(group);
    whole_process(group);
}

/// The same program with as little around it as wasmtime allows.
pub(super) struct Bare {
    engine: wasmtime::Engine,
    module: wasmtime::Module,
}

pub(super) struct BareInstance {
    store: wasmtime::Store<()>,
    buffer: wasmtime::TypedFunc<(), ()>,
}

impl Bare {
    /// As wasmtime comes.
    pub(super) fn compile(project: &Project) -> Self {
        Self::with(project, &wasmtime::Config::new())
    }

    /// As Jackfield compiles programs of which nobody can see that they end.
    pub(super) fn interruptible(project: &Project) -> Self {
        let mut config = wasmtime::Config::new();
        config.compiler_inlining(wasmtime::Inlining::Yes).epoch_interruption(true);
        // SAFETY: the flag is a number that the compiler compares the sizes of functions with.
        #[expect(unsafe_code, reason = "there is no other way to set it")]
        unsafe {
            config.cranelift_flag_set("wasmtime_inlining_sum_size_threshold", "40000");
        }
        Self::with(project, &config)
    }

    fn with(project: &Project, config: &wasmtime::Config) -> Self {
        let engine = wasmtime::Engine::new(config).expect("an engine");
        let module = wasmtime::Module::new(&engine, unshared(&project.wasm)).expect("a module");
        Self { engine, module }
    }

    pub(super) fn start(&self) -> BareInstance {
        let mut store = wasmtime::Store::new(&self.engine, ());
        store.set_epoch_deadline(1);
        let import = self.module.imports().next().expect("a memory");
        let ty = import.ty().memory().expect("a memory").clone();
        let memory = wasmtime::Memory::new(&mut store, ty).expect("room");
        let instance =
            wasmtime::Instance::new(&mut store, &self.module, &[memory.into()]).expect("an instance");
        let init = instance.get_typed_func::<(), ()>(&mut store, "init").expect("`init`");
        init.call(&mut store, ()).expect("it starts");
        let buffer = instance.get_typed_func(&mut store, "buffer").expect("`buffer`");
        BareInstance { store, buffer }
    }
}

impl BareInstance {
    pub(super) fn buffer(&mut self) {
        self.buffer.call(&mut self.store, ()).expect("it plays");
    }
}

/// The flag of the shared memory, in the import of `js.memory`, cleared.
fn unshared(wasm: &[u8]) -> Vec<u8> {
    const IMPORT: &[u8] = b"\x02js\x06memory\x02";
    let mut wasm = wasm.to_vec();
    let at = wasm.windows(IMPORT.len()).position(|bytes| bytes == IMPORT).expect("an import of `js.memory`");
    wasm[at + IMPORT.len()] = 1;
    wasm
}

fn instantiating(group: &mut Group) {
    let project = project("dc");
    let program = Program::compile(&project, &Limits::default()).expect("it compiles");
    let bare = Bare::compile(&project);
    group.measure(
        Planned::new(
            "instantiate + first block of `dc`",
            Unit::Micros,
            Contender::each("Jackfield", move || {
                let mut instance = program.instantiate_from(Start::Init).expect("it starts");
                instance.buffer().expect("it plays");
                instance
            }),
        )
        .goal(Goal::Ratio(2.0))
        .floor(Contender::each("bare", move || {
            let mut instance = bare.start();
            instance.buffer();
            instance
        })),
    );
    group.note("\"instantiate\": the floor is wasmtime alone, called by hand; both map a memory of 1 MiB anew each time.");
}

fn compiling(group: &mut Group) {
    let folder = std::env::temp_dir().join(format!("jackfield-bench-{}", std::process::id()));
    let cache = CodeCache::in_directory(&folder).expect("a directory");
    for name in ["first-light", "heavy"] {
        let project = project(name);
        let (cold, warm) = (Compiler::default(), Compiler::default().with_cache(cache.clone()));
        warm.compile(&project).expect("it compiles");
        // What is written is written by a thread of the cache's own.
        while cache.hits_and_misses().0 == 0 {
            warm.compile(&project).expect("it compiles");
        }
        let samples = interleaved(
            &mut [
                Contender::each("cold", || cold.compile(&project).expect("it compiles")),
                Contender::each("warm", || warm.compile(&project).expect("it compiles")),
            ],
            group.effort(),
        );
        let figures = [(0, "compile"), (1, "take from the cache")];
        for (place, what) in figures {
            let median = samples.spread(place).median * 1e-6;
            group.figure(format!("{what} `{name}`"), Unit::Millis, median, None, Goal::None);
        }
    }
    // What is left over is only in the way of others.
    std::fs::remove_dir_all(&folder).ok();
}

/// From nothing to sound and back, as a person calls it.
fn whole_process(group: &mut Group) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let program = root.join("target/debug/jackfield");
    if !program.exists() {
        group.note("\"jackfield run\": skipped, because `target/debug/jackfield` is not there; `./dev run` builds it.");
        return;
    }
    let project = root.join("projects/first-light");
    let run = || {
        let ended =
            Command::new(&program).arg("run").arg(&project).args(["--silent", "--for", "1ms"]).output();
        assert!(ended.is_ok_and(|ended| ended.status.success()), "it plays");
    };
    run(); // and from now on what it needs is in its cache
    let samples = interleaved(&mut [Contender::each("Jackfield", run)], group.effort());
    group.figure(
        "`jackfield run` until it has played, with a warm cache, start and end of the process included",
        Unit::Millis,
        samples.spread(0).median * 1e-6,
        None,
        Goal::AtMost(150.0),
    );
}
