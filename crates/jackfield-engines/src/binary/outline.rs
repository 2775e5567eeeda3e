use wasmparser::{
    CompositeInnerType, ExternalKind, FuncType, Imports, MemoryType, Parser, Payload, TypeRef, ValType,
};

/// Bytes per page of WebAssembly memory.
pub(crate) const PAGE_BYTES: u64 = 65_536;

/// What the program's own memory is called, in either generation.
pub(super) const OWN_MEMORY: &str = "memory";

/// The outside of a binary: imports, exports, and what it has of its own that a program must not have.
///
/// Reading it checks the frame of the binary only; the code is validated when it is compiled.
#[derive(Debug)]
pub(crate) struct Outline {
    pub(super) imports: Vec<Import>,
    pub(super) exports: Vec<Export>,
    pub(super) hidden_memories: u32,
    pub(super) has_start: bool,
}

#[derive(Debug)]
pub(super) struct Import {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) kind: ImportKind,
}

#[derive(Debug)]
pub(super) enum ImportKind {
    Memory(MemoryType),
    Other(&'static str),
}

#[derive(Debug)]
pub(super) struct Export {
    pub(super) name: String,
    pub(super) signature: Option<Signature>,
}

/// A function's type. Written as `(i32, f32) -> ()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) parameters: Vec<ValType>,
    pub(crate) results: Vec<ValType>,
}

/// The bytes are not those of a WebAssembly module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The byte at which reading ended.
    pub(crate) offset: usize,
    /// What was expected there.
    pub(crate) message: String,
}

impl Outline {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut outline =
            Self { imports: Vec::new(), exports: Vec::new(), hidden_memories: 0, has_start: false };
        let mut types: Vec<Option<Signature>> = Vec::new();
        let mut functions: Vec<u32> = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { encoding: wasmparser::Encoding::Component, .. } => {
                    let message = "a WebAssembly component, not a module".to_owned();
                    return Err(Malformed { offset: 4, message });
                }
                Payload::TypeSection(section) => {
                    for group in section {
                        types.extend(group?.types().map(|ty| match &ty.composite_type.inner {
                            CompositeInnerType::Func(function) => Some(Signature::of(function)),
                            _ => None,
                        }));
                    }
                }
                Payload::ImportSection(section) => {
                    for group in section {
                        let Imports::Single(_, import) = group? else {
                            let offset = bytes.len();
                            let message = "grouped imports, which are not supported".to_owned();
                            return Err(Malformed { offset, message });
                        };
                        if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import.ty {
                            functions.push(ty);
                        }
                        outline.imports.push(Import::of(import));
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        functions.push(ty?);
                    }
                }
                Payload::MemorySection(section) => outline.hidden_memories = section.count(),
                Payload::StartSection { .. } => outline.has_start = true,
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let function = matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact);
                        let signature = || {
                            let ty = functions.get(usize::try_from(export.index).ok()?)?;
                            types.get(usize::try_from(*ty).ok()?)?.clone()
                        };
                        let signature = if function { signature() } else { None };
                        outline.exports.push(Export { name: export.name.to_owned(), signature });
                    }
                }
                _ => {}
            }
        }
        Ok(outline)
    }

    /// The imported memories, numbered as everywhere: the program's own first, its regions in the order of their
    /// imports. Where none is the program's own, compiling says so, and the first stands in for it.
    pub(crate) fn memories(&self) -> Vec<ImportedMemory> {
        let imported = self.imports.iter().filter_map(|import| match import.kind {
            ImportKind::Memory(memory) => Some((import, memory)),
            ImportKind::Other(_) => None,
        });
        let imported = imported.enumerate().map(|(import, (Import { module, name, .. }, ty))| {
            ImportedMemory { module: module.clone(), name: name.clone(), import, ty }
        });
        let mut memories: Vec<_> = imported.collect();
        memories.sort_by_key(|memory| memory.name != OWN_MEMORY);
        memories
    }
}

/// A memory that a binary imports.
#[derive(Clone, Debug)]
pub(crate) struct ImportedMemory {
    pub(crate) module: String,
    /// `memory` for the program's own, the region's name for the others.
    pub(crate) name: String,
    /// Which of the imports it is.
    pub(crate) import: usize,
    pub(super) ty: MemoryType,
}

impl ImportedMemory {
    /// The size it starts with, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.ty.initial.saturating_mul(PAGE_BYTES)
    }

    /// The size it starts with, in pages.
    pub(crate) fn pages(&self) -> u64 {
        self.ty.initial
    }

    /// The most pages it can grow to.
    pub(crate) fn maximum(&self) -> Option<u64> {
        self.ty.maximum
    }
}

impl Import {
    fn of(import: wasmparser::Import<'_>) -> Self {
        let kind = match import.ty {
            TypeRef::Memory(memory) => ImportKind::Memory(memory),
            TypeRef::Func(_) | TypeRef::FuncExact(_) => ImportKind::Other("function"),
            TypeRef::Table(_) => ImportKind::Other("table"),
            TypeRef::Global(_) => ImportKind::Other("global"),
            TypeRef::Tag(_) => ImportKind::Other("tag"),
        };
        Self { module: import.module.to_owned(), name: import.name.to_owned(), kind }
    }
}

impl Signature {
    fn of(ty: &FuncType) -> Self {
        Self { parameters: ty.params().to_vec(), results: ty.results().to_vec() }
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "({}) -> ({})", list(&self.parameters), list(&self.results))
    }
}

impl From<wasmparser::BinaryReaderError> for Malformed {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self { offset: error.offset(), message: error.message().to_owned() }
    }
}
