use crate::{
    instance::{Instance, Trap},
    memory::{Memories, MemoryMap},
    midi::{binding::Bound, message::PortMessage, notes::NoteOutput, used::Used},
    program::{Export, Program},
    project::{MidiHandler, MidiSettings, Problem},
};

/// From a program's memory to messages, and back: which modules play what, and what they have done so far.
///
/// Needs no device and no thread. Whoever runs the program tells it what came in before a cycle
/// ([`deliver`](Self::deliver)) and asks after it what is to be sent ([`after_cycle`](Self::after_cycle)); at the end,
/// [`end`](Self::end) lets no note hang.
#[derive(Debug)]
pub struct MidiMapper {
    bound: Bound,
    handlers: Vec<Handler>,
    used: Used,
}

/// A function of the program that is called with what comes in.
#[derive(Debug)]
struct Handler {
    named: MidiHandler,
    function: Export,
}

impl MidiMapper {
    /// A mapper for a program with this map, and a note for each module and entry that is left out, and why.
    ///
    /// `memory` is the program's, ready to run: pointers are followed as they point now.
    #[must_use]
    pub fn new(
        settings: &MidiSettings,
        map: &MemoryMap,
        memory: &(impl Memories + ?Sized),
    ) -> (Self, Vec<Problem>) {
        let mut bound = Bound::new(settings, map, memory);
        let problems = std::mem::take(&mut bound.problems);
        (Self { bound, handlers: Vec::new(), used: Used::none() }, problems)
    }

    /// The same for a program, whose handlers are called too; those that it does not export are left out.
    #[must_use]
    pub fn for_program(
        settings: &MidiSettings,
        program: &Program,
        memory: &(impl Memories + ?Sized),
    ) -> (Self, Vec<Problem>) {
        let (mut mapper, mut problems) = Self::new(settings, program.map(), memory);
        for handler in &settings.handlers {
            // Any message shows whether it takes one.
            let found = program.call(&handler.callback, &[0.0; 3]);
            match found.and_then(|_| program.export(&handler.callback)) {
                Ok(function) => mapper.handlers.push(Handler { named: handler.clone(), function }),
                Err(error) => {
                    let place = format!("midi.inputs.{}.callback", handler.id);
                    problems.push(Problem::new(place, error.to_string(), "it is left out"));
                }
            }
        }
        (mapper, problems)
    }

    /// Goes on for `before`, whose program this one's has replaced: modules that both have go on with what they have
    /// done so far, so that a note that sounds is ended by its gate. Notes of all others are ended now.
    pub fn take_over(&mut self, mut before: Self, mut send: impl FnMut(PortMessage)) {
        let Self { bound, used, .. } = self;
        for output in &mut bound.note_outputs {
            if let Some(earlier) =
                before.bound.note_outputs.iter_mut().find(|earlier| earlier.key == output.key)
            {
                output.state = std::mem::take(&mut earlier.state);
            }
        }
        for output in &mut bound.controller_outputs {
            let earlier = before.bound.controller_outputs.iter().find(|earlier| earlier.key == output.key);
            output.last = earlier.and_then(|earlier| earlier.last);
        }
        for input in &mut bound.note_inputs {
            let earlier = before.bound.note_inputs.iter().find(|earlier| earlier.key == input.key);
            input.held = earlier.and_then(|earlier| earlier.held);
        }
        before.bound.note_outputs.iter_mut().filter_map(NoteOutput::end).for_each(&mut send);
        *used = before.used;
    }

    /// Whether there is anything to listen for.
    #[must_use]
    pub fn listens(&self) -> bool {
        let Bound { note_inputs, controller_inputs, .. } = &self.bound;
        !(note_inputs.is_empty() && controller_inputs.is_empty() && self.handlers.is_empty())
    }

    /// Tells every channel that the program plays on, as its memory has them now, to be silent: for the beginning.
    pub fn reset(&self, memory: &(impl Memories + ?Sized), mut send: impl FnMut(PortMessage)) {
        let mut used = Used::none();
        let controllers = self.bound.controller_outputs.iter().map(|output| output.goes_to(memory));
        let notes = self.bound.note_outputs.iter().map(|output| output.goes_to(memory));
        for (port, channel) in controllers.chain(notes).flatten() {
            used.note(port, channel);
        }
        used.reset(&mut send);
    }

    /// Hands over what is to be sent after a cycle: controllers first, then notes, each in the order of the modules.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn after_cycle(&mut self, memory: &(impl Memories + ?Sized), mut send: impl FnMut(PortMessage)) {
        let Self { bound, used, .. } = self;
        let controllers = bound.controller_outputs.iter_mut().map(|output| output.after_cycle(memory));
        let notes = bound.note_outputs.iter_mut().map(|output| output.after_cycle(memory));
        for sent in controllers.chain(notes).flatten() {
            if let Some((_, channel)) = sent.message.kind_and_channel() {
                used.note(sent.port, channel);
            }
            send(sent);
        }
    }

    /// Writes what came in to where the program looks for it; handlers are not called.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn receive(&mut self, memory: &mut (impl Memories + ?Sized), came: PortMessage) {
        for input in &self.bound.controller_inputs {
            input.receive(memory, came);
        }
        for input in &mut self.bound.note_inputs {
            input.receive(memory, came);
        }
    }

    /// The same, and calls the handlers that listen to the port. Not to be called in the middle of a cycle.
    ///
    /// # Errors
    /// When a handler traps; those after it are not called.
    pub fn deliver(&mut self, instance: &mut Instance, came: PortMessage) -> Result<(), Trap> {
        self.receive(instance, came);
        for handler in self.handlers.iter().filter(|handler| handler.named.hears(came.port)) {
            // Three bytes are what it takes.
            if let Ok(call) = handler.function.call(&came.message.padded().map(f64::from)) {
                instance.call(&call)?;
            }
        }
        Ok(())
    }

    /// Ends every note that sounds, where it sounds, and tells every channel that was played on to be silent.
    pub fn end(&mut self, mut send: impl FnMut(PortMessage)) {
        self.bound.note_outputs.iter_mut().filter_map(NoteOutput::end).for_each(&mut send);
        std::mem::replace(&mut self.used, Used::none()).reset(&mut send);
    }
}
