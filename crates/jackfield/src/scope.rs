use std::{fmt, ops::Deref, sync::Arc};

use crate::{event::Bus, plan::ScopeName, registry::Registry};

/// One registry and one bus that belong together: the global scope, or a session.
///
/// A handle: clones look at the same scope. Lookups need no `registry()` in between:
/// `scope.resolve(GREETER)` asks the scope's [`Registry`].
///
/// # Lifetime
///
/// A handle may outlive its scope; it then finds an empty registry and a closed bus.
#[derive(Clone)]
pub struct Scope {
    shared: Arc<Shared>,
}

struct Shared {
    name: ScopeName,
    registry: Registry,
    bus: Bus,
}

impl Scope {
    pub(crate) fn new(name: ScopeName) -> Self {
        Self { shared: Arc::new(Shared { name, registry: Registry::new(), bus: Bus::new() }) }
    }

    /// Which scope this is.
    pub fn name(&self) -> &ScopeName {
        &self.shared.name
    }

    /// The services.
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// The bus.
    pub fn bus(&self) -> &Bus {
        &self.shared.bus
    }
}

impl Deref for Scope {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        self.registry()
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("name", self.name())
            .field("slots", self.registry())
            .finish_non_exhaustive()
    }
}
