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

#[cfg(test)]
mod tests {
    use super::unshared;

    fn assembled(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn one_byte_changes_and_it_is_the_flag() {
        // A.3
        let shared =
            assembled(r#"(module (import "js" "memory" (memory 3 3 shared)) (func (export "init")))"#);
        let plain = assembled(r#"(module (import "js" "memory" (memory 3 3)) (func (export "init")))"#);
        assert_ne!(shared, plain);
        assert_eq!(unshared(&shared).unwrap(), plain);
    }

    #[test]
    fn an_ordinary_memory_stays_as_it_is() {
        for limits in ["1", "1 2"] {
            let plain = assembled(&format!(r#"(module (import "host" "memory" (memory {limits})))"#));
            assert_eq!(unshared(&plain).unwrap(), plain);
        }
    }

    #[test]
    fn every_memory_is_made_ordinary() {
        // A.1: one for each region
        let text = |shared: &str| {
            let memory = |name: &str| format!(r#"(import "host" "{name}" (memory 2 2 {shared}))"#);
            format!(r#"(module {} (import "host" "f" (func)) {})"#, memory("samples"), memory("memory"))
        };
        assert_eq!(unshared(&assembled(&text("shared"))).unwrap(), assembled(&text("")));
    }

    #[test]
    fn names_of_any_length_and_other_imports_are_stepped_over() {
        let name = "n".repeat(300);
        let text = |shared: &str| {
            format!(r#"(module (import "a" "f" (func)) (import "{name}" "{name}" (memory 3 3 {shared})))"#)
        };
        assert_eq!(unshared(&assembled(&text("shared"))).unwrap(), assembled(&text("")));
    }
}
