use wasmparser::{BinaryReader, Imports, MemoryType, Parser, Payload, TypeRef};

use crate::binary::outline::Malformed;

/// Flags of a memory's limits: a maximum follows, and the memory is shared between threads.
const SHARED_WITH_MAXIMUM: u8 = 0b11;
const WITH_MAXIMUM: u8 = 0b01;

/// The same program, importing an ordinary memory instead of a shared one.
///
/// 8f4e's compiler marks the imported memory as shared because its editor looks at it from several threads, and emits
/// not a single atomic instruction. Here one instance owns its memory. On an ordinary one the program gives the
/// same results, and its bytes can be reached as a plain slice, without `unsafe` and without the threads proposal.
/// A program that does use atomics is refused when it is compiled.
pub(crate) fn unshared(wasm: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut bytes = wasm.to_vec();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::ImportSection(section) = payload? else { continue };
        for group in section {
            let Imports::Single(start, import) = group? else { continue };
            if !matches!(import.ty, TypeRef::Memory(MemoryType { shared: true, .. })) {
                continue;
            }
            let flags = flags_of_limits(wasm, start)?;
            if bytes.get(flags) == Some(&SHARED_WITH_MAXIMUM) {
                bytes[flags] = WITH_MAXIMUM;
            }
        }
    }
    Ok(bytes)
}

/// The byte that holds the flags of a memory import that starts at `start`: module, name, kind, then the flags.
fn flags_of_limits(wasm: &[u8], start: usize) -> Result<usize, Malformed> {
    let mut reader = BinaryReader::new(&wasm[start..], start);
    reader.skip_string()?;
    reader.skip_string()?;
    reader.read_u8()?;
    Ok(reader.original_position())
}
