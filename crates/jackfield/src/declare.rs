//! Learning what plugins offer, before any of them runs.

use std::{collections::HashMap, sync::Arc};

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

/// Asks `plugin` what it is and what it offers, and whether it goes with those that are there.
pub(crate) fn declare<G, S>(
    AnyPlugin(plugin): AnyPlugin<G, S>,
    there: &[Declared<G, S>],
) -> Result<Declared<G, S>, AddError> {
    let declaration = contain(|| {
        let mut offers = Vec::new();
        plugin.register(&mut Registrar::new(&mut offers));
        let offers = offers.into_iter().map(|offer| Arc::new(offer.terms)).collect();
        Declaration { manifest: plugin.manifest(), scope: plugin.kind(), offers }
    });
    let declaration = declaration.map_err(|message| AddError::Panicked { message })?;
    let id = declaration.manifest.id();
    if there.iter().any(|(other, _)| other.manifest.id() == id) {
        return Err(AddError::Duplicate { plugin: id.clone() });
    }
    let types: HashMap<&SlotId, (&Arc<Terms>, &PluginId)> = there
        .iter()
        .flat_map(|(other, _)| other.offers.iter().map(|offer| (&offer.slot, (offer, other.manifest.id()))))
        .collect();
    for offer in &declaration.offers {
        if let Some((first, other)) = types.get(&offer.slot)
            && first.type_id != offer.type_id
        {
            return Err(AddError::SlotTypes {
                plugin: id.clone(),
                slot: offer.slot.clone(),
                found: offer.type_name,
                other: PluginId::clone(other),
                expected: first.type_name,
            });
        }
    }
    Ok((Arc::new(declaration), plugin))
}
