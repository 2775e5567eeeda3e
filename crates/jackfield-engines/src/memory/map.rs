use std::collections::HashMap;

use crate::memory::{
    element::Value,
    memories::Memories,
    nearest::nearest,
    variable::{AccessError, Variable},
};

/// Which variable of a program lies where in its memories, module by module in the program's own order.
///
/// Made by [`Project`](crate::Project) from the map the compiler wrote. A lookup by name costs two hash lookups and
/// allocates nothing unless it fails; keep the [`Variable`] where that is too much.
///
/// Ids are `module.variable` or `module:variable`; either is understood for either generation of program, and parts
/// after the second are ignored.
#[derive(Clone, Debug, Default)]
pub struct MemoryMap {
    modules: Vec<Module>,
    places: HashMap<String, usize>,
}

/// A part of a program: its name and its variables, in the order in which they lie in memory.
#[derive(Clone, Debug, Default)]
pub struct Module {
    id: String,
    variables: Vec<Variable>,
    places: HashMap<String, usize>,
}

/// The map knows no variable of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no variable `{id}`{}", nearest.as_ref().map(|id| format!("; nearest is `{id}`")).unwrap_or_default())]
pub struct UnknownVariable {
    /// The id asked for.
    pub id: String,
    /// The id that was probably meant.
    pub nearest: Option<String>,
}

/// A variable could not be read or written by its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamedAccessError {
    /// There is no such variable.
    #[error(transparent)]
    Unknown(#[from] UnknownVariable),
    /// It is there, but not as asked for.
    #[error("`{id}` cannot be reached")]
    Access {
        /// The variable.
        id: String,
        /// What is in the way.
        source: AccessError,
    },
}

impl NamedAccessError {
    fn access(id: &str, source: AccessError) -> Self {
        Self::Access { id: id.to_owned(), source }
    }
}

impl MemoryMap {
    /// A map of these modules; of two with one name the later counts.
    pub(crate) fn new(modules: Vec<Module>) -> Self {
        let places = modules.iter().enumerate().map(|(place, module)| (module.id.clone(), place)).collect();
        Self { modules, places }
    }

    /// The modules, in the program's order.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// The module of that name.
    pub fn module(&self, id: &str) -> Option<&Module> {
        self.modules.get(*self.places.get(id)?)
    }

    /// The module that was probably meant, where there is none of that name.
    pub(crate) fn nearest_module(&self, id: &str) -> Option<&str> {
        nearest(id, self.modules.iter().map(Module::id))
    }

    /// Every variable of every module, in order.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.modules.iter().flat_map(Module::variables)
    }

    /// The variable called `id`, if there is one.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn get(&self, id: &str) -> Option<&Variable> {
        let mut parts = id.split(['.', ':']);
        let module = parts.next()?;
        self.module(module)?.variable(parts.next()?)
    }

    /// The variable called `id`.
    ///
    /// # Errors
    /// When there is none; the error names the nearest one.
    pub fn variable(&self, id: &str) -> Result<&Variable, UnknownVariable> {
        self.get(id).ok_or_else(|| {
            let nearest = nearest(id, self.variables().map(|variable| variable.id.as_str()));
            UnknownVariable { id: id.to_owned(), nearest: nearest.map(str::to_owned) }
        })
    }

    /// The first element of the variable called `id`.
    ///
    /// # Errors
    /// When there is no such variable, or it lies outside `memories`.
    pub fn read(&self, memories: &(impl Memories + ?Sized), id: &str) -> Result<Value, NamedAccessError> {
        self.variable(id)?.read(memories, 0).map_err(|source| NamedAccessError::access(id, source))
    }

    /// Writes the first element of the variable called `id`; [`Element::value_of`](crate::Element::value_of) makes
    /// a value of the right type from any number.
    ///
    /// # Errors
    /// When there is no such variable, it lies outside `memories`, or it has another type than `value`.
    pub fn write(
        &self,
        memories: &mut (impl Memories + ?Sized),
        id: &str,
        value: Value,
    ) -> Result<(), NamedAccessError> {
        self.variable(id)?.write(memories, 0, value).map_err(|source| NamedAccessError::access(id, source))
    }
}

impl PartialEq for MemoryMap {
    fn eq(&self, other: &Self) -> bool {
        self.modules == other.modules
    }
}

impl Module {
    /// A module of these variables; of two with one name the later counts.
    pub(crate) fn new(id: String, variables: Vec<Variable>) -> Self {
        let places =
            variables.iter().enumerate().map(|(place, variable)| (variable.name.clone(), place)).collect();
        Self { id, variables, places }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its variables, in order.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The variable of that name within the module.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.get(*self.places.get(name)?)
    }
}

impl PartialEq for Module {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.variables == other.variables
    }
}
