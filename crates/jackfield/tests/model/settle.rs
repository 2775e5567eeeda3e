//! What comes of a change: refused, made, made without those who failed, or taken back.

use std::collections::BTreeSet;

use jackfield::{Cause, ChangeError, FailurePolicy, Hook, Report, ScopeStatus};

use crate::{
    cast::{Cast, id, plugin},
    expected::Expected,
    oracle::{self, Wanted},
    play::{Before, Play},
    stage::{Act, Fired, Log},
    steps::At,
    story::{expect_parts, expect_plan, expect_script, expect_told_back},
};

/// What was seen of a change.
pub(crate) struct Made {
    /// Nothing if nobody waited for it.
    pub(crate) outcome: Option<Result<Report, ChangeError>>,
    pub(crate) fired: Fired,
    pub(crate) log: Log,
    /// Whether the stream is told in any case.
    pub(crate) tells: bool,
    /// Whether nothing has happened since.
    pub(crate) last: bool,
}

type Set = BTreeSet<usize>;

impl Play {
    pub(crate) fn settle(&mut self, before: &Before, wanted: &Wanted, made: Made) {
        match wanted.accepted(self.unknown) {
            None => {
                assert!(made.log.is_empty() && made.fired.is_empty() && self.news.is_empty());
                assert!(matches!(made.outcome, None | Some(Err(ChangeError::Refused(_)))));
                assert!(!made.last || self.runtime.status() == before.status);
            }
            Some(wanted) if made.fired.is_empty() || self.policy == FailurePolicy::Quarantine => {
                self.proceed(wanted, made);
            }
            Some(_) => self.taken_back(before, made),
        }
    }

    /// Every scope follows what is wanted, without those who failed.
    fn proceed(&mut self, wanted: Wanted, made: Made) {
        let Made { outcome, fired, log, tells, .. } = made;
        if let Some(Err(error)) = &outcome {
            panic!("{error}");
        }
        if tells || wanted.settings != self.wanted.settings {
            assert_eq!(*self.news.pop_front().unwrap(), wanted.settings.settings());
        }
        let report = outcome.map(Result::unwrap);
        let mut plans = report.iter().flat_map(|report| &report.plan.scopes);
        let (cast, status) = (&wanted.cast, self.runtime.status());

        let planned = self.global.next(cast, &wanted.of(None), true, &Set::new());
        let fallen = who_fell(&fired, "global", &status.scopes[0], &planned);
        let late = |plugin: &usize| fired.contains(&("global".to_owned(), *plugin, At::Told));
        let early: Set = fallen.iter().copied().filter(|plugin| !late(plugin)).collect();
        let seen = |expected: &Expected| -> Set { expected.order.iter().copied().collect() };
        let visible = seen(&planned);
        let visible_while_coming = seen(&planned.clone().without(cast, &early, true, &Set::new()));
        let global = planned.clone().without(cast, &fallen, true, &Set::new());
        let visible_at_last = seen(&global);
        let mut exact = fallen.is_empty();
        expect_story(cast, &log, "global", &self.global, &planned, &global, exact);
        plans.next().into_iter().for_each(|plan| expect_plan(cast, plan, &self.global, &planned));

        let mut sessions = Vec::new();
        for (opened, status) in self.sessions.iter().zip(&status.scopes[1..]) {
            let (now, doc) = (&opened.expected, wanted.of(Some(opened.number)));
            let name = opened.session.scope().name().to_string();
            let planned = now.next(cast, &doc, false, &visible);
            plans.next().into_iter().for_each(|plan| expect_plan(cast, plan, now, &planned));
            let planned = now.next(cast, &doc, false, &visible_while_coming);
            let fallen = who_fell(&fired, &name, status, &planned);
            let expected = planned.clone().without(cast, &fallen, false, &visible_at_last);
            let alone = visible_at_last == visible && fallen.is_empty();
            expect_story(cast, &log, &name, now, &planned, &expected, alone);
            exact &= alone;
            sessions.push(expected);
        }
        report.iter().for_each(|report| expect_report(report, &fired));
        if exact {
            expect_places(&log);
        }
        self.global = global;
        self.sessions.iter_mut().zip(sessions).for_each(|(opened, expected)| opened.expected = expected);
        self.wanted = wanted;
    }

