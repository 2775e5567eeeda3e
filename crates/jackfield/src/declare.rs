//! Learning what plugins offer, before any of them runs.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    foreign::contain,
    id::{PluginId, SlotId},
    plan::Declaration,
    plugin::{AnyPlugin, ByScope},
    registry::{Registrar, Terms},
};

/// Why a plugin cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// There is one of this name. Ids are unique across both scopes.
    #[error("there are two plugins called `{plugin}`")]
    Duplicate {
        /// The name.
        plugin: PluginId,
    },
    /// Two plugins use one slot id for two types. One of the two constants is wrong.
    #[error("`{plugin}` offers `{slot}` as `{found}`, `{other}` as `{expected}`")]
    SlotTypes {
        /// The plugin that cannot be added.
        plugin: PluginId,
        /// The slot.
        slot: SlotId,
        /// The type it offers.
        found: &'static str,
        /// The plugin that was added before.
        other: PluginId,
        /// The type that one offers.
        expected: &'static str,
    },
    /// It panicked when it was asked what it is or what it offers: a bug in the plugin.
    #[error("a plugin panicked while it was added: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
}

/// A plugin, and what it says of itself.
pub(crate) type Declared<G, S> = (Arc<Declaration>, ByScope<G, S>);

/// What is known of the plugins that are there, which one more must go with.
#[derive(Default)]
pub(crate) struct Known {
    plugins: HashSet<PluginId>,
    /// What each slot holds, and who offers it.
    slots: HashMap<SlotId, (Arc<Terms>, PluginId)>,
}

impl Known {
    pub(crate) fn of<G, S>(there: &[Declared<G, S>]) -> Self {
        let mut known = Self::default();
        there.iter().for_each(|(declaration, _)| known.add(declaration));
        known
    }

    /// Asks `plugin` what it is and what it offers, and whether it goes with those that are known; then it is one of them.
    pub(crate) fn declare<G, S>(
        &mut self,
        AnyPlugin(plugin): AnyPlugin<G, S>,
    ) -> Result<Declared<G, S>, AddError> {
        let declaration = contain(|| {
            let mut offers = Vec::new();
            plugin.register(&mut Registrar::new(&mut offers));
            let offers = offers.into_iter().map(|offer| Arc::new(offer.terms)).collect();
            Declaration { manifest: plugin.manifest(), scope: plugin.kind(), offers }
        });
        let declaration = declaration.map_err(|message| AddError::Panicked { message })?;
        self.check(&declaration)?;
        self.add(&declaration);
        Ok((Arc::new(declaration), plugin))
    }

    fn check(&self, declaration: &Declaration) -> Result<(), AddError> {
        let plugin = declaration.manifest.id();
        if self.plugins.contains(plugin) {
            return Err(AddError::Duplicate { plugin: plugin.clone() });
        }
        for offer in &declaration.offers {
            if let Some((first, other)) = self.slots.get(&offer.slot)
                && first.type_id != offer.type_id
            {
                return Err(AddError::SlotTypes {
                    plugin: plugin.clone(),
                    slot: offer.slot.clone(),
                    found: offer.type_name,
                    other: other.clone(),
                    expected: first.type_name,
                });
            }
        }
        Ok(())
    }

    fn add(&mut self, declaration: &Declaration) {
        let plugin = declaration.manifest.id();
        self.plugins.insert(plugin.clone());
        let slots =
            declaration.offers.iter().map(|offer| (offer.slot.clone(), (Arc::clone(offer), plugin.clone())));
        self.slots.extend(slots);
    }
}
