//! Compiled code is kept, and found again by what it was made from.

use crate::support::project;
use jackfield_engines::{CodeCache, Compiler, Start};
use tempfile::tempdir;

#[test]
fn a_program_that_was_compiled_before_is_taken_from_the_cache_and_does_the_same() {
    let directory = tempdir().unwrap();
    let run = || {
        let cache = CodeCache::in_directory(directory.path()).unwrap();
        let compiler = Compiler::default().with_cache(cache.clone());
        let program = compiler.compile(&project("first-light")).unwrap();
        let mut instance = program.instantiate_from(Start::Init).unwrap();
        for _ in 0..64 {
            instance.buffer().unwrap();
        }
        (instance.memory().to_vec(), cache.hits_and_misses())
    };
    let (fresh, first) = run();
    let (cached, second) = run();
    assert_eq!((first, second), ((0, 1), (1, 0)));
    assert!(fresh == cached);
}

#[test]
fn another_program_is_another_entry() {
    let directory = tempdir().unwrap();
    let cache = CodeCache::in_directory(directory.path()).unwrap();
    let compiler = Compiler::default().with_cache(cache.clone());
    for name in ["first-light", "first-light-b", "first-light", "dc"] {
        compiler.compile(&project(name)).unwrap();
    }
    assert_eq!(cache.hits_and_misses(), (1, 3));
}

#[test]
fn a_damaged_entry_is_not_used() {
    let directory = tempdir().unwrap();
    let compile = || {
        let cache = CodeCache::in_directory(directory.path()).unwrap();
        Compiler::default().with_cache(cache.clone()).compile(&project("dc")).unwrap();
        cache.hits_and_misses()
    };
    compile();
    let mut damaged = 0;
    let mut directories = vec![directory.path().to_owned()];
    while let Some(next) = directories.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                std::fs::write(&path, b"nothing that was ever compiled").unwrap();
                damaged += 1;
            }
        }
    }
    assert!(damaged > 0);
    assert_eq!(compile(), (0, 1));
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    CodeCache::in_directory(file.join("cache")).unwrap_err();
}
