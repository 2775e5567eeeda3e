//! What `./dev fuzz` runs: libFuzzer around the target that `JACKFIELD_FUZZ` names.

#![no_main]

use std::{env, sync::LazyLock};

use jackfield_fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = env::var("JACKFIELD_FUZZ").unwrap_or_default();
    Target::named(&name).unwrap_or_else(|| panic!("`JACKFIELD_FUZZ` names no target: `{name}`"))
});

fuzz_target!(|input: &[u8]| {
    (TARGET.run)(input);
});
