//! Whatever happened to a file on its way, nothing panics.

use std::fs;

use jackfield_testkit::fixtures;

use crate::support::Place;

/// Some bytes of a text, changed as a bad disk would: reproducible, so that a failure can be looked into.
fn mutations(text: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut mutated = Vec::new();
    for round in 0..count {
        let mut text = text.to_vec();
        match round % 3 {
            0 => text.truncate(random(text.len())),
            1 => (0..3).for_each(|_| {
                let at = random(text.len());
                text[at] = b"0{}[]\",:-e.x"[random(12)];
            }),
            _ => {
                let (from, length) = (random(text.len()), random(200));
                text.drain(from..(from + length).min(text.len()));
            }
        }
        mutated.push(text);
    }
    mutated
}

/// Checks all of them in one go: a panic would show in the exit code and on standard error.
#[track_caller]
fn check(ending: &str, files: &[Vec<u8>]) {
    let place = Place::new();
    let names: Vec<_> = (0..files.len()).map(|number| format!("{number}.{ending}")).collect();
    names.iter().zip(files).for_each(|(name, text)| place.write(name, text));
    let arguments: Vec<_> = ["check"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let done = place.run(&arguments);
    assert_eq!((done.code, done.stderr.as_str()), (Some(2), ""));
    let silent = names.iter().find(|name| !done.stdout.lines().any(|line| line.starts_with(name.as_str())));
    assert_eq!(silent, None, "nothing was said of it");
}

#[test]
fn a_damaged_project() {
    check("project.json", &mutations(&fs::read(fixtures::project("dc")).unwrap(), 150));
}

#[test]
fn a_damaged_settings_file() {
    let settings = concat!(env!("CARGO_MANIFEST_DIR"), "/../../projects/first-light/jackfield.toml");
    check("toml", &mutations(&fs::read(settings).unwrap(), 150));
}