    fn taken_back(&mut self, before: &Before, made: Made) {
        let Made { outcome, fired, log, last, .. } = made;
        assert!(!last || std::sync::Arc::ptr_eq(&before.settings, &self.runtime.settings()), "as before");
        match outcome {
            Some(Err(ChangeError::Reverted { .. })) => {
                assert!(!last || self.runtime.status() == before.status, "nothing looks different");
            }
            Some(Err(ChangeError::Degraded { lost: told, .. })) => {
                let lost = self.lose(&fired);
                let told = told.iter().map(|it| (it.scope.to_string(), plugin(&it.plugin)));
                assert_eq!(told.collect::<BTreeSet<_>>(), lost);
            }
            None if last => drop(self.lose(&fired)),
            None => {} // only one has failed, so that nothing stands in anybody's way back
            outcome => panic!("{outcome:?}"),
        }
        self.regain(&log, last);
        expect_told_back(&log, &fired);
        if last {
            self.expect_same_knobs(&before.knobs);
        }
    }

    /// A service that an earlier change has lost may be back: whoever takes a change back tries it again.
    fn regain(&mut self, log: &Log, last: bool) {
        let sessions = self.sessions.iter_mut().map(|opened| (opened.session.scope(), &mut opened.expected));
        let scopes = std::iter::once((self.runtime.global(), &mut self.global)).chain(sessions);
        for (scope, expected) in scopes {
            let name = scope.name().to_string();
            let mut begun = if last { self.stage.begun(&name) } else { expected.begun.clone() };
            for (_, plugin, act) in log.iter().filter(|(at, ..)| !last && *at == name) {
                match act {
                    Act::Begin(slot) => drop(begun.insert((*plugin, *slot))),
                    Act::End(slot) => drop(begun.remove(&(*plugin, *slot))),
                    _ => {}
                }
            }
            let must = expected.must_have_begun(&self.wanted.cast);
            expected.begun.extend(begun.intersection(&must));
        }
    }

    /// Takes note of who did not come back, and holds that there is a reason for each. Of some who did, a service may
    /// not have.
    fn lose(&mut self, fired: &Fired) -> BTreeSet<(String, usize)> {
        let (mut all, mut visible) = (BTreeSet::new(), Set::new());
        let (status, parts, stage) = (self.runtime.status(), &self.wanted.cast.parts, &self.stage);
        let sessions = self.sessions.iter_mut().map(|opened| (opened.session.scope(), &mut opened.expected));
        let scopes = std::iter::once((self.runtime.global(), &mut self.global)).chain(sessions);
        for (number, (scope, expected)) in scopes.enumerate() {
            let name = scope.name().to_string();
            let real: Set = status.scopes[number].attached.iter().map(plugin).collect();
            let lost: Vec<usize> = expected.order.iter().copied().filter(|it| !real.contains(it)).collect();
            let failed = |plugin: &usize, at| fired.contains(&(name.clone(), *plugin, at));
            for plugin in &lost {
                let missing = |need: &usize| {
                    let global = &("global".to_owned(), *need);
                    lost.contains(need) || all.contains(global)
                };
                let failed = failed(plugin, At::Attach) || failed(plugin, At::Begin);
                let reason = failed || parts[*plugin].needs.iter().any(missing);
                assert!(reason, "{plugin} is lost in {name}");
            }
            expected.lose(&lost);
            let begun = stage.begun(&name);
            for (plugin, _) in expected.begun.difference(&begun) {
                assert!(failed(plugin, At::Begin), "a service of {plugin} is lost in {name}");
                all.insert((name.clone(), *plugin));
            }
            expected.begun.retain(|service| begun.contains(service));
            let on = expected.order.iter().copied().collect();
            let gone = lost.iter().map(|plugin| (name.clone(), *plugin));
            assert_eq!(oracle::unmet(parts, &on, &visible), None, "in {name}, after {lost:?}");
            all.extend(gone);
            if number == 0 {
                visible = on;
            }
        }
        all
    }
}

