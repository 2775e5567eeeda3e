//! Binaries.

use crate::{problems, running, wrapped};

pub(crate) fn run(input: &[u8]) -> bool {
    let project = match wrapped::program(input) {
        Ok(project) => project,
        Err(error) => {
            problems::check_refusal(&error, "");
            return false;
        }
    };
    let program = running::compile(&project);
    program.as_ref().inspect(|program| running::run(program)).is_some()
}
