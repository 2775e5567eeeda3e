use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What marks, in an example's source, the rest of the line as a line of its output.
const MARK: &str = "//>";

/// Runs every example in the crate's directory `crate_root`, and compares what it prints with what its source says
/// it prints: the `//> ` comments, in the order in which they stand.
///
/// # Panics
///
/// If an example prints something else or fails; and if it has not been built, which `cargo test` without a filter
/// for targets does.
#[track_caller]
pub fn check_examples(crate_root: &str) {
    let sources = fs::read_dir(Path::new(crate_root).join("examples")).expect("the crate has examples");
    let sources: Vec<PathBuf> = sources.filter_map(|entry| Some(entry.ok()?.path())).collect();
    assert!(!sources.is_empty(), "there are no examples");
    for source in sources.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let text = fs::read_to_string(source).expect("an example is a text");
        let expected: Vec<&str> = text.lines().filter_map(output).collect();
        let program = program(source);
        let output = Command::new(&program).output();
        let output =
            output.unwrap_or_else(|error| panic!("{}: {error}; run `cargo test`", program.display()));
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            printed.lines().collect::<Vec<_>>(),
            expected,
            "{} prints something else",
            source.display()
        );
        assert!(output.status.success(), "{} failed", source.display());
    }
}

/// The output that a line of an example speaks of. Nothing may follow the mark, which is an empty line.
fn output(line: &str) -> Option<&str> {
    let (_, said) = line.split_once(MARK)?;
    if said.is_empty() { Some(said) } else { said.strip_prefix(' ') }
}

/// Where cargo puts the program of this example: beside the directory of the test that is running.
fn program(source: &Path) -> PathBuf {
    let test = env::current_exe().expect("a test knows where it lies");
    let target =
        test.parent().and_then(Path::parent).expect("tests lie in `deps`, below the profile's directory");
    let name = source.file_stem().expect("a source has a name");
    target.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION)
}
