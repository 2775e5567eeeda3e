//! The arrows between the crates, and what their sources keep to themselves.

use std::{fs, path::Path};

use jackfield_testkit::workspace::{dependencies, places_naming};
use tempfile::tempdir;

const CRATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Each crate, and which of the others it may use outside of its tests.
const ARROWS: [(&str, &[&str]); 6] = [
    ("jackfield", &[]),
    ("jackfield-engines", &["jackfield"]),
    ("jackfield-fuzz", &["jackfield", "jackfield-engines", "jackfield-testkit"]),
    ("jackfield-sources", &[]),
    ("jackfield-testkit", &["jackfield"]),
    ("jackfield-host", &["jackfield", "jackfield-engines", "jackfield-sources"]),
];

#[test]
fn a_crate_uses_only_the_crates_its_arrows_lead_to() {
    for (name, needs) in dependencies(Path::new(CRATES)).unwrap() {
        let allowed = ARROWS.iter().find(|(known, _)| *known == name);
        let (_, allowed) =
            allowed.unwrap_or_else(|| panic!("`{name}` has no arrows yet: say what it may use"));
        for needed in needs {
            assert!(allowed.contains(&needed.as_str()), "`{name}` must not use `{needed}`");
        }
    }
}

#[test]
fn only_devices_know_linux() {
    let mut places = places_naming(Path::new(CRATES), "os::linux").unwrap();
    places.retain(|place| !place.contains("/device/"));
    assert!(places.is_empty(), "Linux outside of `device/`: {places:#?}");
}

#[test]
fn dependencies_of_targets_count_and_those_of_tests_do_not() {
    let crates = tempdir().unwrap();
    let manifest = "[dependencies]\nb.workspace = true\nserde = '1'\n[target.'cfg(unix)'.dependencies]\nc = '1'\n\
        [dev-dependencies]\nd = '1'\n";
    for (name, text) in [("a", manifest), ("b", ""), ("c", ""), ("d", "")] {
        fs::create_dir(crates.path().join(name)).unwrap();
        fs::write(crates.path().join(name).join("Cargo.toml"), text).unwrap();
    }
    let found = dependencies(crates.path()).unwrap();
    assert_eq!(found["a"].iter().collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn a_name_in_code_is_found_with_its_line() {
    let crates = tempdir().unwrap();
    let src = crates.path().join("a/src/inner");
    fs::create_dir_all(&src).unwrap();
    fs::write(src.join("x.rs"), "// os::linux\n\nuse std::os::linux::fs::MetadataExt;\n").unwrap();
    assert_eq!(places_naming(crates.path(), "os::linux").unwrap(), ["a/src/inner/x.rs:3"]);
}
