use std::{borrow::Cow, fmt, sync::Arc};

use wasmtime::{Global, Memory, Store, TypedFunc, UpdateDeadline, Val};

use crate::{
    binary::BUFFER,
    instance::{
        interrupt::{Calls, Interrupt},
        trap::{Trap, TrapKind},
    },
    memory::{Memories, Value},
    program::{Call, Program, Room},
};

/// One running copy of a [`Program`], with memories of its own. Belongs to one thread at a time; may move between them.
///
/// Dropping it frees its memory, which a realtime thread must leave to another.
pub struct Instance {
    program: Program,
    store: Store<State>,
    memory: Memory,
    regions: Box<[Memory]>,
    init: TypedFunc<(), ()>,
    cycle: TypedFunc<(), ()>,
    buffer: Option<TypedFunc<(), ()>>,
    exports: Vec<Callable>,
    calls: Arc<Calls>,
}

/// What wasmtime keeps for an instance.
pub(super) struct State {
    room: Room,
    calls: Arc<Calls>,
    call: u64,
}

/// A program tied to a store and its memories, its functions not looked up yet.
pub(super) struct Bound {
    pub(super) store: Store<State>,
    pub(super) memory: Memory,
    pub(super) regions: Box<[Memory]>,
    pub(super) instance: wasmtime::Instance,
    pub(super) exports: Vec<Callable>,
}

/// What calls an exported function with what its arguments hold.
pub(super) struct Callable {
    pub(super) function: TypedFunc<(), ()>,
    pub(super) arguments: Vec<Global>,
}

impl State {
    /// A store that can be interrupted and takes no more than there is `room`.
    pub(super) fn store(engine: &wasmtime::Engine, room: Room) -> Store<Self> {
        let mut store = Store::new(engine, Self { room, calls: Arc::default(), call: 0 });
        store.limiter(|state| &mut state.room);
        // Making an instance runs code too, where a program lays out data of its own.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            let state = context.data();
            Ok(if state.calls.must_end(state.call) {
                UpdateDeadline::Interrupt
            } else {
                UpdateDeadline::Continue(1)
            })
        });
        store
    }
}

impl Instance {
    pub(super) fn new(program: Program, bound: Bound) -> wasmtime::Result<Self> {
        let Bound { mut store, memory, regions, instance, exports } = bound;
        let generation = program.generation();
        let init = instance.get_typed_func(&mut store, generation.init())?;
        let cycle = instance.get_typed_func(&mut store, generation.cycle())?;
        let has_buffer = program.has_buffer();
        let buffer = has_buffer.then(|| instance.get_typed_func(&mut store, BUFFER)).transpose()?;
        let calls = Arc::clone(&store.data().calls);
        Ok(Self { program, store, memory, regions, init, cycle, buffer, exports, calls })
    }

    /// The program it is a copy of.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// A handle that ends the call in progress from another thread.
    pub fn interrupt_handle(&self) -> Interrupt {
        Interrupt::new(Arc::clone(&self.calls), self.store.engine().clone())
    }

    /// Whether the program has a `buffer` function; in the newest generation it may do without.
    pub fn has_buffer(&self) -> bool {
        self.buffer.is_some()
    }

    /// Runs one tick.
    ///
    /// # Errors
    /// When the program traps or is interrupted. What it stored by then stays.
    ///
    /// # Realtime
    /// Allocates nothing, unless it traps. Takes as long as the program takes.
    pub fn cycle(&mut self) -> Result<(), Trap> {
        let name = self.program.generation().cycle();
        call(&self.calls, &mut self.store, name, |store| self.cycle.call(store, ()))
    }

    /// Runs 128 ticks and fills the audio buffers. Does nothing in a program that has no such function.
    ///
    /// # Errors
    /// When the program traps or is interrupted. What it stored by then stays.
    ///
    /// # Realtime
    /// Allocates nothing, unless it traps. Takes as long as the program takes.
    pub fn buffer(&mut self) -> Result<(), Trap> {
        match &self.buffer {
            Some(buffer) => call(&self.calls, &mut self.store, BUFFER, |store| buffer.call(store, ())),
            None => Ok(()),
        }
    }

    /// Stores the initial values; a seed program leaves out those that are zero.
    pub(super) fn init(&mut self) -> Result<(), Trap> {
        let name = self.program.generation().init();
        call(&self.calls, &mut self.store, name, |store| self.init.call(store, ()))
    }

    /// Calls an exported function, such as a handler of MIDI messages; [`Program::call`] makes the call. Results are
    /// dropped.
    ///
    /// # Errors
    /// When it traps or is interrupted, or the call was made for another program.
    ///
    /// # Realtime
    /// Allocates nothing, unless it traps. Takes as long as the function takes.
    pub fn call(&mut self, made: &Call) -> Result<(), Trap> {
        let name = |program: &Program| program.compiled().exports.name(made.index()).map(str::to_owned);
        let foreign = |program: &Program| Trap {
            function: name(program).unwrap_or_default().into(),
            kind: TrapKind::OtherProgram,
        };
        let Some(export) = self.exports.get(made.index()) else { return Err(foreign(&self.program)) };
        if export.arguments.len() != made.arguments().count() {
            return Err(foreign(&self.program));
        }
        for (global, argument) in export.arguments.iter().zip(made.arguments()) {
            if global.set(&mut self.store, val(argument)).is_err() {
                return Err(foreign(&self.program));
            }
        }
        let function = &export.function;
        let called = call(&self.calls, &mut self.store, "", |store| function.call(store, ()));
        called.map_err(|trap| Trap { function: name(&self.program).unwrap_or_default().into(), ..trap })
    }

    /// The program's own memory; [`Memories`] has its regions too.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn memory(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    /// The program's own memory, to be written; [`Memories`] has its regions too.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn memory_mut(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }
}

impl Memories for Instance {
    fn bytes(&self, number: u32) -> Option<&[u8]> {
        self.numbered(number).map(|memory| memory.data(&self.store))
    }

    fn bytes_mut(&mut self, number: u32) -> Option<&mut [u8]> {
        self.numbered(number).map(|memory| memory.data_mut(&mut self.store))
    }
}

impl Instance {
    fn numbered(&self, number: u32) -> Option<Memory> {
        match number.checked_sub(1) {
            None => Some(self.memory),
            Some(region) => self.regions.get(region as usize).copied(),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.calls.finish();
    }
}

/// The one way into a program: gives the call a number and arms the interruption anew.
fn call(
    calls: &Calls,
    store: &mut Store<State>,
    function: &'static str,
    run: impl FnOnce(&mut Store<State>) -> wasmtime::Result<()>,
) -> Result<(), Trap> {
    // Armed before the call is announced: whoever sees the call moves the epoch past this deadline.
    store.set_epoch_deadline(1);
    let state = store.data_mut();
    state.call += 1;
    let in_progress = calls.enter(state.call);
    let result = run(store);
    drop(in_progress);
    result.map_err(|error| Trap { function: Cow::Borrowed(function), kind: TrapKind::of(&error) })
}

fn val(value: Value) -> Val {
    match value {
        Value::I32(value) => Val::I32(value),
        Value::F32(value) => value.into(),
        Value::F64(value) => value.into(),
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("program", &self.program).finish_non_exhaustive()
    }
}
