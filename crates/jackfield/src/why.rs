//! Why things are as they are: chains of causes, from what can be seen to what somebody wrote.

use std::{fmt, sync::Arc};

use serde::Serialize;

use crate::{
    id::{Pin, PluginId, SlotId},
    plan::{Cause, Declaration, Desired, ScopeKind, ScopeName, World},
    priority::Priority,
};

/// An answer, one reason a line, each explained by those that follow and are indented deeper. Displays as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Why(pub Vec<Reason>);

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// How far it is from what was asked.
    pub depth: usize,
    /// What is the case.
    pub text: String,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Reason { depth, text }) in self.0.iter().enumerate() {
            let line_break = if i == 0 { "" } else { "\n" };
            write!(f, "{line_break}{}{text}", "  ".repeat(*depth))?;
        }
        Ok(())
    }
}

impl Why {
    fn say(&mut self, depth: usize, text: impl Into<String>) {
        self.0.push(Reason { depth, text: text.into() });
    }

    /// Why `plugin` is on or off, in every scope that it lives in. `None` if there is none of this name.
    pub(crate) fn plugin(world: &World, plugin: &PluginId) -> Option<Self> {
        let declaration = world.wishes.declarations.find(plugin)?;
        let mut why = Self(Vec::new());
        for (name, desired) in scopes(world, declaration.scope) {
            why.standing(world, 0, name, desired, plugin, &mut Vec::new());
        }
        if why.0.is_empty() {
            why.say(0, format!("`{plugin}` lives in sessions, and none is open"));
        }
        Some(why)
    }

    fn standing(
        &mut self,
        world: &World,
        depth: usize,
        name: &ScopeName,
        desired: &Desired,
        plugin: &PluginId,
        asked: &mut Vec<PluginId>,
    ) {
        let Some(standing) = desired.standing(plugin) else {
            // It may live in the other scope, which sessions see.
            match world.global.standing(plugin) {
                Some(_) if *name != ScopeName::Global => {
                    self.standing(world, depth, &ScopeName::Global, &world.global, plugin, asked);
                }
                _ => self.say(depth, format!("there is no plugin `{plugin}` that {name} could see")),
            }
            return;
        };
        let state = if standing.enabled { "on" } else { "off" };
        self.say(depth, format!("`{plugin}` is {state} in {name}: {}", standing.cause));
        let entry = desired.settings().plugins.get(plugin).map(|entry| entry.enabled);
        match (&standing.cause, entry) {
            (Cause::Settings, Some(enabled)) => {
                self.say(depth + 1, format!("plugins.{plugin}.enabled = {enabled}"));
            }
            (Cause::Locked, Some(false)) => {
                self.say(depth + 1, format!("plugins.{plugin}.enabled = false, which counts for nothing"));
            }
            (Cause::Needs { dependency }, _) if !asked.contains(dependency) => {
                asked.push(dependency.clone());
                self.standing(world, depth + 1, name, desired, dependency, asked);
            }
            _ => {}
        }
    }

    /// Who competes for `slot` and why the winner wins, in every scope that has it. `None` if nobody ever offers it.
    pub(crate) fn slot(world: &World, slot: &SlotId) -> Option<Self> {
        let offering = |kind: ScopeKind| world.wishes.declarations.cast(kind).offering(slot);
        let offered = |kind: &ScopeKind| offering(*kind).next().is_some();
        let kinds: Vec<_> = [ScopeKind::Global, ScopeKind::Session].into_iter().filter(offered).collect();
        if kinds.is_empty() {
            return None;
        }
        let mut why = Self(Vec::new());
        for (name, desired) in kinds.iter().flat_map(|kind| scopes(world, *kind)) {
            why.slot_in(world, name, desired, slot);
        }
        if why.0.is_empty() {
            why.say(0, format!("`{slot}` is offered in sessions, and none is open"));
        }
        Some(why)
    }

