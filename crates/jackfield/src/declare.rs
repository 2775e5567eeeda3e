//! Learning what plugins offer, before any of them runs.

use std::collections::HashMap;

use crate::{
    foreign::contain,
    id::{PluginId, SlotId},
    plan::Declaration,
    plugin::{AnyPlugin, ByScope},
    registry::{Offer, Registrar},
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
pub(crate) type Declared<G, S> = (Declaration, ByScope<G, S>);

/// Asks every plugin once what it is and what it offers.
pub(crate) fn declare<G, S>(plugins: Vec<AnyPlugin<G, S>>) -> Result<Vec<Declared<G, S>>, AddError> {
    let mut declared: Vec<Declared<G, S>> = Vec::with_capacity(plugins.len());
    let mut types: HashMap<SlotId, (Offer, PluginId)> = HashMap::new();
    for AnyPlugin(plugin) in plugins {
        let declaration = contain(|| {
            let mut offers = Vec::new();
            plugin.register(&mut Registrar::new(&mut offers));
            Declaration { manifest: plugin.manifest(), scope: plugin.kind(), offers }
        });
        let declaration = declaration.map_err(|message| AddError::Panicked { message })?;
        let id = declaration.manifest.id();
        if declared.iter().any(|(other, _)| other.manifest.id() == id) {
            return Err(AddError::Duplicate { plugin: id.clone() });
        }
        for offer in &declaration.offers {
            let (first, other) =
                types.entry(offer.slot.clone()).or_insert_with(|| (offer.clone(), id.clone()));
            if first.type_id != offer.type_id {
                return Err(AddError::SlotTypes {
                    plugin: id.clone(),
                    slot: offer.slot.clone(),
                    found: offer.type_name,
                    other: other.clone(),
                    expected: first.type_name,
                });
            }
        }
        declared.push((declaration, plugin));
    }
    Ok(declared)
}
