use crate::{
    memory::MemoryMap,
    project::{json::At, problem::Problem},
};

/// Which variable goes to, or comes from, which channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The first of the samples.
    pub target: RouteTarget,
    /// The channel, from 0.
    pub channel: u32,
    /// The output or input the channel belongs to, from 0.
    pub port: u32,
}

/// Where a route's samples lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteTarget {
    /// At the variable of this id.
    Variable(String),
    /// At this 4-byte word of the program's own memory (newest generation only).
    Word(u32),
}

/// The routes of a program, as places in its memories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// From memory to the speakers.
    pub outputs: Vec<Address>,
    /// From the microphone to memory.
    pub inputs: Vec<Address>,
}

/// Where the samples of one channel lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The number of the memory they lie in: 0 is the program's own.
    pub memory: u32,
    /// The first of the samples, in bytes from the start of that memory. They may run past its end.
    pub byte_address: u32,
    /// The channel, from 0.
    pub channel: u32,
    /// The output or input the channel belongs to, from 0.
    pub port: u32,
}

impl Route {
    /// All routes in the list called `key`; `port` is what their outputs or inputs are called.
    pub(super) fn read_all(at: &At<'_>, key: &str, port: &str, problems: &mut Vec<Problem>) -> Vec<Self> {
        let Some(list) = at.get(key) else { return Vec::new() };
        list.list(problems).iter().filter_map(|item| Self::read(item, port, problems)).collect()
    }

    /// A missing channel or port is the first. Settings from before 2025-12-18 name module and variable apart.
    fn read(at: &At<'_>, port: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        at.object(problems)?;
        let Some(id) = at.get("memoryId") else {
            let remedy = "name the variable that holds the samples, such as `speakers.left`";
            problems.push(Problem::new(&at.place, "has no `memoryId`", remedy));
            return None;
        };
        let target = if id.value.is_number() {
            RouteTarget::Word(id.whole(problems)?)
        } else {
            let name = id.text(problems)?;
            match at.get("moduleId").and_then(|at| at.text(problems)) {
                Some(module) if !name.contains(['.', ':']) => {
                    RouteTarget::Variable(format!("{module}.{name}"))
                }
                _ => RouteTarget::Variable(name.to_owned()),
            }
        };
        let mut index = |key: &str| at.get(key).map_or(Some(0), |at| at.whole(problems));
        Some(Self { target, channel: index("channel")?, port: index(port)? })
    }

    /// The addresses of those that lead somewhere, and a warning for each that does not. `place` is where the list is.
    pub(super) fn resolve_all(
        routes: &[Self],
        map: &MemoryMap,
        place: &str,
        warnings: &mut Vec<Problem>,
    ) -> Vec<Address> {
        let mut resolved = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            match route.target.place(map) {
                Ok((memory, byte_address)) => {
                    let Self { channel, port, .. } = *route;
                    resolved.push(Address { memory, byte_address, channel, port });
                }
                Err(message) => {
                    let place = format!("{place}[{index}].memoryId");
                    warnings.push(Problem::new(place, message, "the route is left out"));
                }
            }
        }
        resolved
    }
}

impl RouteTarget {
    /// The memory, and the first byte in it.
    fn place(&self, map: &MemoryMap) -> Result<(u32, u32), String> {
        match self {
            Self::Variable(id) => {
                let variable = map.variable(id).map_err(|unknown| unknown.to_string())?;
                Ok((variable.memory, variable.byte_address))
            }
            Self::Word(word) => {
                let byte =
                    word.checked_mul(4).ok_or_else(|| format!("word {word} lies outside any memory"))?;
                Ok((0, byte))
            }
        }
    }
}
