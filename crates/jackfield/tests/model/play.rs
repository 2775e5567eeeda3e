//! A real runtime, what it should be like, and steps from one to the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures_util::FutureExt;
use jackfield::{
    ChangeError, Envelope, PluginRuntime, RuntimeSettings, Scope, ScopeStatus, Session, SettingsStream,
    UnknownReferences,
};

use crate::{
    actor::{Act, GUARDS, Knob, Ping, Stage, Thing, enter},
    cast::{At, Doc, Fault, Kind, Part, Patience, SLOTS, Step, doc, plugin},
    oracle::{self, Candidates},
};

/// What a scope should be like.
#[derive(Clone, Default)]
struct Expected {
    doc: Doc,
    /// Who is attached, in order.
    order: Vec<usize>,
    candidates: Candidates,
    /// The services that were seen, which must stay as long as their plugin does.
    things: BTreeMap<(usize, usize), Arc<Thing>>,
}

pub(crate) struct Play {
    parts: Vec<Part>,
    policy: UnknownReferences,
    stage: Stage,
    runtime: PluginRuntime,
    stream: SettingsStream,
    stored: Doc,
    global: Expected,
    sessions: Vec<(Session, Expected)>,
    opened: usize,
}

type Log = Vec<(String, usize, Act)>;

impl Play {
    pub(crate) async fn new(parts: Vec<Part>, policy: UnknownReferences) -> Self {
        let stage = Stage::default();
        let builder = enter(&parts, &stage).unknown_references(policy).hook_deadline(Duration::from_secs(1));
        let runtime = builder.init().await.unwrap();
        let stream = runtime.settings_stream();
        let global = next(&parts, &Expected::default(), &Doc::default(), true, &BTreeSet::new());
        let (stored, sessions) = (Doc::default(), Vec::new());
        let mut play = Self { parts, policy, stage, runtime, stream, stored, global, sessions, opened: 0 };
        let log = play.stage.take_log();
        expect_told_in_order(&log, "global", &Expected::default(), &play.global);
        play.look(0);
        play.open(Vec::new(), None).await;
        play
    }

    pub(crate) async fn step(&mut self, step: Step) {
        match step {
            Step::Update { lines, faults, patience } => {
                self.update(doc(&lines, &self.parts), faults, patience).await;
            }
            Step::Again { there } => {
                let here = self.stored.clone();
                self.update(here.clone(), Vec::new(), None).await;
                self.expect_nothing_to_do().await;
                self.update(doc(&there, &self.parts), Vec::new(), None).await;
                self.update(here, Vec::new(), None).await;
                self.expect_nothing_to_do().await;
            }
            Step::Snapshot { lines } => self.snapshot(doc(&lines, &self.parts)).await,
            Step::Open { faults, patience } => self.open(faults, patience).await,
            Step::Close { which, faults, patience } => {
                if !self.sessions.is_empty() {
                    let (session, expected) = self.sessions.remove(which % self.sessions.len());
                    self.close(session, expected, faults, patience).await;
                }
            }
        }
        assert_eq!(self.stage.complaints(), [""; 0]);
    }

