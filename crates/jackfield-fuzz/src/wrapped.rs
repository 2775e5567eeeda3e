//! Parts of a project, made whole.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jackfield_engines::{Project, ProjectError};

/// A program of the seed that does nothing with its one page, as base64.
static IDLE: LazyLock<String> = LazyLock::new(|| {
    let text = r#"(module (import "js" "memory" (memory 1 1))
        (func (export "init")) (func (export "cycle")) (func (export "buffer")))"#;
    STANDARD.encode(wat::parse_str(text).unwrap_or_else(|error| panic!("{error}")))
});

/// Bytes in the memory of that.
pub(crate) const PAGE: usize = 65_536;

/// Reads a project that consists of this binary and nothing else.
pub(crate) fn program(wasm: &[u8]) -> Result<Project, ProjectError> {
    let wasm = STANDARD.encode(wasm);
    Project::from_json("fuzz", &format!("{{\"compiledWasm\":\"{wasm}\",\"compiledModules\":{{}}}}"))
}

/// Reads a project of one page that has these members too, given as JSON.
pub(crate) fn with(members: &str) -> Result<Project, ProjectError> {
    Project::from_json("fuzz", &format!("{{\"compiledWasm\":\"{}\",{members}}}", *IDLE))
}
