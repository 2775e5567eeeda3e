use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{
    context::{GlobalContext, SessionContext},
    declare::Declared,
    id::PluginId,
    plan::{Declaration, Roster},
    plugin::{ByScope, Hooks},
};

/// The plugins of one kind of scope.
pub(super) type Catalogue<C> = Arc<FxHashMap<PluginId, Arc<Listed<C>>>>;

/// A plugin, and what is known of it.
pub(super) struct Listed<C> {
    pub(super) declaration: Arc<Declaration>,
    pub(super) hooks: Arc<dyn Hooks<C>>,
}

/// All plugins of a runtime, by the scope they live in.
pub(crate) struct Catalogues<G, S> {
    declarations: Arc<Roster>,
    pub(super) global: Catalogue<GlobalContext<G>>,
    pub(super) session: Catalogue<SessionContext<G, S>>,
}

impl<G, S> Catalogues<G, S> {
    /// The catalogues of these plugins, in the order in which they were added.
    pub(super) fn new(plugins: &[Declared<G, S>]) -> Self {
        let (mut global, mut session) = (FxHashMap::default(), FxHashMap::default());
        let mut declarations = Vec::with_capacity(plugins.len());
        for (declaration, plugin) in plugins {
            let declaration = Arc::clone(declaration);
            declarations.push(Arc::clone(&declaration));
            let id = declaration.manifest.id().clone();
            match plugin {
                ByScope::Global(hooks) => {
                    global.insert(id, Arc::new(Listed { declaration, hooks: Arc::clone(hooks) }));
                }
                ByScope::Session(hooks) => {
                    session.insert(id, Arc::new(Listed { declaration, hooks: Arc::clone(hooks) }));
                }
            }
        }
        let declarations = Arc::new(Roster::new(declarations));
        Self { declarations, global: Arc::new(global), session: Arc::new(session) }
    }

    pub(super) fn declarations(&self) -> Arc<Roster> {
        Arc::clone(&self.declarations)
    }
}
