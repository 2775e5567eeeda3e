//! Plays compiled 8f4e programs: projects, programs, the engine manager, engines and devices.
//!
//! * [`Project`]: a program as it lies on disk, read and checked. Cheap to clone.
//! * [`MemoryMap`]: which variable lies where in a program's memory.
//! * [`Program`]: a project's code, compiled. Cheap to clone; one serves any number of instances.
//! * [`Instance`]: one running copy with a memory of its own. Belongs to one thread at a time.
//! * [`BlockRunner`]: an instance with its audio routes, 128 frames at a time. Allocates nothing.
//! * [`Offline`] and [`trace`]: play without a device, as fast as the machine allows.

mod memory;
mod binary;
mod project;
mod program;
mod instance;
mod realtime;
mod offline;

pub use crate::{
    binary::{ContractError, Generation},
    instance::{CallError, Instance, Interrupt, Start, StartError, Trap, TrapKind},
    memory::{
        AccessError, Element, Initial, MemoryMap, Module, NamedAccessError, Reading, UnknownVariable, Value,
        Variable,
    },
    offline::{Moment, Offline, Trace, trace},
    program::{Limits, Program, ProgramError},
    project::{
        Address, Addresses, AudioSettings, BinaryAsset, EngineSettings, Place, Problem, Project,
        ProjectConfig, ProjectError, Route, RouteTarget, TimerSettings,
    },
    realtime::{BLOCK_FRAMES, Block, BlockRunner},
};
