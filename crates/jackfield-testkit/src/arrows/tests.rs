use std::{fs, path::Path};

use tempfile::{TempDir, tempdir};

use crate::arrows::{arrows, modules_naming};

fn crate_of(files: &[(&str, &str)]) -> TempDir {
    let src = tempdir().unwrap();
    for (path, text) in files {
        let path = src.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    src
}

/// A crate with the modules `ground`, `floor` and `roof`, of which `floor` has a submodule; what is said about it.
#[track_caller]
fn check(floor: &str, part: &str, expected: &[&str]) {
    let src = crate_of(&[
        ("lib.rs", "//! mod nothing;\nmod ground;\n\n#[cfg(unix)]\npub(crate) mod floor;\npub mod roof;\n"),
        ("ground.rs", ""),
        ("floor.rs", floor),
        ("floor/part.rs", part),
        ("roof.rs", "use crate::{floor::F, ground};"),
    ]);
    assert_eq!(arrows(src.path()).unwrap(), expected);
}

#[test]
fn a_module_may_use_what_is_above_it_and_itself() {
    check("use crate::{floor::part::{A, B}, ground::G};", "use crate::floor::F;", &[]);
}

#[test]
fn a_module_may_not_use_what_is_below_it() {
    check("\nuse crate::roof::R;", "", &["floor.rs:2: `floor` uses `crate::roof`, which is below it"]);
    check(
        "",
        "fn f() { crate::roof::f() }",
        &["floor/part.rs:1: `floor` uses `crate::roof`, which is below it"],
    );
}

#[test]
fn every_member_of_a_group_is_looked_at() {
    let group = "use crate::{\n    ground::{A, B::{C}},\n    roof,\n};";
    check(group, "", &["floor.rs:1: `floor` uses `crate::roof`, which is below it"]);
}

#[test]
fn the_crate_root_is_no_way_in() {
    let said = "floor.rs:1: `floor` uses `crate::Item`, which is not a module: name it by its module's path";
    check("use crate::Item;", "", &[said]);
}

#[test]
fn comments_and_text_are_no_use() {
    check(
        "/// [`crate::roof`]\n//! crate::roof\n/* crate::roof */ const C: &str = \"crate::roof\";",
        "",
        &[],
    );
}

#[test]
fn super_is_no_way_round() {
    check("use super::roof::R;", "", &["floor.rs:1: `floor` uses `crate::roof`, which is below it"]);
    check("", "use super::super::roof;", &["floor/part.rs:1: `floor` uses `crate::roof`, which is below it"]);
    check("mod tests { use super::*; }", "use super::Floor;", &[]);
}

#[test]
fn other_paths_with_a_crate_in_them_are_no_use() {
    check("use my_crate::roof; use other::crate_x::roof;", "", &[]);
}

#[test]
fn a_module_without_a_file_and_a_file_without_a_module_are_told() {
    let src = crate_of(&[("lib.rs", "mod gone;"), ("stray.rs", ""), ("bin/tool.rs", "")]);
    let said =
        ["`mod gone;` has no file of that name", "stray.rs: no `mod` line of the crate root leads here"];
    assert_eq!(arrows(src.path()).unwrap(), said);
}

#[test]
fn a_program_has_its_order_in_main() {
    let src = crate_of(&[("main.rs", "mod a;\nmod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "")]);
    assert_eq!(arrows(src.path()).unwrap(), ["a.rs:1: `a` uses `crate::b`, which is below it"]);
}

#[test]
fn a_crate_that_is_not_there_is_an_error() {
    assert!(arrows(Path::new("no/such/crate")).is_err());
}

#[test]
fn who_knows_of_a_crate_can_be_asked() {
    let src = crate_of(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a.rs", "//! About jackfield::Slot.\nuse jackfield_sources::Source;"),
        ("b.rs", "type S = ::jackfield::Slot<()>;"),
        ("c.rs", "mod part;"),
        ("c/part.rs", "use jackfield::{Plugin, Slot};"),
    ]);
    assert_eq!(modules_naming(src.path(), "jackfield").unwrap(), ["b", "c"]);
}