    async fn update(&mut self, doc: Doc, faults: Vec<Fault>, patience: Patience) {
        let (settings, mark) = (doc.settings(), self.stage.serial());
        let (before, status) = (self.runtime.settings(), self.runtime.status());
        let knobs = self.knobs();
        let accepted = oracle::accepted(&self.parts, self.policy, &doc);
        let plan = self.runtime.plan(&settings);
        assert_eq!(plan.is_ok(), accepted.is_some(), "{plan:?}");

        self.stage.set_faults(faults);
        let outcome = give(patience, self.runtime.update_settings(settings)).await;
        let (fired, log) = (self.rest().await, self.stage.take_log());
        let news = self.news();

        let Some(doc) = accepted.filter(|_| patience != Some(0)) else {
            assert!(log.is_empty() && fired.is_empty() && news.is_empty());
            assert!(matches!(outcome, None | Some(Err(ChangeError::Refused(_)))));
            assert_eq!(self.runtime.status(), status);
            return self.look(mark);
        };
        assert_eq!(fired.is_empty(), news.len() == 1, "{fired:?}, {outcome:?}");
        if fired.is_empty() {
            assert!(matches!(outcome, None | Some(Ok(_))), "{outcome:?}");
            assert_eq!(*news[0], doc.settings());
            if let (Some(Ok(report)), Ok(plan)) = (&outcome, plan) {
                assert_eq!(report.plan.hash(), plan.hash(), "what was planned is what was done");
            }
            self.stored = doc.clone();
            self.proceed(&doc, &log);
        } else {
            assert!(news.is_empty());
            assert!(Arc::ptr_eq(&before, &self.runtime.settings()), "the settings are as before");
            let lost = self.lose(&fired);
            match outcome {
                None => {}
                Some(Err(ChangeError::Reverted { .. })) => {
                    assert!(lost.is_empty());
                    assert_eq!(self.runtime.status(), status, "nothing looks different");
                }
                Some(Err(ChangeError::Degraded { lost: told, .. })) => {
                    let told: BTreeSet<_> =
                        told.iter().map(|it| (it.scope.to_string(), plugin(&it.plugin))).collect();
                    assert_eq!(told, lost);
                }
                outcome => panic!("{outcome:?}"),
            }
            expect_told_back(&log, &fired);
            for (key, knob) in self.knobs() {
                assert!(Arc::ptr_eq(&knobs[&key], &knob), "the configuration of {key:?} is as before");
            }
        }
        self.look(mark);
    }

    /// Every scope follows `doc`, as `log` should show.
    fn proceed(&mut self, doc: &Doc, log: &Log) {
        let global = next(&self.parts, &self.global, doc, true, &BTreeSet::new());
        expect_told_in_order(log, "global", &self.global, &global);
        self.global = global;
        let visible = self.global.order.iter().copied().collect();
        for (session, expected) in &mut self.sessions {
            let after = next(&self.parts, expected, doc, false, &visible);
            expect_told_in_order(log, &session.scope().name().to_string(), expected, &after);
            *expected = after;
        }
        // Sessions go before what they may need, and come after it.
        let place = |global: bool, act: &Act| {
            let found = |(scope, _, did): &&(String, usize, Act)| (scope == "global") == global && did == act;
            log.iter()
                .enumerate()
                .filter(move |(_, line)| found(line))
                .map(|(place, _)| place)
                .collect::<Vec<_>>()
        };
        assert!(place(false, &Act::Detach).last() < place(true, &Act::Detach).first().or(Some(&usize::MAX)));
        assert!(place(true, &Act::Attach).last() < place(false, &Act::Attach).first().or(Some(&usize::MAX)));
    }

    /// Takes note of who did not come back, and holds that there is a reason for each.
    fn lose(&mut self, fired: &[(String, usize, At)]) -> BTreeSet<(String, usize)> {
        let mut all = BTreeSet::new();
        let status = self.runtime.status();
        let sessions = self.sessions.iter_mut().map(|(session, expected)| (session.scope(), expected));
        let global = (self.runtime.global(), &mut self.global);
        let mut visible = BTreeSet::new();
        for (number, (scope, expected)) in std::iter::once(global).chain(sessions).enumerate() {
            let name = scope.name().to_string();
            let real: BTreeSet<usize> = status.scopes[number].attached.iter().map(plugin).collect();
            let lost: Vec<usize> = expected.order.iter().copied().filter(|it| !real.contains(it)).collect();
            for plugin in &lost {
                let failed = fired.contains(&(name.clone(), *plugin, At::Attach));
                let missing = |need: &usize| {
                    let global = &("global".to_owned(), *need);
                    lost.contains(need) || all.contains(global)
                };
                assert!(
                    failed || self.parts[*plugin].needs.iter().any(missing),
                    "{plugin} is lost in {name}"
                );
            }
            expected.order.retain(|plugin| !lost.contains(plugin));
            for candidates in expected.candidates.values_mut() {
                candidates.retain(|candidate| !lost.contains(&candidate.plugin));
            }
            expected.candidates.retain(|_, candidates| !candidates.is_empty());
            expected.things.retain(|(_, plugin), _| !lost.contains(plugin));
            let on = expected.order.iter().copied().collect();
            let gone = lost.iter().map(|plugin| (name.clone(), *plugin));
            assert_eq!(oracle::unmet(&self.parts, &on, &visible), None, "in {name}, after {lost:?}");
            all.extend(gone);
            if number == 0 {
                visible = on;
            }
        }
        all
    }

