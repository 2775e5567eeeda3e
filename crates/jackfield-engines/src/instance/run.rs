use std::{borrow::Cow, fmt, sync::Arc};

use wasmtime::{Memory, Store, TypedFunc, UpdateDeadline, Val};

use crate::{
    binary::BUFFER,
    instance::{
        interrupt::{Calls, Interrupt},
        trap::{CallError, Trap, TrapKind},
    },
    memory::Memories,
    program::{Program, Room},
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
    instance: wasmtime::Instance,
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
        let Bound { mut store, memory, regions, instance } = bound;
        let generation = program.generation();
        let init = instance.get_typed_func(&mut store, generation.init())?;
        let cycle = instance.get_typed_func(&mut store, generation.cycle())?;
        let has_buffer = program.has_buffer();
        let buffer = has_buffer.then(|| instance.get_typed_func(&mut store, BUFFER)).transpose()?;
        let calls = Arc::clone(&store.data().calls);
        Ok(Self { program, store, memory, regions, init, cycle, buffer, instance, calls })
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

    /// Calls any exported function that takes whole numbers, such as a handler of MIDI messages. Results are dropped.
    ///
    /// # Errors
    /// When there is no such function, it takes other arguments, or it traps.
    pub fn call_export(&mut self, name: &str, arguments: &[i32]) -> Result<(), CallError> {
        self.program.check_export(name, arguments.len())?;
        let Some(function) = self.instance.get_func(&mut self.store, name) else {
            return Err(CallError::NoSuchExport { name: name.to_owned(), nearest: None });
        };
        let arguments: Vec<Val> = arguments.iter().copied().map(Val::I32).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        call(&self.calls, &mut self.store, name.to_owned(), |store| {
            function.call(store, &arguments, &mut results)
        })?;
        Ok(())
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
    function: impl Into<Cow<'static, str>>,
    run: impl FnOnce(&mut Store<State>) -> wasmtime::Result<()>,
) -> Result<(), Trap> {
    // Armed before the call is announced: whoever sees the call moves the epoch past this deadline.
    store.set_epoch_deadline(1);
    let state = store.data_mut();
    state.call += 1;
    let in_progress = calls.enter(state.call);
    let result = run(store);
    drop(in_progress);
    result.map_err(|error| Trap { function: function.into(), kind: TrapKind::of(&error) })
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("program", &self.program).finish_non_exhaustive()
    }
}
