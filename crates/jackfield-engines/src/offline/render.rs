use crate::{
    instance::{Instance, Trap},
    project::Addresses,
    realtime::{Block, BlockRunner},
};

/// Renders an audio program block by block, and counts the blocks.
#[derive(Debug)]
pub struct Offline {
    runner: BlockRunner,
    blocks: u64,
}

impl Offline {
    /// Takes over `instance`, as it is.
    pub fn new(instance: Instance, addresses: Addresses) -> Self {
        Self { runner: BlockRunner::new(instance, addresses), blocks: 0 }
    }

    /// Renders the next 128 frames of every channel of `output`. See [`BlockRunner::run`] for what goes where.
    ///
    /// # Errors
    /// When the program traps or is interrupted; `output` is silent then. The next block may be asked for all the same.
    pub fn render_block(&mut self, input: &[Block], output: &mut [Block]) -> Result<(), Trap> {
        self.blocks += 1;
        self.runner.run(input, output)
    }

    /// How many blocks have been rendered, those that trapped included.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The instance, to look at its memory.
    pub fn instance(&self) -> &Instance {
        self.runner.instance()
    }

    /// The instance, to change its memory between two blocks.
    pub fn instance_mut(&mut self) -> &mut Instance {
        self.runner.instance_mut()
    }
}