    async fn expect_nothing_to_do(&mut self) {
        let (settings, mark) = (self.runtime.settings(), self.stage.serial());
        let Some(doc) = oracle::accepted(&self.parts, self.policy, &self.stored) else { return };
        let report = self.runtime.update_settings(RuntimeSettings::clone(&settings)).await.unwrap();
        assert!(report.plan.is_empty(), "{}", report.plan);
        self.rest().await;
        let log = self.stage.take_log();
        assert!(log.iter().all(|(_, _, act)| matches!(act, Act::Told(old, new) if old == new)), "{log:?}");
        assert_eq!(self.news().len(), 1);
        self.stored = doc;
        self.look(mark);
    }

    async fn snapshot(&mut self, doc: Doc) {
        let (settings, mark) = (doc.settings(), self.stage.serial());
        let changes = *self.runtime.settings() != settings;
        self.runtime.update_settings_snapshot(settings).await.unwrap();
        self.rest().await;
        assert!(self.stage.take_log().is_empty());
        assert_eq!(self.news().len(), usize::from(changes));
        self.stored = doc;
        self.look(mark);
    }

    async fn open(&mut self, faults: Vec<Fault>, patience: Patience) {
        let (mark, status) = (self.stage.serial(), self.runtime.status());
        self.opened += 1;
        let name = format!("session `{}`", self.opened);
        let accepted = oracle::accepted_by_a_session(&self.parts, self.policy, &self.stored);
        self.stage.set_faults(faults);
        let outcome = give(patience, self.runtime.create_session(&self.opened.to_string())).await;
        let (fired, log) = (self.rest().await, self.stage.take_log());
        assert!(self.news().is_empty());
        match outcome {
            Some(Ok(session)) => {
                assert!(fired.is_empty());
                let visible = self.global.order.iter().copied().collect();
                let nothing = Expected::default();
                let expected = next(&self.parts, &nothing, &accepted.unwrap(), false, &visible);
                expect_told_in_order(&log, &name, &nothing, &expected);
                self.sessions.push((session, expected));
            }
            Some(Err(error)) => {
                match error {
                    ChangeError::Refused(_) => assert!(accepted.is_none()),
                    ChangeError::Reverted { .. } => assert!(accepted.is_some() && !fired.is_empty()),
                    error => panic!("{error}"),
                }
                assert_eq!(self.runtime.status(), status);
            }
            None => assert_eq!(self.runtime.status().scopes, status.scopes, "nobody waits, so it is closed"),
        }
        self.expect_nobody_in(
            &name,
            self.sessions.last().is_some_and(|(it, _)| it.scope().name().to_string() == name),
        );
        self.look(mark);
    }

    async fn close(&mut self, session: Session, expected: Expected, faults: Vec<Fault>, patience: Patience) {
        let (scope, mark) = (session.scope().clone(), self.stage.serial());
        let name = scope.name().to_string();
        self.stage.set_faults(faults);
        let outcome = give(patience, session.close()).await;
        let (fired, log) = (self.rest().await, self.stage.take_log());
        let report = outcome.map(Result::unwrap);
        assert!(report.is_none_or(|report| report.failures.is_empty() == fired.is_empty()));
        expect_told_in_order(&log, &name, &expected, &Expected::default());
        self.expect_nobody_in(&name, false);
        expect_closed(&scope);
        self.look(mark);
    }

