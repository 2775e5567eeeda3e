//! Plays compiled 8f4e programs: projects, programs, the engine manager, engines and devices.
//!
//! * [`Project`]: a program as it lies on disk, read and checked. Cheap to clone.
//! * [`MemoryMap`]: which variable lies where in a program's memory.
//! * [`Program`]: a project's code, compiled. Cheap to clone; one serves any number of instances.
//! * [`Instance`]: one running copy with a memory of its own. Belongs to one thread at a time.
//! * [`BlockRunner`]: an instance with its audio routes, 128 frames at a time. Allocates nothing.
//! * [`Offline`] and [`trace`]: play without a device, as fast as the machine allows.
//! * [`MidiMapper`]: from a program's memory to MIDI messages and back. Needs no device.
//! * [`ProjectStore`]: what a session's engines follow, as observed fields. A handle: clone it freely.
//! * [`Console`]: what a session's people see and turn, whichever engine plays. A handle too.
//! * [`EngineFactory`]: makes engines of one kind; [`engine_fn`] makes one from a closure.
//! * [`EngineManager`]: keeps the one engine of a session true to its store. Dropping it stops the engine.

mod causes;
mod memory;
mod binary;
mod project;
mod program;
mod instance;
mod midi;
mod realtime;
mod offline;
mod observers;
mod field;
mod id;
mod events;
mod store;
mod console;
mod factory;
mod manager;
mod device;
mod ports;
mod engine;
mod plugin;

pub use crate::{
    binary::{ContractError, Generation},
    console::{Console, Playing, Shown},
    device::{
        Clock, Device, DeviceError, ManualClock, NullDevice, Pace, Render, Stop, Stream, StreamFormat,
        StreamSetup, SystemClock, WavDevice, fitted,
    },
    engine::{AudioEngine, AudioTuning, CatchUp, MidiEngine, OnFault, TimerEngine, Watchdog},
    events::{EngineEvent, EventDispatcher, TimerStats},
    factory::{
        BoxError, Engine, EngineContext, EngineError, EngineFactory, EngineRegistry, EngineUpdate, Prepared,
        ProjectStore, Registered, Synced, engine_fn,
    },
    field::Field,
    id::EngineId,
    instance::{Instance, Interrupt, Start, StartError, Trap, TrapKind},
    manager::{
        Answer, Deadlines, EngineManager, Failure, ManagerState, ManagerStatus, Mishap, SwitchError, Ticket,
    },
    memory::{
        AccessError, Carry, CarryReport, Element, Initial, Memories, MemoryMap, Module, NamedAccessError,
        NumberError, Reading, ResetReason, UnknownVariable, Value, Variable,
    },
    midi::{MidiMapper, MidiMessage, PortMessage},
    observers::Subscription,
    offline::{Moment, Offline, Trace, TracedMessage, trace, trace_midi},
    plugin::{
        AUDIO, AudioEngineConfig, AudioEnginePlugin, ENGINE, ENGINES, EngineManagerConfig,
        EngineManagerPlugin, EnginePlugin, Engines, KeysConfig, KeysPlugin, MAIN, MIDI, MissedTicks,
        TimerEngineConfig, TimerEnginePlugin, WORKER,
    },
    ports::{
        Heard, MidiDevice, MidiError, MidiInput, MidiOutput, MidiRecorder, MidiTraffic, NullMidi, PortChoice,
        PortName, Traffic, VirtualMidi,
    },
    program::{
        ArgumentError, Call, CallError, CodeCache, Compiler, Export, Limits, MOST_ARGUMENTS, Program,
        ProgramError,
    },
    project::{
        Address, Addresses, Asset, AudioSettings, BinaryAsset, EngineSettings, MidiController, MidiHandler,
        MidiNote, MidiSettings, Place, Problem, Project, ProjectConfig, ProjectError, Route, RouteTarget,
        TimerSettings,
    },
    realtime::{
        BLOCK_FRAMES, Block, BlockFifo, BlockRunner, CallTaker, Calls, CaptureError, CaptureTaker, Captures,
        Controls, Due, Followed, Gauge, GaugeError, GaugeReader, Gauges, KnobError, KnobReceiver, Knobs,
        Load, LoadMeter, LoadProbe, OUTPUTS, OutsideCallError, Poke, Processor, ProcessorMonitor, Rate, Read,
        Seam, Swap, SwapSender, TapeReader, TapeWriter, Ticker, Voice, VoiceMonitor, tape,
    },
    store::{CompilerState, StateStore},
};

#[cfg(feature = "cpal")]
pub use crate::device::CpalDevice;
#[cfg(feature = "midir")]
pub use crate::ports::MidirDevice;