    fn slot_in(&mut self, world: &World, name: &ScopeName, desired: &Desired, slot: &SlotId) {
        let winner = desired.winner(slot);
        match winner {
            Some(plugin) => self.say(0, format!("`{plugin}` has `{slot}` in {name}")),
            None => self.say(0, format!("nobody has `{slot}` in {name}")),
        }
        let settings = desired.settings();
        for candidate in desired.candidates(slot) {
            let base = world.wishes.declarations.find(&candidate.plugin);
            let base = base.and_then(|plugin| plugin.offers.iter().find(|offer| offer.slot == *slot));
            let asked = base.map_or(candidate.priority, |offer| offer.priority);
            let specific = Pin::new(candidate.plugin.clone(), slot.clone());
            let source = priority_source(&settings, &specific, slot, candidate.priority, asked);
            let state = if candidate.enabled { "" } else { ", disabled" };
            self.say(1, format!("`{}`: priority {} ({source}){state}", candidate.plugin, candidate.priority));
            for pin in [specific, Pin::wildcard(slot.clone())] {
                if settings.services.get(&pin).is_some_and(|entry| !entry.enabled) {
                    self.say(2, format!("services.\"{pin}\".enabled = false"));
                }
            }
        }
        let offers = |plugin: &&Arc<Declaration>| plugin.offers.iter().any(|offer| offer.slot == *slot);
        for plugin in world.wishes.declarations.iter().filter(offers) {
            let id = plugin.manifest.id();
            if let Some(standing) = desired.standing(id).filter(|standing| !standing.enabled) {
                self.say(1, format!("`{id}` would offer it, and is off: {}", standing.cause));
            }
        }
    }

    /// Where the configuration of `plugin`, or of its service in `slot`, comes from.
    pub(crate) fn config(world: &World, plugin: &PluginId, slot: Option<&SlotId>) -> Option<Self> {
        let declaration = world.wishes.declarations.find(plugin)?;
        let mut why = Self(Vec::new());
        for (name, desired) in scopes(world, declaration.scope) {
            let settings = desired.settings();
            let written = match slot {
                None => {
                    let config = settings.plugins.get(plugin).map(|entry| &entry.config);
                    let written = config.filter(|config| !config.is_empty());
                    written.map(|config| (format!("plugins.{plugin}.config"), config))
                }
                Some(slot) => {
                    let written = settings.written_config(plugin, slot);
                    written.map(|(pin, config)| (format!("services.\"{pin}\".config"), config))
                }
            };
            let of = slot.map_or_else(String::new, |slot| format!("`{slot}` of "));
            match written {
                Some((path, config)) => {
                    why.say(0, format!("the configuration of {of}`{plugin}` in {name} is written at {path}"));
                    why.say(1, serde_json::Value::Object(config.clone()).to_string());
                }
                None => why.say(
                    0,
                    format!("the configuration of {of}`{plugin}` in {name} is the default: none is written"),
                ),
            }
        }
        Some(why)
    }
}

fn priority_source(
    settings: &crate::settings::RuntimeSettings,
    specific: &Pin,
    slot: &SlotId,
    priority: Priority,
    asked: Priority,
) -> String {
    let wildcard = Pin::wildcard(slot.clone());
    let set_by = |pin: &Pin| settings.services.get(pin).and_then(|entry| entry.priority) == Some(priority);
    if set_by(specific) {
        format!("services.\"{specific}\".priority; it asks for {asked}")
    } else if priority != asked && set_by(&wildcard) {
        format!("services.\"{wildcard}\".priority, as the winner without it; it asks for {asked}")
    } else {
        "as it asks".to_owned()
    }
}

fn scopes(world: &World, kind: ScopeKind) -> Vec<(&ScopeName, &Desired)> {
    match kind {
        ScopeKind::Global => vec![(&ScopeName::Global, &*world.global)],
        ScopeKind::Session => {
            world.sessions.values().map(|session| (&session.name, &*session.current)).collect()
        }
    }
}
