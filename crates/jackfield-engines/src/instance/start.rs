use wasmtime::{Extern, Memory, MemoryType, Store};

use crate::{
    binary::ImportedMemory,
    instance::{
        run::{Bound, Callable, Instance, State},
        trap::Trap,
    },
    program::{Exports, Program, Room},
};

/// What an instance starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// The project's snapshot, if it has one; otherwise the program's initial values. The rule for playing. A snapshot is
    /// one of the program's own memory: its regions have their initial values all the same.
    Snapshot,
    /// The program's initial values, snapshot or not.
    Init,
}

/// An instance could not be made or started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no room for it. Fewer instances, or smaller ones, may help.
    #[error("no instance of program `{program}` can be made: {message}; end other instances, or free memory")]
    NoRoom {
        /// The program.
        program: String,
        /// What the machine says.
        message: String,
    },
    /// Storing the initial values ended early. The author must mend the program.
    #[error("program `{program}` fails while it starts; mend its initial values, and compile it again")]
    Trapped {
        /// The program.
        program: String,
        /// What happened.
        source: Trap,
    },
}

impl Program {
    /// A running copy: from the project's snapshot if it has one, from the program's initial values otherwise.
    /// Costs microseconds, plus touching the memory. A program whose `init` never returns makes this never return
    /// either; [`blank`](Self::blank) is the way to hold an interrupt beforehand.
    ///
    /// # Errors
    /// When there is no room for it, or its `init` traps.
    pub fn instantiate(&self) -> Result<Instance, StartError> {
        self.instantiate_from(Start::Snapshot)
    }

    /// A running copy, started as told.
    ///
    /// # Errors
    /// When there is no room for it, or its `init` traps.
    pub fn instantiate_from(&self, start: Start) -> Result<Instance, StartError> {
        let mut instance = self.blank()?;
        instance.start(start)?;
        Ok(instance)
    }

    /// A copy whose memories are zero. To be started with [`Instance::start`] before anything else.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn blank(&self) -> Result<Instance, StartError> {
        self.bound().and_then(|bound| Instance::new(self.clone(), bound)).map_err(|error| {
            StartError::NoRoom { program: self.name().to_owned(), message: format!("{error:#}") }
        })
    }

    fn bound(&self) -> wasmtime::Result<Bound> {
        let compiled = self.compiled();
        let contract = &compiled.contract;
        let mut store = State::store(&compiled.engine, Room::of(&compiled.limits));
        let memory = made(&mut store, &contract.memory)?;
        let regions = contract.regions.iter().map(|region| made(&mut store, region));
        let regions: Box<[Memory]> = regions.collect::<wasmtime::Result<_>>()?;
        // In the order in which the binary wants them, which need not be that of their numbers.
        let wanted = [&contract.memory].into_iter().chain(&contract.regions).map(|memory| memory.import);
        let mut imports: Vec<_> = wanted.zip([&memory].into_iter().chain(&regions)).collect();
        imports.sort_unstable_by_key(|(import, _)| *import);
        let imports: Vec<_> = imports.into_iter().map(|(_, memory)| Extern::Memory(*memory)).collect();
        let instance = wasmtime::Instance::new(&mut store, &compiled.module, &imports)?;
        let exports = callable(&mut store, &instance, &compiled.exports)?;
        Ok(Bound { store, memory, regions, instance, exports })
    }
}

/// A memory such as the binary imports.
fn made(store: &mut Store<State>, memory: &ImportedMemory) -> wasmtime::Result<Memory> {
    // Compiling has checked that both fit.
    let pages = u32::try_from(memory.pages())?;
    let maximum = memory.maximum().map(u32::try_from).transpose()?;
    Memory::new(store, MemoryType::new(pages, maximum))
}

/// The exported functions of an instance, each with what calls it.
fn callable(
    store: &mut Store<State>,
    instance: &wasmtime::Instance,
    exports: &Exports,
) -> wasmtime::Result<Vec<Callable>> {
    let Some((module, exports)) = exports.adapter() else { return Ok(Vec::new()) };
    let exports: Vec<(&str, usize)> = exports.collect();
    // What was compiled is there: whatever is missing here is so for the machine's own reasons.
    let missing = |what: &str| wasmtime::Error::msg(format!("`{what}` is missing"));
    let mut functions = Vec::new();
    for (name, _) in &exports {
        functions.push(Extern::Func(instance.get_func(&mut *store, name).ok_or_else(|| missing(name))?));
    }
    let adapter = wasmtime::Instance::new(&mut *store, module, &functions)?;
    let mut callable = Vec::new();
    for (n, (name, parameters)) in exports.into_iter().enumerate() {
        let function = adapter.get_typed_func(&mut *store, &n.to_string())?;
        let argument = |m| adapter.get_global(&mut *store, &format!("{n}.{m}")).ok_or_else(|| missing(name));
        let arguments = (0..parameters).map(argument).collect::<wasmtime::Result<_>>()?;
        callable.push(Callable { function, arguments });
    }
    Ok(callable)
}

impl Instance {
    /// Fills the memories of a [`blank`](Program::blank) copy. On one that has run already, a snapshot is laid over
    /// its memory, and `init` stores what is not zero. The project's assets are laid over either.
    ///
    /// # Errors
    /// When `init` traps or is interrupted.
    pub fn start(&mut self, start: Start) -> Result<(), StartError> {
        let program = self.program().clone();
        let snapshot = program.compiled().snapshot.as_ref().filter(|_| start == Start::Snapshot);
        if snapshot.is_none() || program.regions().len() > 0 {
            let name = || program.name().to_owned();
            self.init().map_err(|source| StartError::Trapped { program: name(), source })?;
        }
        if let Some(snapshot) = snapshot {
            // Reading the project has checked that it fits, and a memory never shrinks.
            let length = snapshot.len().min(self.memory().len());
            self.memory_mut()[..length].copy_from_slice(&snapshot[..length]);
        }
        program.compiled().assets.iter().for_each(|asset| asset.write(self));
        Ok(())
    }
}
