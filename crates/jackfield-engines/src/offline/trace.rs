use crate::{
    instance::{Instance, Trap, TrapKind},
    memory::Reading,
    midi::{MidiMapper, PortMessage},
};

/// The cycles after which a trace notes all values.
const MARKS: [u64; 4] = [1, 10, 100, 1_000];

/// What a timer program did in a number of cycles.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// How many cycles ran, those that trapped included. Fewer than asked for when one had to be interrupted.
    pub cycles: u64,
    /// All named values after 1, 10, 100 and 1000 cycles, as far as they were reached.
    pub after: Vec<Moment>,
    /// The first cycle that trapped, counted from 1, and why.
    pub first_trap: Option<(u64, Trap)>,
    /// How many cycles trapped.
    pub traps: u64,
    /// What was sent, in order; those of one cycle as they were sent after it.
    pub messages: Vec<TracedMessage>,
}

/// A message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedMessage {
    /// The cycle it was sent after.
    pub cycle: u64,
    /// What was sent, and where to.
    pub sent: PortMessage,
}

/// All named values after a number of cycles, in the order of the map.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Moment {
    /// The number of cycles.
    pub cycle: u64,
    /// Id and contents of every variable.
    pub values: Vec<(String, Reading)>,
}

/// Runs `cycles` ticks of a timer program, one after the other, and notes its values on the way.
///
/// A tick that traps is counted and the next one runs, as it would on a timer; what it stored stays. One that was
/// interrupted is the last: those after it would not return either, and each would cost the patience of whoever watches.
pub fn trace(instance: &mut Instance, cycles: u64) -> Trace {
    run(instance, cycles, None, |_| &[])
}

/// The same for a MIDI program: notes what it sends, and tells it before each cycle what `comes_in`.
///
/// After a tick that traps nothing is sent. What tells other devices to be silent, at the beginning and at the end, is
/// not in it.
pub fn trace_midi<'a>(
    instance: &mut Instance,
    cycles: u64,
    mapper: &mut MidiMapper,
    comes_in: impl FnMut(u64) -> &'a [PortMessage],
) -> Trace {
    run(instance, cycles, Some(mapper), comes_in)
}

fn run<'a>(
    instance: &mut Instance,
    cycles: u64,
    mut mapper: Option<&mut MidiMapper>,
    mut comes_in: impl FnMut(u64) -> &'a [PortMessage],
) -> Trace {
    let mut trace = Trace { cycles, after: Vec::new(), first_trap: None, traps: 0, messages: Vec::new() };
    for cycle in 1..=cycles {
        let told = match &mut mapper {
            Some(mapper) => comes_in(cycle).iter().try_for_each(|came| mapper.deliver(instance, *came)),
            None => Ok(()),
        };
        match told.and_then(|()| instance.cycle()) {
            Ok(()) => {
                if let Some(mapper) = &mut mapper {
                    let messages = &mut trace.messages;
                    mapper.after_cycle(&*instance, |sent| messages.push(TracedMessage { cycle, sent }));
                }
            }
            Err(trap) => {
                let interrupted = trap.kind == TrapKind::Interrupted;
                trace.traps += 1;
                trace.first_trap.get_or_insert((cycle, trap));
                if interrupted {
                    trace.cycles = cycle;
                    break;
                }
            }
        }
        if MARKS.contains(&cycle) {
            trace.after.push(Moment { cycle, values: values(instance) });
        }
    }
    trace
}

/// A variable that lies outside its memory has no value; reading the project refuses a map with such a one.
fn values(instance: &Instance) -> Vec<(String, Reading)> {
    let variables = instance.program().map().variables();
    variables.filter_map(|variable| Some((variable.id.clone(), variable.reading(instance).ok()?))).collect()
}
