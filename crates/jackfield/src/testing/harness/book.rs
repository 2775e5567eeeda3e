use std::{
    collections::{BTreeSet, HashMap},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::super::{fault::Fault, witness::Witness};
use crate::{context::Context, id::PluginId, plan::ScopeName, report::Hook};

/// What the harness writes down while plugins live, and how they shall fail.
#[derive(Default)]
pub(super) struct Book(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    faults: HashMap<(PluginId, Hook), Fault>,
    /// How many faults have struck.
    struck: usize,
    attached: HashMap<(ScopeName, PluginId), isize>,
    /// How much was kept for a plugin when its last hook returned.
    held: HashMap<(ScopeName, PluginId), usize>,
    /// What was found wrong on the spot.
    findings: Vec<String>,
}

impl Book {
    /// The next time, this hook fails like this.
    pub(super) fn arm(&self, plugin: PluginId, hook: Hook, fault: Fault) {
        self.lock().faults.insert((plugin, hook), fault);
    }

    /// From now on, all hooks work.
    pub(super) fn heal(&self) {
        self.lock().faults.clear();
    }

    pub(super) fn struck(&self) -> usize {
        self.lock().struck
    }

    pub(super) fn findings(&self) -> Vec<String> {
        mem::take(&mut self.lock().findings)
    }

    /// Who has attached in `scope` and not detached since.
    pub(super) fn attached_in(&self, scope: &ScopeName) -> BTreeSet<PluginId> {
        let pages = self.lock();
        let here = pages.attached.iter().filter(|((place, _), balance)| place == scope && **balance > 0);
        here.map(|((_, plugin), _)| plugin.clone()).collect()
    }

    /// How much is kept for each plugin of `scope`.
    pub(super) fn held_in(&self, scope: &ScopeName) -> HashMap<PluginId, usize> {
        let pages = self.lock();
        let here = pages.held.iter().filter(|((place, _), _)| place == scope);
        here.map(|((_, plugin), held)| (plugin.clone(), *held)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Book {
    fn before(&self, plugin: &PluginId, hook: Hook, cx: &Context) {
        let place = (cx.scope().name().clone(), plugin.clone());
        let mut pages = self.lock();
        let balance = pages.attached.entry(place.clone()).or_default();
        match hook {
            Hook::Attach => *balance += 1,
            Hook::Detach => *balance -= 1,
            _ => {}
        }
        if !(0..=1).contains(balance) {
            let finding = format!("`{plugin}` is told to {hook} a second time in {}", place.0);
            pages.findings.push(finding);
        }
        if hook == Hook::Attach && cx.held() > 0 {
            let held = cx.held();
            pages.findings.push(format!("`{plugin}` begins in {} with {held} things kept", place.0));
        }
        if hook == Hook::Detach {
            pages.held.remove(&place);
        }
    }

    fn after(&self, plugin: &PluginId, hook: Hook, cx: &Context) {
        if hook != Hook::Detach {
            self.lock().held.insert((cx.scope().name().clone(), plugin.clone()), cx.held());
        }
    }

    fn fault(&self, plugin: &PluginId, hook: Hook) -> Option<Fault> {
        let mut pages = self.lock();
        let fault = pages.faults.remove(&(plugin.clone(), hook))?;
        pages.struck += 1;
        Some(fault)
    }
}
