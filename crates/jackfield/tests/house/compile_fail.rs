//! What the compiler says to those who make a mistake with this crate.

use std::{env, process::Command};

/// The toolchain whose messages are compared.
const PINNED: &str = include_str!("../../../../rust-toolchain.toml");

#[test]
fn mistakes_are_explained_by_the_compiler() {
    let version =
        Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("--version").output();
    let version = String::from_utf8(version.unwrap().stdout).unwrap();
    let number = version.split_whitespace().nth(1).unwrap();
    if !PINNED.contains(&format!("\"{number}\"")) {
        eprintln!("skipped: the messages of another compiler ({number}) may differ");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
