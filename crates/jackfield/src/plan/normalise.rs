//! Settings may name what is not there.

use std::{collections::BTreeSet, sync::Arc};

use super::{Declaration, Roster};
use crate::{
    id::{Pin, PluginId, nearest},
    settings::{DocumentPath, Problem, RuntimeSettings},
};

/// What to do with settings that name a plugin or a slot that nobody has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownReferences {
    /// Refuse the change, and name them all.
    #[default]
    Reject,
    /// Pass over them, and say so in the plan and in one log record.
    Skip,
    /// Pass over them.
    Ignore,
}

/// `settings` without what nobody answers to, and what that was. A pin for a plugin that is off, or was removed, is no
/// such thing: it waits. Settings that name nothing else stay the same object.
pub(super) fn without_unknown(
    settings: &Arc<RuntimeSettings>,
    declarations: &Roster,
    removed: &BTreeSet<PluginId>,
) -> (Arc<RuntimeSettings>, Vec<Problem>) {
    let mut settings = renamed(settings, declarations);
    let mut problems = Vec::new();
    let plugins: BTreeSet<PluginId> = (settings.plugins.keys())
        .filter(|id| declarations.find(id).is_none() && !removed.contains(*id))
        .cloned()
        .collect();
    problems.extend(plugins.iter().map(|id| {
        let path = DocumentPath::new(["plugins", id.as_str()]);
        unknown(path, "plugin", id.as_str(), plugin_names(declarations))
    }));
    let mut pins = BTreeSet::new();
    for pin in settings.services.keys() {
        let Some(plugin) = pin.plugin().filter(|plugin| !removed.contains(*plugin)) else { continue };
        let path = || DocumentPath::new(["services", &pin.to_string()]);
        match declarations.find(plugin) {
            None => problems.push(unknown(path(), "plugin", plugin.as_str(), plugin_names(declarations))),
            Some(declaration) if declarations.offers(declaration, pin.slot()) => continue,
            Some(declaration) => problems.push(unknown_slot(path(), pin, declaration)),
        }
        pins.insert(pin.clone());
    }
    if !problems.is_empty() {
        let known = Arc::make_mut(&mut settings);
        known.plugins.retain(|id, _| !plugins.contains(id));
        known.services.retain(|pin, _| !pins.contains(pin));
    }
    (settings, problems)
}

/// `settings` with the present names of plugins and slots. Where an entry of the present name is there too, it counts.
fn renamed(settings: &Arc<RuntimeSettings>, declarations: &Roster) -> Arc<RuntimeSettings> {
    if declarations.renamed().is_empty() {
        return Arc::clone(settings);
    }
    let mut renamed = RuntimeSettings::clone(settings);
    for declaration in declarations.renamed() {
        let id = declaration.manifest.id();
        for former in declaration.manifest.former_ids() {
            if let Some(entry) = renamed.plugins.remove(former) {
                renamed.plugins.entry(id.clone()).or_insert(entry);
            }
            rename_pins(&mut renamed, |pin| {
                (pin.plugin() == Some(former)).then(|| Pin::new(id.clone(), pin.slot().clone()))
            });
        }
        for offer in declaration.offers.iter().filter(|offer| !offer.former.is_empty()) {
            rename_pins(&mut renamed, |pin| {
                let mine =
                    pin.plugin().is_none_or(|plugin| plugin == id) && offer.former.contains(pin.slot());
                mine.then(|| match pin.plugin() {
                    Some(plugin) => Pin::new(plugin.clone(), offer.slot.clone()),
                    None => Pin::wildcard(offer.slot.clone()),
                })
            });
        }
    }
    if renamed == **settings { Arc::clone(settings) } else { Arc::new(renamed) }
}

fn rename_pins(settings: &mut RuntimeSettings, rename: impl Fn(&Pin) -> Option<Pin>) {
    let renamed: Vec<(Pin, Pin)> =
        settings.services.keys().filter_map(|pin| Some((pin.clone(), rename(pin)?))).collect();
    for (former, present) in renamed {
        if let Some(entry) = settings.services.remove(&former) {
            settings.services.entry(present).or_insert(entry);
        }
    }
}

fn plugin_names(declarations: &Roster) -> impl Iterator<Item = &str> {
    declarations.iter().map(|declaration| declaration.manifest.id().as_str())
}

fn unknown<'a>(path: DocumentPath, kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Problem {
    let problem = Problem::new(path, format!("there is no {kind} `{name}`"));
    match nearest(name, known) {
        Some(near) => problem.remedy(format!("did you mean `{near}`?")),
        None => problem.remedy("remove it, or add the plugin"),
    }
}

fn unknown_slot(path: DocumentPath, pin: &Pin, plugin: &Declaration) -> Problem {
    let offers: Vec<&str> = plugin.offers.iter().map(|offer| offer.slot.as_str()).collect();
    let problem = Problem::new(path, format!("`{}` offers no `{}`", plugin.manifest.id(), pin.slot()));
    match nearest(pin.slot().as_str(), offers.iter().copied()) {
        Some(near) => problem.remedy(format!("did you mean `{}:{near}`?", plugin.manifest.id())),
        None if offers.is_empty() => problem.remedy("it offers no service at all; remove the entry"),
        None => problem.remedy(format!("it offers: {}", offers.join(", "))),
    }
}
