use std::sync::Arc;

use crate::{
    binary::{Contract, ContractError, Generation, Malformed, Outline, always_ends, unshared},
    memory::MemoryMap,
    program::{
        cache::CodeCache,
        export::{Call, CallError, Export, Exports},
        limits::Limits,
        machine,
    },
    project::{Asset, Project},
};

/// A project's code, checked and compiled. Cheap to clone; all clones share the machine code.
///
/// [`instantiate`](Self::instantiate) makes a running copy; one program serves any number of them, each with a memory
/// of its own.
#[derive(Clone)]
pub struct Program(Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) name: String,
    pub(crate) engine: wasmtime::Engine,
    pub(crate) module: wasmtime::Module,
    pub(crate) contract: Contract,
    pub(crate) exports: Exports,
    pub(crate) always_ends: bool,
    pub(crate) map: Arc<MemoryMap>,
    pub(crate) snapshot: Option<Arc<[u8]>>,
    pub(crate) assets: Vec<Asset>,
    pub(crate) limits: Limits,
}

/// A project's binary cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// Not WebAssembly, or cut off. The author must compile again.
    #[error("program `{name}` is not WebAssembly, at byte {offset}: {message}; compile it again")]
    NotWasm {
        /// The project.
        name: String,
        /// The byte at which reading ended.
        offset: usize,
        /// What was expected there.
        message: String,
    },
    /// WebAssembly, but made for another host.
    #[error("program `{name}` cannot be played: it {difference}")]
    OtherContract {
        /// The project.
        name: String,
        /// What differs.
        difference: ContractError,
    },
    /// It wants more memory than it is given. Raise the limit, or make the program smaller.
    #[error(
        "program `{name}` asks for {bytes} bytes of memory, but the limit is {limit}; raise the limit, or lower the \
         project's `memorySizeBytes` and compile again"
    )]
    TooMuchMemory {
        /// The project.
        name: String,
        /// What it asks for at the start, for all its memories together.
        bytes: u64,
        /// What it may have.
        limit: u64,
    },
    /// The frame is right, the code is not. The author must compile again.
    #[error("program `{name}` is not valid WebAssembly: {message}; compile it again")]
    Invalid {
        /// The project.
        name: String,
        /// What the compiler says, with the place.
        message: String,
    },
    /// This machine cannot run programs at all.
    #[error("programs cannot be compiled on this machine: {message}")]
    Machine {
        /// What is missing.
        message: String,
    },
}

/// Makes programs of projects. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Compiler {
    limits: Limits,
    cache: Option<CodeCache>,
}

impl Compiler {
    /// A compiler of programs that may take so much, which keeps nothing.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, cache: None }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same, keeping what it compiles in `cache`, if there is one, and taking from there what was compiled before.
    #[must_use]
    pub fn with_cache(self, cache: impl Into<Option<CodeCache>>) -> Self {
        Self { cache: cache.into(), ..self }
    }

    /// Checks a project's binary and compiles it. Costs roughly a millisecond per kilobyte of code, on all cores, or a
    /// tenth of a millisecond if it is in the cache; blocks meanwhile.
    ///
    /// # Errors
    /// When the binary is not a program, or asks for more than the limits give.
    pub fn compile(&self, project: &Project) -> Result<Program, ProgramError> {
        let limits = &self.limits;
        let name = || project.name.clone();
        let not_wasm =
            |Malformed { offset, message }| ProgramError::NotWasm { name: name(), offset, message };
        let outline = Outline::read(&project.wasm).map_err(not_wasm)?;
        let contract = Contract::of(outline)
            .map_err(|difference| ProgramError::OtherContract { name: name(), difference })?;
        let (bytes, limit) = (contract.memory_bytes(), limits.max_memory_bytes);
        if bytes > limit {
            return Err(ProgramError::TooMuchMemory { name: name(), bytes, limit });
        }
        let wasm = unshared(&project.wasm).map_err(not_wasm)?;
        let always_ends = always_ends(&wasm);
        let engine = machine::engine(!always_ends, self.cache.as_ref())
            .map_err(|error| ProgramError::Machine { message: format!("{error:#}") })?;
        let module = wasmtime::Module::new(&engine, &wasm)
            .map_err(|error| ProgramError::Invalid { name: name(), message: format!("{error:#}") })?;
        let exports = Exports::compile(&engine, &contract)
            .map_err(|error| ProgramError::Machine { message: format!("{error:#}") })?;
        Ok(Program(Arc::new(Compiled {
            name: name(),
            engine,
            module,
            contract,
            exports,
            always_ends,
            map: Arc::clone(&project.map),
            snapshot: project.snapshot.clone(),
            assets: project.assets.clone(),
            limits: *limits,
        })))
    }
}

impl Program {
    /// Compiles a project, and keeps the code nowhere: [`Compiler::compile`].
    ///
    /// # Errors
    /// When the binary is not a program, or asks for more than `limits` gives.
    pub fn compile(project: &Project, limits: &Limits) -> Result<Self, ProgramError> {
        Compiler::new(*limits).compile(project)
    }

    /// The project's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Which variable lies where.
    pub fn map(&self) -> &Arc<MemoryMap> {
        &self.0.map
    }

    /// Which of the two contracts the program follows.
    pub fn generation(&self) -> Generation {
        self.0.contract.generation
    }

    /// Whether it has a `buffer` function; in the newest generation it may do without.
    pub fn has_buffer(&self) -> bool {
        self.0.contract.has_buffer
    }

    /// Whether its code shows that every call ends, within a tenth of a second or so. If it does not, calls are made so that
    /// they can be interrupted, which makes them slower.
    pub fn always_ends(&self) -> bool {
        self.0.always_ends
    }

    /// The names of its regions, by the numbers of their memories from 1 on: [`Memories`](crate::Memories).
    pub fn regions(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.contract.regions.iter().map(|memory| memory.name.as_str())
    }

    /// The memory each instance starts with, in bytes, its regions included.
    pub fn memory_bytes(&self) -> u64 {
        self.0.contract.memory_bytes()
    }

    /// The exported functions that can be called: all but those that the engine calls itself, and those that take or
    /// give something else than numbers. With their types, as `(i32, f32) -> ()`.
    pub fn exports(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.exports.all()
    }

    /// The exported function of this name.
    ///
    /// # Errors
    /// When there is none that can be called.
    pub fn export(&self, name: &str) -> Result<Export, CallError> {
        self.0.exports.find(name, &self.0.contract)
    }

    /// A call of an exported function, such as a handler of notes or controllers, checked and ready to be made.
    ///
    /// # Errors
    /// When there is no such function, or it takes other arguments.
    pub fn call(&self, name: &str, arguments: &[f64]) -> Result<Call, CallError> {
        self.0.exports.call(name, arguments, &self.0.contract)
    }

    /// Sets up the calling thread, so that its first call into a program costs no more than any other. To be called
    /// once by a thread that is about to become a realtime one; it may allocate.
    pub fn prepare_thread() {
        wasmtime::Engine::tls_eager_initialize();
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.0
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Compiled { name, contract, limits, .. } = self.compiled();
        f.debug_struct("Program")
            .field("name", name)
            .field("contract", contract)
            .field("limits", limits)
            .finish()
    }
}
