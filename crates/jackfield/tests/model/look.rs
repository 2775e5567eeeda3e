//! Reality held against what is expected, when nothing moves.

use std::sync::Arc;

use jackfield::{Cause, Envelope, FailurePolicy, Scope, ScopeStatus};

use crate::{
    actor::{GUARDS, Ping},
    cast::{Cast, Kind, SLOTS, id, plugin},
    expected::Expected,
    oracle,
    play::{Opened, Play},
    stage::Stage,
    steps::{At, Fault},
};

impl Play {
    /// Looks at everything. What was made before `mark` was there before this step. What is lazy is left alone,
    /// unless it stands.
    pub(crate) fn look(&mut self, mark: usize) {
        self.look_and(mark, false);
    }

    fn look_and(&mut self, mark: usize, touch: bool) {
        assert!(self.news.is_empty(), "the stream says no more than it should");
        let wanted = &self.wanted;
        assert_eq!(*self.runtime.settings(), wanted.settings.settings());
        let status = self.runtime.status();
        assert_eq!(status.scopes.len(), 1 + self.sessions.len());
        assert_eq!(status.plugins.iter().map(|it| plugin(&it.plugin)).collect::<Vec<_>>(), wanted.cast.here);
        let quarantine = self.policy == FailurePolicy::Quarantine;
        let sessions = self.sessions.iter_mut().map(|Opened { number, session, expected }| {
            assert_eq!(session.overlay(), wanted.over[number].settings());
            assert_eq!(*session.settings(), expected.doc.settings());
            (session.scope(), expected)
        });
        let scopes = std::iter::once((self.runtime.global(), &mut self.global)).chain(sessions);
        for ((scope, expected), status) in scopes.zip(&status.scopes) {
            look_at(&wanted.cast, &self.stage, scope, status, expected);
            let begun = self.stage.begun(&scope.name().to_string());
            look_up(&wanted.cast, scope, expected, mark, |it| touch || begun.contains(it));
            expect_ledgers(&self.stage, scope, expected);
            if quarantine {
                expect_outs(&wanted.cast, status, expected);
            }
        }
        let here = |scope: &&str| *scope != "global";
        let named = status.scopes.iter().map(|it| it.scope.to_string()).collect::<Vec<_>>();
        assert_eq!(named.iter().map(String::as_str).filter(here).count(), self.sessions.len());
    }

    /// Looks everything up while some of it fails to be made, and then again.
    pub(crate) async fn touch(&mut self, faults: Vec<Fault>) {
        let (mark, status) = (self.stage.serial(), self.runtime.status());
        self.stage.set_faults(faults);
        let mut refusals = 0;
        for (scope, expected) in self.scopes() {
            for (slot, candidates) in &expected.candidates {
                for candidate in candidates.iter().filter(|candidate| candidate.enabled) {
                    let found = match expected.winner(*slot) == Some(candidate.plugin) {
                        true => scope.resolve(SLOTS[*slot]),
                        false => continue,
                    };
                    refusals += usize::from(found.is_err());
                }
            }
        }
        let (fired, log) = self.rest().await;
        let of_building = |at: &At| matches!(at, At::Build | At::Begin | At::Guard);
        assert!(fired.iter().all(|(_, _, at)| of_building(at)), "{fired:?}");
        let failed = fired.iter().filter(|(_, _, at)| *at != At::Guard).count();
        assert_eq!(failed, refusals, "{fired:?}");
        assert!(log.iter().all(|(_, _, act)| matches!(act, crate::stage::Act::Begin(_))), "{log:?}");
        assert_eq!(self.runtime.status(), status, "to look something up is no change");
        self.look_and(mark, true);
        let log = self.stage.take_log();
        assert!(log.iter().all(|(_, _, act)| matches!(act, crate::stage::Act::Begin(_))), "{log:?}");
        self.look(mark);
    }
}