    pub(crate) async fn end(mut self) {
        let scopes: Vec<Scope> = self.sessions.iter().map(|(session, _)| session.scope().clone()).collect();
        let scopes = [vec![self.runtime.global().clone()], scopes].concat();
        self.runtime.shutdown().await.unwrap();
        for scope in scopes {
            expect_closed(&scope);
            self.expect_nobody_in(&scope.name().to_string(), false);
        }
        assert!(self.stream.next().await.is_none());
        assert_eq!(self.stage.complaints(), [""; 0]);
    }

    /// Holds reality against what is expected. What was made before `mark` was there before this step.
    fn look(&mut self, mark: usize) {
        assert_eq!(*self.runtime.settings(), self.stored.settings());
        let status = self.runtime.status();
        assert_eq!(status.scopes.len(), 1 + self.sessions.len());
        let (parts, stage) = (&self.parts, &self.stage);
        look_at(parts, stage, self.runtime.global(), &status.scopes[0], &mut self.global, mark);
        for ((session, expected), status) in self.sessions.iter_mut().zip(&status.scopes[1..]) {
            look_at(parts, stage, session.scope(), status, expected, mark);
        }
    }

    /// All configurations that are live.
    fn knobs(&self) -> BTreeMap<(String, usize, Option<usize>), Arc<Knob>> {
        let sessions = self.sessions.iter().map(|(session, expected)| (session.scope(), expected));
        let mut knobs = BTreeMap::new();
        for (scope, expected) in std::iter::once((self.runtime.global(), &self.global)).chain(sessions) {
            let name = scope.name().to_string();
            for plugin in expected.order.iter().filter(|plugin| self.parts[**plugin].config) {
                knobs.insert((name.clone(), *plugin, None), self.stage.knob(&name, *plugin));
            }
            for ((slot, plugin), thing) in &expected.things {
                if let Some(knob) = &thing.knob {
                    knobs.insert((name.clone(), *plugin, Some(*slot)), knob.load());
                }
            }
        }
        knobs
    }

    /// What the stream has for its subscribers.
    fn news(&mut self) -> Vec<Arc<RuntimeSettings>> {
        std::iter::from_fn(|| self.stream.next().now_or_never().flatten()).collect()
    }

    /// Waits until nothing moves any more; the clock goes on only then. Returns what has failed until now.
    async fn rest(&self) -> Vec<(String, usize, At)> {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        self.stage.set_faults(Vec::new());
        self.stage.take_fired()
    }

    fn expect_nobody_in(&self, scope: &str, unless: bool) {
        if !unless {
            assert!(self.stage.present(scope).is_empty(), "every attach has its detach in {scope}");
            assert_eq!(self.stage.guards(scope), 0, "nothing is left in {scope}");
        }
    }
}

/// What a scope should be like once it follows `doc`.
fn next(parts: &[Part], now: &Expected, doc: &Doc, global: bool, visible: &BTreeSet<usize>) -> Expected {
    let on = oracle::enabled(parts, doc, global, visible);
    let mut order: Vec<usize> = now.order.iter().copied().filter(|plugin| on.contains(plugin)).collect();
    let coming = on.iter().copied().filter(|plugin| !order.contains(plugin)).collect();
    let mut things = now.things.clone();
    things.retain(|(_, plugin), _| order.contains(plugin));
    order.extend(oracle::order(parts, &coming));
    Expected { doc: doc.clone(), order, candidates: oracle::candidates(parts, doc, &on), things }
}