/// Who failed in a scope. Where that was is not known to those who register and build: there the scope itself has
/// to name them.
pub(crate) fn who_fell(fired: &Fired, name: &str, status: &ScopeStatus, planned: &Expected) -> Set {
    let mut fallen = Set::new();
    for (scope, plugin, at) in fired {
        match at {
            At::Attach | At::Begin | At::Told if scope == name => drop(fallen.insert(*plugin)),
            At::Register | At::Build => {
                let standing = status.plugins.iter().find(|it| it.plugin == id(*plugin));
                let failed = standing.is_some_and(|it| matches!(it.cause, Cause::Failed { .. }));
                if failed && !planned.out.contains_key(plugin) {
                    fallen.insert(*plugin);
                }
            }
            _ => {}
        }
    }
    fallen
}

/// What a report says that went wrong is what did: all of it, but for what failed while others were cleaned up
/// after, which is only in the log.
pub(crate) fn expect_report(report: &Report, fired: &Fired) {
    assert_eq!(report.failures.is_empty(), fired.is_empty(), "{report}, {fired:?}");
    let told: Vec<_> = (report.failures.iter())
        .map(|failure| {
            let unknown = matches!(failure.hook, Hook::Register | Hook::Build);
            let scope = if unknown { String::new() } else { failure.scope.to_string() };
            (scope, plugin(&failure.plugin), failure.hook, failure.slot.is_some())
        })
        .collect();
    let count = |all: &[(String, usize, Hook, bool)], one| all.iter().filter(|it| *it == one).count();
    let mut did = Vec::new();
    for (scope, plugin, at) in fired {
        let (hook, service) = match at {
            At::Declare => continue,
            At::Register => (Hook::Register, false),
            At::Build => (Hook::Build, true),
            At::Begin => (Hook::Attach, true),
            At::Attach => (Hook::Attach, false),
            At::Told => (Hook::SettingsChanged, false),
            At::Detach => (Hook::Detach, false),
            At::End => (Hook::Detach, true),
            At::Goodbye | At::Guard => (Hook::Release, false),
        };
        did.push((scope.clone(), *plugin, hook, service));
    }
    for one in did.iter().filter(|(_, _, hook, _)| !matches!(hook, Hook::Detach | Hook::Release)) {
        assert_eq!(count(&told, one), count(&did, one), "{one:?} in {report}");
    }
    for one in told.iter().filter(|(_, _, hook, _)| *hook != Hook::Release) {
        assert!(count(&told, one) <= count(&did, one), "{one:?} in {report}");
    }
}

/// What happened in one scope, exactly if nobody fell.
pub(crate) fn expect_story(
    cast: &Cast,
    log: &Log,
    name: &str,
    before: &Expected,
    planned: &Expected,
    after: &Expected,
    exact: bool,
) {
    if !exact {
        return expect_parts(log, name, cast, before, planned, after);
    }
    // Whoever attaches may be the first to look up what is lazy.
    let unseen = |plugin: usize, slot: usize| {
        let offer = cast.parts[plugin].offers.get(&slot);
        offer.is_some_and(|offer| offer.kind.is_lazy()) && !before.things.contains_key(&(slot, plugin))
    };
    let foreseen = |(_, plugin, act): &&(String, usize, Act)| match act {
        Act::Begin(slot) | Act::End(slot) => !unseen(*plugin, *slot),
        _ => true,
    };
    let log = log.iter().filter(foreseen).cloned().collect();
    expect_script(&log, name, &before.script(cast, after));
}

/// Sessions go before what they may need, and come after it.
fn expect_places(log: &Log) {
    let place = |global: bool, act: Act| {
        let lines = log.iter().enumerate();
        let found = lines.filter(move |(_, (scope, _, did))| (scope == "global") == global && *did == act);
        found.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let last = Some(usize::MAX);
    let (away, come) = (place(true, Act::Detach), place(false, Act::Attach));
    assert!(place(false, Act::Detach).last() < away.first().or(last.as_ref()));
    assert!(place(true, Act::Attach).last() < come.first().or(last.as_ref()));
}
