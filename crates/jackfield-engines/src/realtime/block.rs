use crate::{
    instance::{Instance, Trap},
    memory::Memories,
    project::{Address, Addresses},
};

/// Frames per call of a program's `buffer`. Baked into the code of every program.
pub const BLOCK_FRAMES: usize = 128;

/// One channel of one block.
pub type Block = [f32; BLOCK_FRAMES];

/// An instance with its audio routes: 128 frames in, 128 frames out.
///
/// There is one output and one input; routes to further ones, or to channels that are not given, are skipped.
#[derive(Debug)]
pub struct BlockRunner {
    instance: Instance,
    addresses: Addresses,
}

impl BlockRunner {
    /// Takes over `instance`. Routes that point past the end of memory are allowed.
    pub fn new(instance: Instance, mut addresses: Addresses) -> Self {
        let on_first_port = |route: &Address| route.port == 0;
        addresses.inputs.retain(on_first_port);
        addresses.outputs.retain(on_first_port);
        Self { instance, addresses }
    }

    /// Copies the channels of `input` to where the program expects them, runs its `buffer`, and copies what it left
    /// to the channels of `output`. Channels without a route are silent; of two routes to one channel the later
    /// counts. Without input (no channels: nothing is connected) the program finds the samples it had before. Frames
    /// that lie past the end of memory are 0, and are not written.
    ///
    /// # Errors
    /// When the program traps or is interrupted; `output` is silent then.
    ///
    /// # Realtime
    /// Allocates nothing, unless it traps. Takes as long as the program takes.
    pub fn run(&mut self, input: &[Block], output: &mut [Block]) -> Result<(), Trap> {
        for route in &self.addresses.inputs {
            if let Some(channel) = at(route).and_then(|(channel, _)| input.get(channel)) {
                write(&mut self.instance, route, channel);
            }
        }
        output.fill([0.0; BLOCK_FRAMES]);
        self.instance.buffer()?;
        for route in &self.addresses.outputs {
            if let Some(channel) = at(route).and_then(|(channel, _)| output.get_mut(channel)) {
                read(&self.instance, route, channel);
            }
        }
        Ok(())
    }

    /// The instance, to look at its memories.
    ///
    /// # Realtime
    /// Costs nothing.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// The instance, to change its memories between two blocks.
    ///
    /// # Realtime
    /// Costs nothing.
    pub fn instance_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }

    /// Gives the instance back.
    pub fn into_instance(self) -> Instance {
        self.instance
    }
}

/// Channel and first byte of a route.
fn at(route: &Address) -> Option<(usize, usize)> {
    Some((usize::try_from(route.channel).ok()?, usize::try_from(route.byte_address).ok()?))
}

fn write(instance: &mut Instance, route: &Address, channel: &Block) {
    let start = at(route).map(|(_, start)| start);
    let memory = instance.bytes_mut(route.memory);
    let place = start.zip(memory).and_then(|(start, memory)| memory.get_mut(start..)).unwrap_or_default();
    // A sample that is cut by the end of memory counts as past it.
    for (bytes, sample) in place.chunks_exact_mut(size_of::<f32>()).zip(channel) {
        bytes.copy_from_slice(&sample.to_le_bytes());
    }
}

fn read(instance: &Instance, route: &Address, channel: &mut Block) {
    let start = at(route).map(|(_, start)| start);
    let memory = instance.bytes(route.memory);
    let place = start.zip(memory).and_then(|(start, memory)| memory.get(start..)).unwrap_or_default();
    let mut samples = place.as_chunks().0.iter().copied().map(f32::from_le_bytes);
    channel.fill_with(|| samples.next().unwrap_or(0.0));
}