fn look_at(cast: &Cast, stage: &Stage, scope: &Scope, status: &ScopeStatus, expected: &Expected) {
    let name = scope.name().to_string();
    let attached: Vec<usize> = status.attached.iter().map(plugin).collect();
    assert_eq!(attached, expected.order, "in {name}");
    assert_eq!(stage.present(&name), attached.iter().copied().collect(), "in {name}");
    for plugin in attached.iter().filter(|plugin| cast.parts[**plugin].config) {
        let level = stage.knob(&name, *plugin).level;
        assert_eq!(level, oracle::own_level(&expected.doc, *plugin), "of {plugin} in {name}");
    }
    for (slot, key) in SLOTS.iter().enumerate() {
        let candidates = expected.candidates.get(&slot).cloned().unwrap_or_default();
        let real: Vec<_> = (scope.candidates(&key.id()).iter())
            .map(|it| oracle::Candidate {
                plugin: plugin(&it.plugin),
                priority: it.priority.value(),
                enabled: it.enabled,
            })
            .collect();
        assert_eq!(real, candidates, "of {slot} in {name}");
        let shown = status.slots.iter().find(|it| it.slot == key.id());
        assert_eq!(shown.map_or(0, |shown| shown.candidates.len()), candidates.len(), "{slot} in {name}");
    }
}

/// Looks up every candidate, the first by its slot and the others by whom they come after.
/// What is lazy is left alone unless it was seen before, or is to be seen now: somebody else may have looked it up.
fn look_up(
    cast: &Cast,
    scope: &Scope,
    expected: &mut Expected,
    mark: usize,
    see: impl Fn(&(usize, usize)) -> bool,
) {
    let name = scope.name().to_string();
    for (slot, key) in SLOTS.iter().enumerate() {
        let candidates = expected.candidates.get(&slot).cloned().unwrap_or_default();
        let mut before = None;
        for candidate in candidates.iter().filter(|candidate| candidate.enabled) {
            let after = before.replace(candidate.plugin);
            let kind = cast.parts[candidate.plugin].offers[&slot].kind;
            let seen = expected.things.contains_key(&(slot, candidate.plugin));
            if kind.is_lazy() && !seen && !see(&(candidate.plugin, slot)) {
                continue;
            }
            let thing = match after {
                None => scope.resolve(*key),
                Some(after) => scope.resolve_after(&id(after), *key),
            };
            let thing = thing.unwrap();
            assert_eq!(thing.plugin, candidate.plugin, "for {slot} in {name}");
            assert_eq!(thing.knob.get().is_some(), kind.is_configured(), "for {slot} in {name}");
            if let Some(knob) = thing.knob.get() {
                let level = oracle::service_level(&expected.doc, candidate.plugin, slot);
                assert_eq!(knob.load().level, level, "of {} in {name}", candidate.plugin);
            }
            if kind == Kind::Factory {
                assert!(thing.serial > mark, "a factory makes a new one each time");
                continue;
            }
            let same = expected.saw(cast, slot, &thing);
            assert!(Arc::ptr_eq(same, &thing), "{slot} of {} is another in {name}", candidate.plugin);
        }
        let nobody = match before {
            None => scope.resolve(*key),
            Some(last) => scope.resolve_after(&id(last), *key),
        };
        assert!(nobody.is_err(), "nobody else for {slot} in {name}");
    }
}

/// What is kept is what those keep who are there.
fn expect_ledgers(stage: &Stage, scope: &Scope, expected: &Expected) {
    let name = scope.name().to_string();
    assert_eq!(stage.begun(&name), expected.begun, "in {name}");
    let (plugins, services) = (expected.order.len(), expected.begun.len());
    assert_eq!(stage.guards(&name), GUARDS * plugins + services, "in {name}");
    assert_eq!(scope.bus().subscriptions(), plugins + services, "in {name}");
}

/// Who is out because it failed is named, and nobody else.
fn expect_outs(cast: &Cast, status: &ScopeStatus, expected: &Expected) {
    for standing in &status.plugins {
        let plugin = plugin(&standing.plugin);
        let wanted = oracle::is_wanted(&cast.parts[plugin], &expected.doc, plugin);
        let out = wanted && expected.out.contains_key(&plugin);
        assert_eq!(matches!(standing.cause, Cause::Failed { .. }), out, "{standing:?} in {}", status.scope);
    }
}

pub(crate) fn expect_closed(scope: &Scope) {
    assert_eq!(scope.bus().subscriptions(), 0);
    assert!(scope.slots().is_empty());
    assert!(scope.bus().emit_sync(Ping).is_err());
    assert!(scope.bus().on(|_: &mut Envelope<Ping>| ()).is_err());
}
