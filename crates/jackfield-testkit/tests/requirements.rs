//! Every promise of `docs/behaviour` is held, and nothing else is claimed.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::{fs, path::Path};

use jackfield_testkit::requirements::{Audit, FAMILIES};
use tempfile::{TempDir, tempdir};

#[test]
fn every_promise_is_held_by_a_test_or_replaced_by_a_decision() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let audit = Audit::of_workspace(&root).unwrap();
    println!("{audit}"); // `./dev requirements` shows it
    assert!(audit.problems.is_empty(), "{:#?}", audit.problems);
}

/// A workspace with these promises of the family `ID`, and with this source.
fn workspace(promises: &[(usize, &str)], source: &str) -> TempDir {
    let root = tempdir().unwrap();
    let tests = root.path().join("crates/x/tests");
    fs::create_dir_all(root.path().join("docs/behaviour")).unwrap();
    fs::create_dir_all(&tests).unwrap();
    let mut page = String::from("# Ids\n\n");
    let count = FAMILIES.iter().find(|(family, _)| *family == "ID").unwrap().1;
    for n in 1..=count {
        let other = promises.iter().find(|(number, _)| *number == n);
        page +=
            &other.map_or_else(|| format!("**R-ID-{n:02}** See (J-01).\n"), |(_, text)| (*text).to_owned());
    }
    fs::write(root.path().join("docs/behaviour/ids.md"), page).unwrap();
    let others = (1..=44).map(|n| format!("**F-{n:02}** Never.\n"));
    let others: String = others.chain((1..=16).map(|n| format!("- **J-{n:02}** So.\n"))).collect();
    fs::write(root.path().join("docs/behaviour.md"), others).unwrap();
    fs::write(tests.join("ids.rs"), source).unwrap();
    root
}

#[track_caller]
fn check(promises: &[(usize, &str)], source: &str, problems: &[&str]) {
    let root = workspace(promises, source);
    assert_eq!(Audit::of_workspace(root.path()).unwrap().problems, problems);
}

const UNHELD: (usize, &str) = (2, "**R-ID-02** An id is\na text.\n");

#[test]
fn a_promise_is_held_by_the_test_whose_comment_names_it() {
    check(&[], "", &[]);
    let by_nobody = "R-ID-02 (behaviour/ids.md) is held by no test and replaced by no decision";
    check(&[UNHELD], "", &[by_nobody]);
    check(&[UNHELD], "#[test]\nfn a() {\n    // R-ID-02, F-01\n    if true { b() }\n}\n", &[]);
    check(&[UNHELD], "/// R-ID-02\n#[tokio::test(start_paused = true)]\nasync fn a() { }\n", &[]);
    check(&[UNHELD], "#[test]\nfn a() {\n}\n// R-ID-02\nfn b() {}\n", &[by_nobody]);
    check(&[UNHELD], "#[test]\nfn a() {\n    let text = \"// R-ID-02\";\n}\n", &[by_nobody]);
}

#[test]
fn a_number_that_nothing_promises_is_found() {
    let source = "// R-ID-15\n\n#[test]\nfn a() {\n    // F-45, R-BUS-01\n}\n";
    let problems = [
        "x/tests/ids.rs names R-ID-15, which nothing promises",
        "x/tests/ids.rs names F-45, which nothing promises",
    ];
    check(&[], source, &problems);
}

#[test]
fn a_family_is_promised_whole_and_once_and_no_further() {
    check(&[(2, "")], "", &["R-ID-02 is not promised"]);
    check(
        &[(2, "**R-ID-02** (J-01)\n\n**R-ID-02** (J-01)\n\n**R-ID-77** (J-01)\n")],
        "",
        &[
            "behaviour/ids.md promises R-ID-02, which has been promised before",
            "behaviour/ids.md promises R-ID-77, and there is no such requirement",
        ],
    );
}

#[test]
fn a_decision_that_is_leaned_on_is_promised_itself() {
    check(&[(2, "**R-ID-02** No (J-77).\n")], "", &["R-ID-02 leans on J-77, which nothing promises"]);
}

#[test]
fn the_table_says_who_holds_what() {
    let root =
        workspace(&[UNHELD], "#[test]\nfn a() {\n    // R-ID-02\n}\n#[test]\nfn b() {\n    // R-ID-02\n}\n");
    let table = Audit::of_workspace(root.path()).unwrap().to_string();
    let expected = "R-ID-01   J-01\nR-ID-02   x/tests/ids.rs: a\n          x/tests/ids.rs: b\n";
    assert!(table.contains(expected), "{table}");
    assert!(table.ends_with("74 promises, 1 of them held by tests\n"), "{table}");
}
