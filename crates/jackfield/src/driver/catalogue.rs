use std::{collections::HashMap, sync::Arc};

use super::scope_state::{Catalogue, Listed};
use crate::{
    context::{GlobalContext, SessionContext},
    declare::Declared,
    plan::Declaration,
    plugin::ByScope,
};

/// All plugins of a runtime, by the scope they live in.
pub(crate) struct Catalogues<G, S> {
    declarations: Arc<[Arc<Declaration>]>,
    pub(super) global: Catalogue<GlobalContext<G>>,
    pub(super) session: Catalogue<SessionContext<G, S>>,
}

impl<G, S> Catalogues<G, S> {
    pub(super) fn new(plugins: Vec<Declared<G, S>>) -> Self {
        let (mut global, mut session, mut declarations) = (HashMap::new(), HashMap::new(), Vec::new());
        for (declaration, plugin) in plugins {
            let declaration = Arc::new(declaration);
            declarations.push(Arc::clone(&declaration));
            let id = declaration.manifest.id().clone();
            match plugin {
                ByScope::Global(hooks) => drop(global.insert(id, Listed { declaration, hooks })),
                ByScope::Session(hooks) => drop(session.insert(id, Listed { declaration, hooks })),
            }
        }
        Self { declarations: declarations.into(), global: Arc::new(global), session: Arc::new(session) }
    }

    pub(super) fn declarations(&self) -> Arc<[Arc<Declaration>]> {
        Arc::clone(&self.declarations)
    }
}
