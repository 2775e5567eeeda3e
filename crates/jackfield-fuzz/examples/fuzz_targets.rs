//! What there is to be fuzzed: one line a target, or, for one of them, its seeds and its words as files.
//!
//! `fuzz_targets` lists; `fuzz_targets NAME CORPUS WORDS` writes seeds into the directory `CORPUS`, and the words into
//! the file `WORDS`, and prints the longest input worth trying.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

use jackfield_fuzz::{TARGETS, Target};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => {
            for Target { name, about, .. } in TARGETS {
                println!("{name:<17} {about}");
            }
            Ok(())
        }
        [name, corpus, words] => {
            let target = Target::named(name).ok_or_else(|| format!("there is no target `{name}`"))?;
            prepare(target, Path::new(corpus), Path::new(words))
        }
        _ => Err("give nothing, or a target, a directory and a file".into()),
    }
}

fn prepare(target: &Target, corpus: &Path, words: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(corpus)?;
    for (n, seed) in (target.seeds)().iter().enumerate() {
        fs::write(corpus.join(format!("seed-{n}")), seed)?;
    }
    for (path, bytes) in target.findings()? {
        fs::write(corpus.join(path.file_name().unwrap_or_default()), bytes)?;
    }
    let mut dictionary = String::new();
    for word in target.words {
        let escaped: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        writeln!(dictionary, "\"{escaped}\"")?;
    }
    fs::write(words, dictionary)?;
    println!("{}", target.longest);
    Ok(())
}
