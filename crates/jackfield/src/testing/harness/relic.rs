use std::sync::Arc;

use crate::{id::PluginId, plan::ScopeName, scope::Scope, slot::Slot};

/// Looks up one slot and remembers what was there, without keeping it.
pub(super) type LookUp = Box<dyn Fn(&Scope) -> Option<Relic>>;

/// Something that must be gone when its scope is.
pub(super) struct Relic {
    pub(super) scope: ScopeName,
    what: String,
    is_there: Box<dyn Fn() -> bool>,
}

impl Relic {
    pub(super) fn new<T: ?Sized + Send + Sync + 'static>(
        scope: &ScopeName,
        what: impl Into<String>,
        value: &Arc<T>,
    ) -> Self {
        let weak = Arc::downgrade(value);
        Self { scope: scope.clone(), what: what.into(), is_there: Box::new(move || weak.strong_count() > 0) }
    }

    pub(super) fn is_there(&self) -> bool {
        (self.is_there)()
    }

    pub(super) fn finding(&self) -> String {
        format!("{} outlives {}: somebody keeps it", self.what, self.scope)
    }
}

/// A look at `slot`.
pub(super) fn look_up<T: ?Sized + Send + Sync + 'static>(slot: Slot<T>) -> LookUp {
    Box::new(move |scope| {
        let service = scope.get(slot).ok().flatten()?;
        let plugin = scope.winner(&slot.id());
        let owner = plugin.as_ref().map_or("somebody", PluginId::as_str);
        let what = format!("the service of `{owner}` in `{}`", slot.id());
        Some(Relic::new(scope.name(), what, &service))
    })
}
