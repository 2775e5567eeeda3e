use std::collections::{HashMap, HashSet};

use crate::binary::outline::{Export, ImportKind, ImportedMemory, OWN_MEMORY, Outline, Signature};

/// Which of the two contracts a program follows. The binary does not say; the module it imports its memory from does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// Imports `js.memory`, exports `init`, `cycle` and `buffer`. In force until 2026-05-29.
    Seed,
    /// Imports `host.memory`, and `host.<name>` for each of its regions; exports `initDefaults`, `main` and, if it likes,
    /// `buffer`.
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

/// The most memories that a program may import. Each takes four gigabytes of addresses, however small it is.
const MOST_MEMORIES: usize = 32;

/// What a binary that can be played imports and exports.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) generation: Generation,
    pub(crate) memory: ImportedMemory,
    /// By the numbers of their memories, from 1 on.
    pub(crate) regions: Vec<ImportedMemory>,
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
    /// A memory is imported under a name that neither generation uses.
    #[error(
        "imports its memory as `{module}.{name}`; it must be `js.memory` or, in the newest generation, `host.memory`"
    )]
    OtherMemory {
        /// The module it is imported from.
        module: String,
        /// Its name.
        name: String,
    },
    /// It has memories that it does not import: the host could not reach what lies in them.
    #[error("has memories that it does not import: {count} of them; a program imports all of its memory")]
    HiddenMemory {
        /// How many there are.
        count: u32,
    },
    /// It is a program of the seed, which knows no regions, and imports another memory.
    #[error(
        "imports `{module}.{name}` besides `js.memory`; only a program of the newest generation has regions, and \
         imports `host.memory`"
    )]
    RegionOfSeed {
        /// The module it is imported from.
        module: String,
        /// Its name.
        name: String,
    },
    /// It has regions, but no memory of its own.
    #[error("imports region `host.{name}`, but no `host.memory`; a program with regions imports both")]
    RegionAlone {
        /// The region.
        name: String,
    },
    /// It imports a region from elsewhere than all else.
    #[error("imports a memory as `{module}.{name}`; all of a program's regions are imported from `host`")]
    ForeignRegion {
        /// The module it is imported from.
        module: String,
        /// Its name.
        name: String,
    },
    /// It imports a memory twice: what is written to the one would be expected in the other.
    #[error("imports `{module}.{name}` twice; each memory is imported once")]
    SameMemory {
        /// The module it is imported from.
        module: String,
        /// Its name.
        name: String,
    },
    /// It has more regions than can be given to it.
    #[error("imports {count} memories; a program may have {most}, its own and its regions")]
    TooManyMemories {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
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
        let foreign = outline.imports.iter().find_map(|import| match import.kind {
            ImportKind::Other(kind) => Some((kind, import.module.clone(), import.name.clone())),
            ImportKind::Memory(_) => None,
        });
        if let Some((kind, module, name)) = foreign {
            return Err(ContractError::ForeignImport { kind, module, name });
        }
        let mut regions = outline.memories();
        if regions.is_empty() {
            return Err(ContractError::NoMemory);
        }
        let memory = regions.remove(0);
        let generation = generation(&memory)?;
        check(&regions, &memory, generation)?;
        if outline.hidden_memories > 0 {
            return Err(ContractError::HiddenMemory { count: outline.hidden_memories });
        }
        let is_unusual = |memory: &ImportedMemory| memory.ty.memory64 || memory.ty.page_size_log2.is_some();
        if is_unusual(&memory) || regions.iter().any(is_unusual) {
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
        Ok(Self { generation, memory, regions, has_buffer, functions })
    }

    /// The size that all memories together start with, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.regions.iter().map(ImportedMemory::bytes).fold(self.memory.bytes(), u64::saturating_add)
    }
}

/// The generation of a program that imports its own memory as this.
fn generation(ImportedMemory { module, name, .. }: &ImportedMemory) -> Result<Generation, ContractError> {
    let (module, name) = (module.clone(), name.clone());
    let newest = Generation::Newest.memory_module();
    match name == OWN_MEMORY {
        true if module == Generation::Seed.memory_module() => Ok(Generation::Seed),
        true if module == newest => Ok(Generation::Newest),
        false if module == newest => Err(ContractError::RegionAlone { name }),
        _ => Err(ContractError::OtherMemory { module, name }),
    }
}

/// Whether a program of this generation can have these regions besides its own memory.
fn check(
    regions: &[ImportedMemory],
    own: &ImportedMemory,
    generation: Generation,
) -> Result<(), ContractError> {
    let mut seen = HashSet::from([(&own.module, &own.name)]);
    for ImportedMemory { module, name, .. } in regions {
        let is_new = seen.insert((module, name));
        let (module, name) = (module.clone(), name.clone());
        if !is_new {
            return Err(ContractError::SameMemory { module, name });
        }
        if generation == Generation::Seed {
            return Err(ContractError::RegionOfSeed { module, name });
        }
        if module != generation.memory_module() {
            return Err(ContractError::ForeignRegion { module, name });
        }
    }
    match regions.len() + 1 {
        count if count > MOST_MEMORIES => Err(ContractError::TooManyMemories { count, most: MOST_MEMORIES }),
        _ => Ok(()),
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
