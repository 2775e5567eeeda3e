//! What the log is told of changes as a whole, and the spans within which all of it happens. What single hooks do and
//! fail with is told where they run.
//!
//! Records and spans have one of three targets: `jackfield::runtime`, `jackfield::session` and `jackfield::plugin`.

use tracing::{Span, debug, debug_span, error, info, info_span, warn};

use super::Phase;
use crate::{
    id::{PluginId, SlotId},
    plan::{Cause, Desired, Plan, ScopeName, World},
    report::{ChangeError, Hook, Report},
    settings::Problems,
};

const RUNTIME: &str = "jackfield::runtime";
const PLUGIN: &str = "jackfield::plugin";

/// A change that leads away from what `generation` stands for.
pub(super) fn change(generation: u64) -> Span {
    info_span!(target: RUNTIME, "change", generation)
}

/// A session opens.
pub(super) fn opening(scope: &ScopeName) -> Span {
    info_span!(target: "jackfield::session", "open", %scope)
}

/// Scopes close.
pub(super) fn closing() -> Span {
    info_span!(target: RUNTIME, "close")
}

/// One phase of a change, in one scope.
pub(super) fn phase(phase: Phase, scope: &ScopeName) -> Span {
    debug_span!(target: RUNTIME, "phase", ?phase, %scope)
}

/// A hook of a plugin, or of its service in `slot`.
pub(super) fn hook(hook: Hook, plugin: &PluginId, slot: Option<&SlotId>, scope: &ScopeName) -> Span {
    debug_span!(target: PLUGIN, "hook", %hook, %plugin, slot = slot.map(display), %scope)
}

/// A change is about to be made to what runs in `before`.
pub(super) fn beginning(plan: &Plan, before: &World) {
    if before.generation == 0 {
        info!(target: RUNTIME, plugins = before.wishes.declarations.len(), "Runtime starting.");
    }
    left_out(plan, before);
}

/// References that nobody answers to: one record, however many there are.
pub(super) fn passed_over(plan: &Plan) {
    if !plan.skipped.is_empty() {
        let references = Problems(plan.skipped.clone());
        error!(target: RUNTIME, %references, "References in the settings were passed over.");
    }
}

/// What is odd about the plugins.
pub(super) fn remarks(plan: &Plan) {
    for remark in &plan.remarks {
        error!(target: PLUGIN, %remark, "Plugins are not as they should be.");
    }
}

/// Who would be on if it were not for what it needs, and was not told of before.
pub(super) fn left_out(plan: &Plan, before: &World) {
    if !tracing::enabled!(target: PLUGIN, tracing::Level::INFO) {
        return;
    }
    for scope in &plan.scopes {
        let known = running(before, &scope.scope);
        for standing in &scope.next.standings {
            let Cause::Needs { dependency } = &standing.cause else { continue };
            if known.and_then(|known| known.standing(&standing.plugin)) != Some(standing) {
                let plugin = &standing.plugin;
                info!(target: PLUGIN, %plugin, %dependency, scope = %scope.scope, "Plugin left out: it needs one that is off.");
            }
        }
    }
}

/// A change was made.
pub(super) fn made(report: &Report) {
    let Report { plan, generation, failures } = report;
    if *generation == 1 {
        info!(target: RUNTIME, generation, "Runtime started.");
    } else {
        info!(target: RUNTIME, generation, "Change made.");
    }
    if !failures.is_empty() {
        warn!(target: RUNTIME, generation, failures = failures.len(), "A change was made without those who failed.");
    }
    for scope in &plan.scopes {
        winners_of_wildcards(&scope.scope, &scope.next);
        if scope.scope == ScopeName::Global {
            debug!(target: RUNTIME, attached = ?scope.next.order, "Global plugins.");
        }
    }
}

/// A change was not made after all.
pub(super) fn taken_back(error: &ChangeError) {
    match error {
        ChangeError::Reverted { failures } => {
            warn!(target: RUNTIME, failures = failures.len(), "A change was taken back.");
        }
        ChangeError::Degraded { failures, lost } => {
            for failure in lost {
                warn!(target: PLUGIN, plugin = %failure.plugin, scope = %failure.scope, "A plugin did not come back.");
            }
            let (failures, lost) = (failures.len(), lost.len());
            warn!(target: RUNTIME, failures, lost, "A change was taken back, and not everybody came back.");
        }
        _ => {}
    }
}

/// A scope has closed. The global one is the last.
pub(super) fn closed(scope: &ScopeName, failures: usize) {
    if failures > 0 {
        warn!(target: RUNTIME, %scope, failures, "Plugins failed on their way out.");
    }
    match scope {
        ScopeName::Session { .. } => info!(target: "jackfield::session", %scope, "Session closed."),
        ScopeName::Global => info!(target: RUNTIME, "Runtime ended."),
    }
}

/// Who has the slots that wildcards are about.
pub(super) fn winners_of_wildcards(scope: &ScopeName, desired: &Desired) {
    if !tracing::enabled!(target: RUNTIME, tracing::Level::DEBUG) {
        return;
    }
    for pin in desired.settings().services.keys().filter(|pin| pin.is_wildcard()) {
        if let Some(plugin) = desired.winner(pin.slot()) {
            debug!(target: RUNTIME, %scope, %pin, %plugin, "Wildcard applied.");
        }
    }
}

fn running<'a>(world: &'a World, scope: &ScopeName) -> Option<&'a Desired> {
    match scope {
        ScopeName::Global => Some(&world.global),
        ScopeName::Session { key, .. } => Some(&world.sessions.get(*key)?.current),
    }
}
