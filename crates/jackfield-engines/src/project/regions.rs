use std::collections::BTreeSet;

use crate::{
    binary::ImportedMemory,
    project::{json::At, problem::Problem},
};

const REMEDY: &str = "compile the program again: map and program are made together";

/// The memories of a program, as its map speaks of them: by the names of regions, or by numbers.
pub(super) struct Regions<'a> {
    /// By their numbers; `None` where the binary could not be read, which is a problem already.
    memories: Option<&'a [ImportedMemory]>,
    /// What the map speaks of and is not there. Each is said once, however much lies in it.
    missing: Vec<String>,
    /// What the map speaks of.
    known: BTreeSet<u32>,
}

impl<'a> Regions<'a> {
    pub(super) fn new(memories: Option<&'a [ImportedMemory]>) -> Self {
        Self { memories, missing: Vec::new(), known: BTreeSet::new() }
    }

    /// The number of the memory that `at` names: by the member called `name`, or else by that called `index`; `otherwise`
    /// where it names none. `None` if there is no such memory.
    pub(super) fn number(
        &mut self,
        at: &At<'_>,
        [name, index]: [&str; 2],
        otherwise: Option<u32>,
        problems: &mut Vec<Problem>,
    ) -> Option<u32> {
        let number = if let Some(named) = at.get(name) {
            self.named(named.text(problems)?, &named.place, problems)
        } else if let Some(counted) = at.get(index) {
            self.counted(counted.whole(problems)?, &counted.place, problems)
        } else {
            otherwise
        };
        self.known.extend(number);
        number
    }

    /// Compares the sizes that regions need, by their names, with those that the binary asks for.
    pub(super) fn check_sizes(&mut self, required: &At<'_>, problems: &mut Vec<Problem>) {
        for (name, at) in required.members(problems) {
            let Some(needed) = at.whole(problems) else { continue };
            let Some(number) = self.named(&name, &at.place, problems) else { continue };
            self.known.insert(number);
            let Some(size) = self.memory(number).map(ImportedMemory::bytes) else { continue };
            if u64::from(needed) > size {
                let message =
                    format!("needs {needed} bytes, but the program imports `host.{name}` with {size}");
                problems.push(Problem::new(&at.place, message, REMEDY));
            }
        }
    }

    /// A remark on each region that the binary imports and the map does not speak of.
    pub(super) fn unknown(&self) -> Vec<Problem> {
        let numbered = (0..).zip(self.memories.unwrap_or_default()).skip(1);
        let unknown = numbered.filter(|(number, _)| !self.known.contains(number));
        let remark = |name: &str| {
            let message = format!("nothing lies in region `{name}`, which the program imports");
            Problem::new("memoryPlan.modules", message, "if something does, compile the program again")
        };
        unknown.map(|(_, memory)| remark(&memory.name)).collect()
    }

    /// The memory of the region of that name.
    fn named(&mut self, name: &str, place: &str, problems: &mut Vec<Problem>) -> Option<u32> {
        let Some(memories) = self.memories else { return Some(0) };
        let number = (0..).zip(memories).find(|(_, memory)| memory.name == name).map(|(number, _)| number);
        if number.is_none() {
            let imported: Vec<_> =
                memories.iter().map(|memory| format!("`{}.{}`", memory.module, memory.name)).collect();
            let imported = imported.join(", ");
            let message = format!("there is no region `{name}`: the program imports {imported} only");
            self.miss(name.to_owned(), Problem::new(place, message, REMEDY), problems);
        }
        number
    }

    /// The memory of that number, if there is one.
    fn counted(&mut self, number: u32, place: &str, problems: &mut Vec<Problem>) -> Option<u32> {
        let count = match self.memories.map(<[_]>::len) {
            Some(count) if number as usize >= count => count,
            _ => return Some(number),
        };
        let message = format!("there is no memory {number}: the program imports {count}, counted from 0");
        self.miss(number.to_string(), Problem::new(place, message, REMEDY), problems);
        None
    }

    fn miss(&mut self, which: String, problem: Problem, problems: &mut Vec<Problem>) {
        if !self.missing.contains(&which) {
            self.missing.push(which);
            problems.push(problem);
        }
    }

    fn memory(&self, number: u32) -> Option<&'a ImportedMemory> {
        self.memories?.get(number as usize)
    }
}
