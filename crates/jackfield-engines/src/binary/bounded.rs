//! Which programs certainly end.
//!
//! 8f4e's compiler makes no recursion, and only loops that count: `buffer` runs 128 rounds, and every `loop` leaves after
//! 1000. Where that can be seen in the code, and all that a call can ever do takes a bounded number of steps, nobody
//! needs to be able to interrupt it, and it runs as fast as the machine allows.

use wasmparser::{FunctionBody, Operator, Parser, Payload, TypeRef, Validator, WasmFeatures};

/// The most steps that a call may take and still be left to itself: about a tenth of a second. What takes longer should
/// be ended, so it must be able to be.
const MOST_STEPS: u64 = 100_000_000;

/// What one instruction that fills or copies memory may cost, in steps: a few milliseconds.
const BULK_STEPS: u64 = 4_000_000;

/// The longest function that is looked at, in bytes; 8f4e's compiler makes none that is a tenth of it.
const LONGEST: usize = 1 << 20;

/// How often each instruction may be looked at, which is once for every loop around it.
const MOST_LOOKS: usize = 32;

/// How deep calls may be nested. So deep a program would not get either.
const DEEPEST: usize = 1_000;

/// Whether every call of every function of this binary returns or traps within a bounded number of steps.
///
/// `false` where it cannot be seen, also for binaries that are not valid.
pub(crate) fn always_ends(wasm: &[u8]) -> bool {
    steps(wasm).is_some_and(|most| most <= MOST_STEPS)
}

/// The most steps that any function of the binary can take; `None` if there may be no such number.
fn steps(wasm: &[u8]) -> Option<u64> {
    // With these features there is no way to go back but a loop, and no way elsewhere but a call.
    let features = WasmFeatures::WASM1
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::THREADS;
    Validator::new_with_features(features).validate_all(wasm).ok()?;
    let mut imported = 0;
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(matches!(import.ok()?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => functions.push(Function::read(&body)?),
            _ => {}
        }
    }
    let mut all = Steps { imported, functions: &functions, known: vec![Known::No; functions.len()] };
    (0..functions.len()).map(|index| all.of(index, 0)).try_fold(0, |most, steps| Some(steps?.max(most)))
}

/// What a function does: steps of its own, and calls, each as often as it can happen.
#[derive(Debug, Default)]
struct Function {
    own: u64,
    calls: Vec<(u32, u64)>,
}

impl Function {
    fn read(body: &FunctionBody<'_>) -> Option<Self> {
        if body.range().len() > LONGEST {
            return None;
        }
        let code = body.get_operators_reader().ok()?.into_iter().collect::<Result<Vec<_>, _>>().ok()?;
        let mut function = Self::default();
        // How often what is in each open block happens, for each time that the function is called.
        let mut open: Vec<u64> = vec![1];
        let mut looks = code.len() * MOST_LOOKS;
        for (place, operator) in code.iter().enumerate() {
            let times = *open.last()?;
            let mut steps = 1;
            match operator {
                Operator::Loop { .. } => {
                    looks = looks.checked_sub(end_of(&code, place)? - place)?;
                    open.push(times.checked_mul(rounds(&code, place)?)?);
                }
                Operator::Block { .. } | Operator::If { .. } => open.push(times),
                Operator::End => {
                    open.pop()?;
                }
                Operator::Call { function_index } => function.calls.push((*function_index, times)),
                Operator::CallIndirect { .. } | Operator::BrTable { .. } | Operator::MemoryGrow { .. } => {
                    return None;
                }
                Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } | Operator::MemoryInit { .. } => {
                    steps = BULK_STEPS;
                }
                _ => {}
            }
            function.own = function.own.checked_add(times.checked_mul(steps)?)?;
        }
        Some(function)
    }
}

/// How many rounds the loop at `place` makes at most.
fn rounds(code: &[Operator<'_>], place: usize) -> Option<u64> {
    let (start, counter) = counter(code, place)?;
    let end = end_of(code, place)?;
    let body = &code[place + 1..end];
    // Seen so far on the way that every round takes: where it leaves, and by how much it counts up.
    let (mut limit, mut step): (Option<u64>, Option<u64>) = (None, None);
    let mut depth = 0;
    let (mut down, mut goes_back) = (false, false);
    for (at, operator) in body.iter().enumerate() {
        let before = &body[..at];
        match operator {
            Operator::If { .. } if depth == 0 => {
                if let Some(found) = compared(before, counter).filter(|_| leaves(code, place + 1 + at)) {
                    limit = limit.or(Some(found));
                }
                depth += 1;
            }
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
            Operator::End => depth -= 1,
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index }
                if *local_index == counter =>
            {
                match counted(before, counter)? {
                    Counted::Up(by) if depth == 0 && step.is_none() => step = Some(by),
                    Counted::Down if depth == 0 && !down => down = true,
                    _ => return None,
                }
            }
            // Out of the loop, once the limit is reached.
            Operator::BrIf { relative_depth } if depth == 0 && *relative_depth > 0 => {
                limit = limit.or(compared(before, counter));
            }
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth }
                if *relative_depth == depth =>
            {
                goes_back = true;
                let conditional = matches!(operator, Operator::BrIf { .. });
                let counts_down = down && depth == 0 && conditional && is_not_zero(before, counter);
                let counts_up = limit.is_some() && step.is_some();
                if !counts_down && !counts_up {
                    return None;
                }
            }
            _ => {}
        }
    }
    match (down, limit, step) {
        (true, _, None) => Some(start).filter(|start| *start > 0),
        // It must not jump over its limit and around the numbers' end.
        (false, Some(limit), Some(step)) if limit + step <= i32::MAX.unsigned_abs().into() => {
            Some(limit.saturating_sub(start) / step + 2)
        }
        (false, _, _) if !goes_back => Some(1),
        _ => None,
    }
}

