use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;

use super::StubScope;
use crate::{
    config::ConfigCell,
    context::{Context, Edit, Home},
    error::HookError,
    id::PluginId,
    runtime::HOOK_DEADLINE,
    scope::Scope,
    settings::RuntimeSettings,
};

/// A context for hooks that the test calls itself. Dereferences to the [`SessionContext`](crate::SessionContext) or
/// [`GlobalContext`](crate::GlobalContext) that hooks are handed.
///
/// # Lifetime
///
/// What hooks keep in it ends with [`release`](Self::release), as after a detach; or when it is dropped, then without
/// waiting for tasks, and without goodbyes.
pub struct StubContext<C: Deref<Target = Context>> {
    context: C,
    edits: Mutex<mpsc::UnboundedReceiver<Edit>>,
}

impl<C: Deref<Target = Context>> StubContext<C> {
    pub(super) fn new(
        scope: &StubScope,
        plugin: &PluginId,
        config: Option<Arc<dyn ConfigCell>>,
        wrap: impl FnOnce(Context) -> C,
    ) -> Self {
        let (edits, requested) = mpsc::unbounded_channel();
        let home = Arc::new(Home { scope: Scope::clone(scope), edits });
        let context = wrap(Context::new(home, plugin.clone(), config));
        Self { context, edits: Mutex::new(requested) }
    }

    /// `settings` with the changes that hooks, and what they left running, have [asked for](Context::request_change) since
    /// this was last called. Nothing else comes of them.
    pub fn requested(&self, settings: &RuntimeSettings) -> RuntimeSettings {
        let next = || self.edits.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok();
        std::iter::from_fn(next).fold(settings.clone(), |settings, edit| edit(&settings))
    }

    /// Ends what hooks have kept, last in first out, and says what failed on its way out: what follows a detach.
    pub async fn release(&self) -> Vec<HookError> {
        let (ledger, mut failures) = (self.context.ledger(), Vec::new());
        while let Some(slow) = ledger.end_at_once(&mut failures) {
            failures.extend(slow.end(HOOK_DEADLINE).await.err());
        }
        failures
    }
}

impl<C: Deref<Target = Context>> Deref for StubContext<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.context
    }
}

impl<C: Deref<Target = Context>> fmt::Debug for StubContext<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StubContext").field(&*self.context).finish()
    }
}
