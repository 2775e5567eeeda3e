use std::collections::HashMap;

use serde_json::Value as Json;

use crate::{
    binary::ImportedMemory,
    memory::{Element, Initial, MemoryMap, Module, Variable},
    project::{
        json::{At, join},
        problem::Problem,
        regions::Regions,
    },
};

/// By which keys the map says which memory something lies in: by the name of a region, or by its number.
const MEMORY: [&str; 2] = ["memoryRegionName", "memoryIndex"];
/// The same for what a pointer points at.
const POINTEE: [&str; 2] = ["pointeeMemoryRegionName", "pointeeMemoryIndex"];

const REMEDY: &str = "compile the program again: map and program are made together";

/// The seed's map: an object of modules, each with its `memoryMap` and its `index` in the order.
pub(super) fn seed(modules: &At<'_>, problems: &mut Vec<Problem>) -> MemoryMap {
    let mut ordered = Vec::new();
    for (id, module) in modules.members(problems) {
        let index = module.get("index").and_then(|at| at.value.as_u64()).unwrap_or(u64::MAX);
        let names = module.get("memoryMap").map(|at| at.members(problems)).unwrap_or_default();
        let variables = names.iter().filter_map(|(name, at)| {
            let default = at.get("default").and_then(|at| initial(at.value));
            variable(format!("{id}.{name}"), name, at, [0; 2], default, problems)
        });
        ordered.push((index, Module::new(id.clone(), variables.collect())));
    }
    ordered.sort_by_key(|(index, _)| *index);
    MemoryMap::new(ordered.into_iter().map(|(_, module)| module).collect())
}

/// The newest map: `memoryPlan.modules`, their order apart, the defaults apart, and apart where pointers point.
pub(super) fn newest(
    root: &At<'_>,
    plan: &At<'_>,
    regions: &mut Regions<'_>,
    problems: &mut Vec<Problem>,
) -> MemoryMap {
    let Some(modules) = plan.get("modules") else {
        problems.push(Problem::new(&plan.place, "has no `modules`", REMEDY));
        return MemoryMap::default();
    };
    let defaults = root.get("memoryDefaultsByModuleId");
    let pointers = root.get("pointerMetadataByModuleId");
    let mut order = HashMap::new();
    let listed = plan
        .get("moduleOrder")
        .or_else(|| plan.get("moduleList"))
        .and_then(|at| at.value.as_array())
        .into_iter()
        .flatten()
        .filter_map(name_in_order);
    for (index, name) in listed.enumerate() {
        order.entry(name).or_insert(index);
    }
    let mut ordered = Vec::new();
    for (id, module) in modules.members(problems) {
        let index = order.get(id.as_str()).copied().unwrap_or(usize::MAX);
        let names = module.get("memory").map(|at| at.members(problems)).unwrap_or_default();
        let common = regions.number(&module, MEMORY, Some(0), problems);
        let variables = names.iter().filter_map(|(name, at)| {
            let memory = regions.number(at, MEMORY, common, problems);
            let pointee = entry(pointers.as_ref(), &id, name);
            let points_into = pointee.and_then(|at| regions.number(&at, POINTEE, Some(0), problems));
            let memories = [memory, points_into].map(Option::unwrap_or_default);
            let default = entry(defaults.as_ref(), &id, name).and_then(|at| initial(at.get("value")?.value));
            // What lies in no memory is left out, and nothing else is said of its place.
            variable(format!("{id}:{name}"), name, at, memories, default, problems)
                .filter(|_| memory.is_some())
        });
        ordered.push((index, Module::new(id.clone(), variables.collect())));
    }
    if let Some(required) = root.get("requiredMemoryBytesByRegion") {
        regions.check_sizes(&required, problems);
    }
    ordered.sort_by_key(|(index, _)| *index);
    MemoryMap::new(ordered.into_iter().map(|(_, module)| module).collect())
}

/// What is said of a variable apart from the map.
fn entry<'a>(all: Option<&At<'a>>, module: &str, name: &str) -> Option<At<'a>> {
    all?.get(module)?.get(name)
}

/// The order is a list of ids, or of modules that have one.
fn name_in_order(entry: &Json) -> Option<&str> {
    entry.as_str().or_else(|| entry.get("id")?.as_str())
}

fn variable(
    id: String,
    name: &str,
    at: &At<'_>,
    [memory, points_into]: [u32; 2],
    default: Option<Initial>,
    problems: &mut Vec<Problem>,
) -> Option<Variable> {
    at.object(problems)?;
    let mut required = |key: &str| {
        let Some(member) = at.get(key) else {
            problems.push(Problem::new(&at.place, format!("has no `{key}`"), REMEDY));
            return None;
        };
        member.whole(problems)
    };
    // All three at once, so that all that are missing are named.
    let (address, elements, size) =
        (required("byteAddress"), required("numberOfElements"), required("elementWordSize"));
    let (byte_address, elements, size) = (address?, elements?, size?);
    let is = |key: &str| at.get(key).is_some_and(|at| at.value == &Json::Bool(true));
    let pointer = is("isPointer") || at.get("pointerDepth").is_some_and(|at| at.value.as_u64() > Some(0));
    let element = match (size, is("isInteger") || pointer, is("isUnsigned")) {
        (1, true, false) => Element::I8,
        (1, true, true) => Element::U8,
        (2, true, false) => Element::I16,
        (2, true, true) => Element::U16,
        (4, true, _) => Element::I32,
        (4, false, _) => Element::F32,
        (8, false, _) => Element::F64,
        (size, integer, _) => {
            let kind = if integer { "whole numbers" } else { "floats" };
            problems.push(Problem::new(&at.place, format!("{kind} of {size} bytes do not exist"), REMEDY));
            return None;
        }
    };
    let points_into = if pointer { points_into } else { memory };
    let name = name.to_owned();
    Some(Variable { id, name, memory, byte_address, element, elements, pointer, points_into, default })
}

fn initial(value: &Json) -> Option<Initial> {
    if let Some(number) = value.as_f64() {
        return Some(Initial::One(number));
    }
    let elements = value.as_object()?.iter();
    Some(Initial::Elements(
        elements.filter_map(|(index, value)| Some((index.parse().ok()?, value.as_f64()?))).collect(),
    ))
}

/// Names what lies outside its memory, up to a few: one wrong number moves all that follows. `place` and `inner` are the
/// keys above a module and above its variables.
pub(super) fn outside(
    map: &MemoryMap,
    memories: &[ImportedMemory],
    [place, inner]: [&str; 2],
    problems: &mut Vec<Problem>,
) {
    const NAMED: usize = 5;
    let mut found = 0;
    for module in map.modules() {
        for variable in module.variables() {
            let Some(memory) = memories.get(variable.memory as usize) else { continue };
            let (start, end, size) = (variable.byte_address, variable.end(), memory.bytes());
            if end <= size {
                continue;
            }
            found += 1;
            if found <= NAMED {
                let place = join(&join(&join(place, module.id()), inner), &variable.name);
                let (called, remedy) = match variable.memory {
                    0 => ("the memory".to_owned(), "raise `memorySizeBytes` and compile the program again"),
                    _ => (format!("region `{}`", memory.name), REMEDY),
                };
                let message = format!("takes bytes {start} to {end}, but {called} has {size}");
                problems.push(Problem::new(place, message, remedy));
            }
        }
    }
    if found > NAMED {
        let message = format!("{} more variables lie outside the memory", found - NAMED);
        problems.push(Problem::new(place, message, REMEDY));
    }
}
