use std::{fmt, ops::Deref, sync::Arc};

use futures_util::future::join_all;

use crate::{
    event::{Bus, EmitError, Envelope},
    plan::ScopeName,
    registry::Registry,
};

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

/// Emits `event` in each of `scopes`, side by side, and returns what came of it in each.
pub(crate) async fn broadcast<E: Clone + Send + 'static>(
    scopes: Vec<Scope>,
    event: E,
) -> Vec<(ScopeName, Result<Envelope<E>, EmitError>)> {
    let emits = scopes.into_iter().map(|scope| {
        let event = event.clone();
        async move { (scope.name().clone(), scope.bus().emit(event).await) }
    });
    join_all(emits).await
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
