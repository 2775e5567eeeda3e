use std::collections::HashMap;

use crate::binary::outline::{Export, Import, ImportKind, Outline, PAGE_BYTES, Signature};

/// Which of the two contracts a program follows. The binary does not say; the module it imports its memory from does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// Imports `js.memory`, exports `init`, `cycle` and `buffer`. In force until 2026-05-29.
    Seed,
    /// Imports `host.memory`, exports `initDefaults`, `main` and, if it likes, `buffer`.
    Newest,
}

impl Generation {
    /// The function that stores the initial values.
    pub const fn init(self) -> &'static str {
        match self {
            Self::Seed => "init",
            Self::Newest => "initDefaults",
        }
    }

    /// The function that runs one tick.
    pub const fn cycle(self) -> &'static str {
        match self {
            Self::Seed => "cycle",
            Self::Newest => "main",
        }
    }

    /// For messages.
    const fn required(self) -> &'static str {
        match self {
            Self::Seed => "`init`, `cycle` and `buffer`",
            Self::Newest => "`initDefaults` and `main`",
        }
    }

    const fn memory_module(self) -> &'static str {
        match self {
            Self::Seed => "js",
            Self::Newest => "host",
        }
    }
}

/// The function that runs 128 ticks, in both generations.
pub(crate) const BUFFER: &str = "buffer";

/// What a binary that can be played imports and exports.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) generation: Generation,
    pub(crate) memory_pages: u64,
    pub(crate) memory_maximum: Option<u64>,
    pub(crate) has_buffer: bool,
    pub(crate) functions: HashMap<String, Signature>,
}

/// A binary is WebAssembly, but not a program that can be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// It wants something from the host that no host gives.
    #[error("imports {kind} `{module}.{name}`; a program may import only its memory")]
    ForeignImport {
        /// What it is: function, table, global or tag.
        kind: &'static str,
        /// The module it is imported from.
        module: String,
        /// Its name.
        name: String,
    },
    /// It has no memory to share with the host.
    #[error("imports no memory; a program imports `js.memory` or, in the newest generation, `host.memory`")]
    NoMemory,
    /// The memory is imported under a name that neither generation uses.
    #[error(
        "imports its memory as `{module}.{name}`; it must be `js.memory` or, in the newest generation, `host.memory`"
    )]
    OtherMemory {
        /// The module it is imported from.
        module: String,
        /// Its name.
        name: String,
    },
    /// It uses several memories, of its own or imported.
    #[error("has {count} memories; a program has one, which it imports")]
    SeveralMemories {
        /// How many there are.
        count: u64,
    },
    /// Its memory is 64-bit, or has pages of another size.
    #[error(
        "imports a memory with 64-bit addresses or pages of another size; a program's memory is an ordinary one"
    )]
    UnusualMemory,
    /// A function that every program of its generation has is not there.
    #[error("exports no function `{name}`; a program that imports `{}.memory` exports {}", generation.memory_module(),
        generation.required())]
    MissingExport {
        /// The function.
        name: &'static str,
        /// The generation, as told by the memory import.
        generation: Generation,
    },
    /// A function is there, but takes or gives something.
    #[error("exports `{name}` as {signature}; it must be () -> ()")]
    WrongSignature {
        /// The function.
        name: &'static str,
        /// Its type.
        signature: String,
    },
    /// It would run code before anybody could end it.
    #[error("has a start function; a program does its start-up work in `init` or `initDefaults`")]
    HasStart,
}

impl Contract {
    /// Whether `outline` is that of a program, and which.
    pub(crate) fn of(outline: Outline) -> Result<Self, ContractError> {
        let mut memories = Vec::new();
        for Import { module, name, kind } in outline.imports {
            match kind {
                ImportKind::Other(kind) => return Err(ContractError::ForeignImport { kind, module, name }),
                ImportKind::Memory(memory) => memories.push((module, name, memory)),
            }
        }
        let count = memories.len() as u64 + u64::from(outline.own_memories);
        let (module, name, memory) = match (memories.pop(), count) {
            (None, _) => return Err(ContractError::NoMemory),
            (Some(memory), 1) => memory,
            (Some(_), count) => return Err(ContractError::SeveralMemories { count }),
        };
        let generation = match [Generation::Seed, Generation::Newest].map(|g| (g, g.memory_module())) {
            [(seed, js), _] if module == js && name == "memory" => seed,
            [_, (newest, host)] if module == host && name == "memory" => newest,
            _ => return Err(ContractError::OtherMemory { module, name }),
        };
        if memory.memory64 || memory.page_size_log2.is_some() {
            return Err(ContractError::UnusualMemory);
        }
        if outline.has_start {
            return Err(ContractError::HasStart);
        }
        let functions = functions(outline.exports);
        require(&functions, generation.init(), generation)?;
        require(&functions, generation.cycle(), generation)?;
        let has_buffer = functions.contains_key(BUFFER);
        if has_buffer || generation == Generation::Seed {
            require(&functions, BUFFER, generation)?;
        }
        Ok(Self {
            generation,
            memory_pages: memory.initial,
            memory_maximum: memory.maximum,
            has_buffer,
            functions,
        })
    }

    /// The size the memory starts with, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_pages.saturating_mul(PAGE_BYTES)
    }
}

fn functions(exports: Vec<Export>) -> HashMap<String, Signature> {
    exports.into_iter().filter_map(|export| Some((export.name, export.signature?))).collect()
}

fn require(
    functions: &HashMap<String, Signature>,
    name: &'static str,
    generation: Generation,
) -> Result<(), ContractError> {
    let signature = functions.get(name).ok_or(ContractError::MissingExport { name, generation })?;
    if signature.parameters.is_empty() && signature.results.is_empty() {
        return Ok(());
    }
    Err(ContractError::WrongSignature { name, signature: signature.to_string() })
}
