//! Which engines there are.

use super::EngineFactory;
use crate::id::EngineId;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// An immutable list of engine factories. Cheap to clone; a change is a new list, set in the store.
#[derive(Clone, Default)]
pub struct EngineRegistry(Arc<[Registered]>);

/// An engine in the registry.
///
/// What its factory says about itself was read when it was registered: a factory is foreign code, and
/// looking something up runs none.
#[derive(Clone)]
pub struct Registered {
    id: EngineId,
    aliases: Arc<[&'static str]>,
    defaults: Arc<Map<String, Value>>,
    factory: Arc<dyn EngineFactory>,
}

impl Registered {
    fn new(factory: Arc<dyn EngineFactory>) -> Self {
        let (id, aliases, defaults) = (factory.id(), factory.aliases().into(), factory.defaults());
        Self { id, aliases, defaults: Arc::new(defaults), factory }
    }

    /// The engine's id.
    #[must_use]
    pub fn id(&self) -> &EngineId {
        &self.id
    }

    /// The other names it answers to.
    #[must_use]
    pub fn aliases(&self) -> &[&'static str] {
        &self.aliases
    }

    /// The settings an engine has where the project says nothing.
    #[must_use]
    pub fn defaults(&self) -> &Map<String, Value> {
        &self.defaults
    }

    /// What makes the engine.
    #[must_use]
    pub fn factory(&self) -> &Arc<dyn EngineFactory> {
        &self.factory
    }

    /// Whether both are the same registration. One made anew under the same id is another.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.factory, &other.factory)
    }
}

impl EngineRegistry {
    /// A registry of these factories. Of two with the same id the later one counts.
    pub fn new(factories: impl IntoIterator<Item = Arc<dyn EngineFactory>>) -> Self {
        factories.into_iter().fold(Self::default(), |registry, factory| registry.with(factory))
    }

    /// The same with one factory more, in place of the one that had its id.
    #[must_use]
    pub fn with(&self, factory: Arc<dyn EngineFactory>) -> Self {
        let entry = Registered::new(factory);
        let others = self.0.iter().filter(|other| other.id != entry.id).cloned();
        Self(others.chain([entry.clone()]).collect())
    }

    /// The same without the factory of that id.
    #[must_use]
    pub fn without(&self, id: &EngineId) -> Self {
        Self(self.0.iter().filter(|entry| entry.id != *id).cloned().collect())
    }

    /// The engine of that id or, failing that, the first with that alias.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Registered> {
        let by_id = self.0.iter().find(|entry| entry.id.as_str() == name);
        by_id.or_else(|| self.0.iter().find(|entry| entry.aliases.contains(&name)))
    }

    /// Whether this very registration is in the list.
    #[must_use]
    pub fn holds(&self, engine: &Registered) -> bool {
        self.0.iter().any(|entry| entry.is(engine))
    }

    /// Whether both hold the same registrations, in whatever order.
    #[must_use]
    pub fn is_the_same_as(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|engine| other.holds(engine))
    }

    /// The engines, in order of registration.
    pub fn iter(&self) -> impl Iterator<Item = &Registered> {
        self.0.iter()
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for EngineRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Registered::id)).finish()
    }
}
