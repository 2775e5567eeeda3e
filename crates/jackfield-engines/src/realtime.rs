//! What the audio thread reaches. Nothing in here allocates, frees, locks, logs or asks a clock there.

mod atomic;
mod block;
mod calls;
mod captures;
mod controls;
mod fifo;
mod gauges;
mod knobs;
mod load;
mod processor;
mod swap;
mod tape;
mod ticker;
mod voice;

pub use self::{
    block::{BLOCK_FRAMES, Block, BlockRunner},
    calls::{CallTaker, Calls, OutsideCallError},
    captures::{CaptureError, CaptureTaker, Captures},
    controls::Controls,
    fifo::BlockFifo,
    gauges::{Followed, Gauge, GaugeError, GaugeReader, Gauges},
    knobs::{KnobError, KnobReceiver, Knobs, Poke},
    load::{Load, LoadMeter, LoadProbe},
    processor::{OUTPUTS, Processor, ProcessorMonitor},
    swap::{Seam, Swap, SwapSender},
    tape::{Read, TapeReader, TapeWriter, tape},
    ticker::{Due, Rate, Ticker},
    voice::{Voice, VoiceMonitor},
};
