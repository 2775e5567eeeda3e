//! What the audio thread reaches. Nothing in here allocates, frees, locks, logs or asks a clock.

mod block;

pub use self::block::{BLOCK_FRAMES, Block, BlockRunner};