/// What the counter of the loop at `place` starts from, and which local it is: set right before it, or before the block
/// around it.
fn counter(code: &[Operator<'_>], place: usize) -> Option<(u64, u32)> {
    let before = match code[..place].split_last() {
        Some((Operator::Block { .. }, before)) => before,
        _ => &code[..place],
    };
    match before {
        [.., Operator::I32Const { value }, Operator::LocalSet { local_index }] => {
            Some((u64::try_from(*value).ok()?, *local_index))
        }
        _ => None,
    }
}

/// What the counter was just compared with, to leave when it is as large.
fn compared(before: &[Operator<'_>], counter: u32) -> Option<u64> {
    use Operator::{I32Const, I32GeS, I32GeU, I32GtS, I32GtU, LocalGet};
    match before {
        [.., LocalGet { local_index }, I32Const { value }, I32GeS | I32GeU | I32GtS | I32GtU]
            if *local_index == counter =>
        {
            u64::try_from(*value).ok().map(|limit| limit + 1)
        }
        _ => None,
    }
}

enum Counted {
    Up(u64),
    Down,
}

/// How the counter was just changed; `None` if it is anything but counting.
fn counted(before: &[Operator<'_>], counter: u32) -> Option<Counted> {
    use Operator::{I32Add, I32Const, I32Sub, LocalGet};
    match before {
        [.., LocalGet { local_index }, I32Const { value }, I32Add]
            if *local_index == counter && *value > 0 =>
        {
            Some(Counted::Up(u64::try_from(*value).ok()?))
        }
        [.., LocalGet { local_index }, I32Const { value: 1 }, I32Sub] if *local_index == counter => {
            Some(Counted::Down)
        }
        [.., LocalGet { local_index }, I32Const { value: -1 }, I32Add] if *local_index == counter => {
            Some(Counted::Down)
        }
        _ => None,
    }
}

/// Whether what a branch depends on is that the counter, which was just counted down, is not zero yet.
fn is_not_zero(before: &[Operator<'_>], counter: u32) -> bool {
    match before {
        [.., Operator::LocalTee { local_index }] => *local_index == counter,
        [.., Operator::LocalSet { local_index: set }, Operator::LocalGet { local_index: got }] => {
            *set == counter && *got == counter
        }
        _ => false,
    }
}

/// Whether the `if` at `place`, directly in a loop, leaves that loop when it is entered: straight on, to a last branch.
fn leaves(code: &[Operator<'_>], place: usize) -> bool {
    let Some(end) = end_of(code, place) else { return false };
    let is_straight = |operator: &Operator<'_>| {
        !matches!(
            operator,
            Operator::Block { .. }
                | Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::Else
                | Operator::Br { .. }
                | Operator::BrIf { .. }
        )
    };
    match code[place + 1..end].split_last() {
        Some((Operator::Br { relative_depth: 2.. } | Operator::Return, before)) => {
            before.iter().all(is_straight)
        }
        _ => false,
    }
}

/// The end of what begins at `place`.
fn end_of(code: &[Operator<'_>], place: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, operator) in code.iter().enumerate().skip(place) {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
            Operator::End => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The steps of functions, calls included.
struct Steps<'a> {
    imported: u32,
    functions: &'a [Function],
    known: Vec<Known>,
}

#[derive(Clone, Copy)]
enum Known {
    No,
    /// It is being looked at: whoever calls it now calls itself.
    Asked,
    Yes(Option<u64>),
}

impl Steps<'_> {
    /// Of the function at `index`, which is `depth` calls deep.
    fn of(&mut self, index: usize, depth: usize) -> Option<u64> {
        if depth > DEEPEST {
            return None;
        }
        match *self.known.get(index)? {
            Known::Yes(steps) => return steps,
            Known::Asked => return None,
            Known::No => self.known[index] = Known::Asked,
        }
        let functions = self.functions;
        let function = &functions[index];
        let steps = function.calls.iter().try_fold(function.own, |sum, (callee, times)| {
            // What the host lends is not looked into.
            let callee = usize::try_from(callee.checked_sub(self.imported)?).ok()?;
            sum.checked_add(self.of(callee, depth + 1)?.checked_mul(*times)?)
        });
        self.known[index] = Known::Yes(steps);
        steps
    }
}

#[cfg(test)]
mod tests;
