use std::collections::HashMap;

use serde_json::Value as Json;

use crate::{
    memory::{Element, Initial, MemoryMap, Module, Variable},
    project::{
        json::{At, join},
        problem::Problem,
    },
};

const REMEDY: &str = "compile the program again: map and program are made together";

/// The seed's map: an object of modules, each with its `memoryMap` and its `index` in the order.
pub(super) fn seed(modules: &At<'_>, problems: &mut Vec<Problem>) -> MemoryMap {
    let mut ordered = Vec::new();
    for (id, module) in modules.members(problems) {
        let index = module.get("index").and_then(|at| at.value.as_u64()).unwrap_or(u64::MAX);
        let names = module.get("memoryMap").map(|at| at.members(problems)).unwrap_or_default();
        let variables = names.iter().filter_map(|(name, at)| {
            let default = at.get("default").and_then(|at| initial(at.value));
            variable(format!("{id}.{name}"), name, at, default, problems)
        });
        ordered.push((index, Module::new(id.clone(), variables.collect())));
    }
    ordered.sort_by_key(|(index, _)| *index);
    MemoryMap::new(ordered.into_iter().map(|(_, module)| module).collect())
}

/// The newest map: `memoryPlan.modules`, their order apart, the defaults apart. Variables in further memories are left
/// out, as no program with such is played.
pub(super) fn newest(root: &At<'_>, plan: &At<'_>, problems: &mut Vec<Problem>) -> MemoryMap {
    let Some(modules) = plan.get("modules") else {
        problems.push(Problem::new(&plan.place, "has no `modules`", REMEDY));
        return MemoryMap::default();
    };
    let defaults = root.get("memoryDefaultsByModuleId");
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
        let variables = names.iter().filter_map(|(name, at)| {
            if at.get("memoryIndex").is_some_and(|at| at.value.as_u64() != Some(0)) {
                return None;
            }
            let default = defaults.as_ref().and_then(|at| at.get(&id)?.get(name)?.get("value"));
            variable(format!("{id}:{name}"), name, at, default.and_then(|at| initial(at.value)), problems)
        });
        ordered.push((index, Module::new(id.clone(), variables.collect())));
    }
    ordered.sort_by_key(|(index, _)| *index);
    MemoryMap::new(ordered.into_iter().map(|(_, module)| module).collect())
}

/// The order is a list of ids, or of modules that have one.
fn name_in_order(entry: &Json) -> Option<&str> {
    entry.as_str().or_else(|| entry.get("id")?.as_str())
}

fn variable(
    id: String,
    name: &str,
    at: &At<'_>,
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
    Some(Variable { id, name: name.to_owned(), byte_address, element, elements, pointer, default })
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

/// Names what lies outside a memory of `size` bytes, up to a few: one wrong number moves all that follows. `place` and
/// `inner` are the keys above a module and above its variables.
pub(super) fn outside(map: &MemoryMap, size: u64, [place, inner]: [&str; 2], problems: &mut Vec<Problem>) {
    const NAMED: usize = 5;
    let mut found = 0;
    for module in map.modules() {
        for variable in module.variables().iter().filter(|variable| variable.end() > size) {
            found += 1;
            if found <= NAMED {
                let place = join(&join(&join(place, module.id()), inner), &variable.name);
                let (start, end) = (variable.byte_address, variable.end());
                let message = format!("takes bytes {start} to {end}, but the memory has {size}");
                problems.push(Problem::new(
                    place,
                    message,
                    "raise `memorySizeBytes` and compile the program again",
                ));
            }
        }
    }
    if found > NAMED {
        let message = format!("{} more variables lie outside the memory", found - NAMED);
        problems.push(Problem::new(place, message, REMEDY));
    }
}