fn look_at(
    parts: &[Part],
    stage: &Stage,
    scope: &Scope,
    status: &ScopeStatus,
    expected: &mut Expected,
    mark: usize,
) {
    let name = scope.name().to_string();
    let attached: Vec<usize> = status.attached.iter().map(plugin).collect();
    assert_eq!(attached, expected.order, "in {name}");
    assert_eq!(stage.present(&name), attached.iter().copied().collect(), "in {name}");
    assert_eq!(stage.guards(&name), GUARDS * attached.len(), "in {name}");
    assert_eq!(scope.bus().subscriptions(), attached.len(), "in {name}");
    for plugin in attached.iter().filter(|plugin| parts[**plugin].config) {
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

        let mut resolved = scope.resolve(*key);
        for candidate in candidates.iter().filter(|candidate| candidate.enabled) {
            let thing = resolved.unwrap();
            assert_eq!(thing.plugin, candidate.plugin, "for {slot} in {name}");
            resolved = scope.resolve_after(&crate::cast::id(candidate.plugin), *key);
            if let Some(knob) = &thing.knob {
                let level = oracle::service_level(&expected.doc, candidate.plugin, slot);
                assert_eq!(knob.load().level, level, "of {} in {name}", candidate.plugin);
            }
            if parts[candidate.plugin].offers[&slot].kind == Kind::Factory {
                assert!(thing.serial > mark, "a factory makes a new one each time");
                continue;
            }
            let same = expected.things.entry((slot, candidate.plugin)).or_insert_with(|| Arc::clone(&thing));
            assert!(Arc::ptr_eq(same, &thing), "{slot} of {} is another in {name}", candidate.plugin);
        }
        assert!(resolved.is_err(), "nobody else for {slot} in {name}");
    }
}

/// Who left did so in reverse order, who came followed in order, and who stayed was told once, in order.
fn expect_told_in_order(log: &Log, scope: &str, before: &Expected, after: &Expected) {
    let mut script: Vec<(usize, Act)> = Vec::new();
    let left = before.order.iter().rev().filter(|plugin| !after.order.contains(plugin));
    script.extend(left.map(|plugin| (*plugin, Act::Detach)));
    let came = after.order.iter().filter(|plugin| !before.order.contains(plugin));
    script.extend(came.map(|plugin| (*plugin, Act::Attach)));
    for plugin in after.order.iter().filter(|plugin| before.order.contains(plugin)) {
        script.push((*plugin, Act::Told(0, 0)));
    }
    let played = log.iter().filter(|(at, ..)| at == scope).map(|(_, plugin, act)| {
        let act = if matches!(act, Act::Told(..)) { Act::Told(0, 0) } else { act.clone() };
        (*plugin, act)
    });
    assert_eq!(played.collect::<Vec<_>>(), script, "in {scope}");
}

/// Who was told of a change that was taken back was told that as well, unless it was the one who failed.
fn expect_told_back(log: &Log, fired: &[(String, usize, At)]) {
    let mut told: BTreeMap<(String, usize), Vec<(u8, u8)>> = BTreeMap::new();
    for (scope, plugin, act) in log {
        if let Act::Told(old, new) = act {
            told.entry((scope.clone(), *plugin)).or_default().push((*old, *new));
        }
    }
    for ((scope, plugin), levels) in told {
        if !fired.contains(&(scope.clone(), plugin, At::Told)) {
            let [(old, new), back] = levels[..] else { panic!("{plugin} was told {levels:?} in {scope}") };
            assert_eq!((new, old), back, "{plugin} in {scope}");
        }
    }
}

fn expect_closed(scope: &Scope) {
    assert_eq!(scope.bus().subscriptions(), 0);
    assert!(scope.slots().is_empty());
    assert!(scope.bus().emit_sync(Ping).is_err());
    assert!(scope.bus().on(|_: &mut Envelope<Ping>| ()).is_err());
}

/// Waits for `future` as long as `patience` has it.
async fn give<F: Future>(patience: Patience, future: F) -> Option<F::Output> {
    let Some(polls) = patience else { return Some(future.await) };
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}
