//! The compiled 8f4e programs in `fixtures/8f4e`, and what they are expected to do.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::Engine as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A file or directory of the fixtures: `path("tally/tally.wasm")`.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/8f4e").join(name)
}

/// The project of the fixture called `name`: `first-light/first-light.project.json`.
pub fn project(name: &str) -> PathBuf {
    path(&format!("{name}/{name}.project.json"))
}

/// What the fixture called `name` is expected to do.
///
/// # Panics
/// When there is no such fixture.
pub fn expected(name: &str) -> Value {
    json(&format!("{name}/{name}.expected.json"))
}

/// A JSON file of the fixtures.
///
/// # Panics
/// When it is missing or no JSON.
pub fn json(name: &str) -> Value {
    let path = path(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of a base64 text in a fixture.
///
/// # Panics
/// When `value` is no such text.
pub fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a base64 text");
    base64::engine::general_purpose::STANDARD.decode(text).expect("standard base64")
}

/// The samples of a `float32Base64` in a fixture: little endian, in order.
///
/// # Panics
/// When `value` is no such text.
pub fn samples(value: &Value) -> Vec<f32> {
    let bytes = bytes(value);
    let (samples, rest) = bytes.as_chunks();
    assert!(rest.is_empty(), "samples take four bytes each");
    samples.iter().copied().map(f32::from_le_bytes).collect()
}

/// The SHA-256 of `bytes`, as the fixtures write it.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of samples as little-endian bytes, as the fixtures write it.
pub fn sha256_of_samples(samples: &[f32]) -> String {
    sha256(&samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>())
}
