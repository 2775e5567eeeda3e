//! A real runtime, what it should be like, and steps from one to the next.

use std::{
    collections::{BTreeMap, VecDeque},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures_util::FutureExt;
use jackfield::{
    ChangeError, FailurePolicy, NewSession, PluginRuntime, RuntimeSettings, RuntimeStatus, Scope, Session,
    SettingsStream, UnknownReferences,
};

use crate::{
    actor::Knob,
    cast::Doc,
    expected::Expected,
    look::expect_closed,
    oracle::Wanted,
    settle::{expect_report, expect_story, who_fell},
    stage::{Act, Fired, Log, Stage},
    steps::{Fault, Patience, Step, doc},
    story::expect_script,
};

pub(crate) struct Play {
    pub(crate) unknown: UnknownReferences,
    pub(crate) policy: FailurePolicy,
    pub(crate) stage: Stage,
    pub(crate) runtime: PluginRuntime,
    pub(crate) stream: SettingsStream,
    /// What the stream had for its subscribers and nobody has looked at.
    pub(crate) news: VecDeque<Arc<RuntimeSettings>>,
    pub(crate) wanted: Wanted,
    pub(crate) global: Expected,
    pub(crate) sessions: Vec<Opened>,
    pub(crate) opened: usize,
}

pub(crate) struct Opened {
    pub(crate) number: usize,
    pub(crate) session: Session,
    pub(crate) expected: Expected,
}

/// How things are before a step.
pub(crate) struct Before {
    /// Services with a higher number are made later.
    pub(crate) mark: usize,
    pub(crate) settings: Arc<RuntimeSettings>,
    pub(crate) status: RuntimeStatus,
    pub(crate) knobs: Knobs,
}

/// All configurations that are live, by scope, plugin and slot.
pub(crate) type Knobs = BTreeMap<(String, usize, Option<usize>), Arc<Knob>>;

impl Play {
    pub(crate) async fn step(&mut self, step: Step) {
        match step {
            Step::Change { what, faults, patience } => self.change(what, faults, patience).await,
            Step::Again { there } => {
                let here = self.wanted.settings.clone();
                self.update(here.clone()).await;
                self.expect_nothing_to_do().await;
                self.update(self.doc(&there)).await;
                self.update(here).await;
                self.expect_nothing_to_do().await;
            }
            Step::Late { lines, between } => {
                let doc = self.doc(&lines);
                let plan = self.runtime.plan(&doc.settings());
                Box::pin(self.step(*between)).await;
                if let Ok(plan) = plan {
                    self.apply_late(plan, doc).await;
                }
            }
            Step::Asked { lines, wish, at, fails, patience } => {
                self.asked(self.doc(&lines), self.doc(&wish), at, fails, patience).await;
            }
            Step::Snapshot { lines } => self.snapshot(self.doc(&lines)).await,
            Step::Touch { faults } => self.touch(faults).await,
            Step::Open { over, faults, patience } => self.open(self.doc(&over), faults, patience).await,
            Step::Close { which, faults, patience } => {
                if !self.sessions.is_empty() {
                    let opened = self.sessions.remove(which % self.sessions.len());
                    self.close(opened, faults, patience).await;
                }
            }
        }
        assert_eq!(self.stage.complaints(), [""; 0]);
    }

    pub(crate) fn doc(&self, lines: &[crate::steps::Line]) -> Doc {
        doc(lines, &self.wanted.cast)
    }

    pub(crate) fn before(&self) -> Before {
        let (settings, status) = (self.runtime.settings(), self.runtime.status());
        Before { mark: self.stage.serial(), settings, status, knobs: self.knobs() }
    }

    async fn expect_nothing_to_do(&mut self) {
        let (settings, mark) = (self.runtime.settings(), self.stage.serial());
        let Some(wanted) = self.wanted.accepted(self.unknown) else { return };
        let report = self.runtime.update_settings(RuntimeSettings::clone(&settings)).await.unwrap();
        assert!(report.plan.is_empty(), "{}", report.plan);
        let (_, log) = self.rest().await;
        assert!(log.iter().all(|(_, _, act)| matches!(act, Act::Told(old, new) if old == new)), "{log:?}");
        assert_eq!(std::mem::take(&mut self.news).len(), 1);
        self.wanted = wanted;
        self.look(mark);
    }

    async fn snapshot(&mut self, doc: Doc) {
        let (settings, mark) = (doc.settings(), self.stage.serial());
        let changes = *self.runtime.settings() != settings;
        match settings.is_empty() {
            true => self.runtime.reset_settings_snapshot().await.unwrap(),
            false => self.runtime.update_settings_snapshot(settings).await.unwrap(),
        }
        let (_, log) = self.rest().await;
        assert!(log.is_empty());
        assert_eq!(std::mem::take(&mut self.news).len(), usize::from(changes));
        self.wanted.settings = doc;
        self.look(mark);
    }

    pub(crate) async fn open(&mut self, over: Doc, faults: Vec<Fault>, patience: Patience) {
        let (mark, status) = (self.stage.serial(), self.runtime.status());
        self.opened += 1;
        let number = self.opened;
        let name = format!("session `{number}`");
        let new = NewSession::new(&number.to_string(), ()).overlay(over.settings());
        let accepted = self.wanted.with_over(Some(number), over).accepted_by(number, self.unknown);
        self.stage.set_faults(faults);
        let outcome = give(patience, self.runtime.create_session(new)).await;
        let (fired, log) = self.rest().await;
        let cast = &self.wanted.cast;
        match outcome {
            Some(Ok(session)) => {
                let visible = self.global.order.iter().copied().collect();
                let (accepted, nothing) = (accepted.unwrap(), Expected::default());
                let planned = nothing.next(cast, &accepted.of(Some(number)), false, &visible);
                let status = self.runtime.status();
                let fallen = who_fell(&fired, &name, status.scopes.last().unwrap(), &planned);
                let expected = planned.clone().without(cast, &fallen, false, &visible);
                expect_story(cast, &log, &name, &nothing, &planned, &expected, fallen.is_empty());
                expect_report(session.report(), &fired);
                self.wanted.over.insert(number, accepted.over[&number].clone());
                self.sessions.push(Opened { number, session, expected });
            }
            Some(Err(error)) => {
                match error {
                    ChangeError::Refused(_) => assert!(accepted.is_none()),
                    ChangeError::Reverted { .. } => {
                        assert!(accepted.is_some() && !fired.is_empty());
                        assert_eq!(self.policy, FailurePolicy::AllOrNothing);
                    }
                    error => panic!("{error}"),
                }
                assert_eq!(self.runtime.status(), status);
            }
            None => assert_eq!(self.runtime.status().scopes, status.scopes, "nobody waits, so it is closed"),
        }
        let open = self.sessions.last().is_some_and(|opened| opened.number == number);
        self.expect_nobody_in(&name, open);
        self.look(mark);
    }

    async fn close(&mut self, opened: Opened, faults: Vec<Fault>, patience: Patience) {
        let Opened { number, session, expected } = opened;
        let (scope, mark) = (session.scope().clone(), self.stage.serial());
        let name = scope.name().to_string();
        self.stage.set_faults(faults);
        let outcome = give(patience, session.close()).await;
        let (fired, log) = self.rest().await;
        let report = outcome.map(Result::unwrap);
        assert!(report.is_none_or(|report| report.failures.is_empty() == fired.is_empty()));
        expect_script(&log, &name, &expected.script(&self.wanted.cast, &Expected::default()));
        self.wanted.over.remove(&number);
        self.expect_nobody_in(&name, false);
        expect_closed(&scope);
        self.look(mark);
    }

    fn knobs(&self) -> Knobs {
        let mut knobs = BTreeMap::new();
        for (scope, expected) in self.scopes() {
            let name = scope.name().to_string();
            for plugin in expected.order.iter().filter(|plugin| self.wanted.cast.parts[**plugin].config) {
                knobs.insert((name.clone(), *plugin, None), self.stage.knob(&name, *plugin));
            }
            for ((slot, plugin), thing) in &expected.things {
                if let Some(knob) = thing.knob.get() {
                    knobs.insert((name.clone(), *plugin, Some(*slot)), knob.load());
                }
            }
        }
        knobs
    }

    pub(crate) fn expect_same_knobs(&self, before: &Knobs) {
        for (key, knob) in self.knobs() {
            assert!(Arc::ptr_eq(&before[&key], &knob), "the configuration of {key:?} is as before");
        }
    }

    /// The global scope, and then the sessions.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (&Scope, &Expected)> {
        let sessions = self.sessions.iter().map(|opened| (opened.session.scope(), &opened.expected));
        std::iter::once((self.runtime.global(), &self.global)).chain(sessions)
    }

    pub(crate) async fn expect_nothing(&mut self, before: &Before) {
        let (fired, log) = self.rest().await;
        assert!(log.is_empty() && fired.is_empty() && self.news.is_empty(), "{log:?}, {fired:?}");
        assert_eq!(self.runtime.status(), before.status);
        self.look(before.mark);
    }

    /// Waits until nothing moves any more; the clock goes on only then.
    pub(crate) async fn rest_once(&mut self) {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        self.stage.set_faults(Vec::new());
    }

    /// The same. Returns what has failed until then, and what was done.
    pub(crate) async fn rest(&mut self) -> (Fired, Log) {
        self.rest_once().await;
        self.news.extend(std::iter::from_fn(|| self.stream.next().now_or_never().flatten()));
        (self.stage.take_fired(), self.stage.take_log())
    }

    pub(crate) fn expect_nobody_in(&self, scope: &str, unless: bool) {
        if !unless {
            assert!(self.stage.present(scope).is_empty(), "every attach has its detach in {scope}");
            assert!(self.stage.begun(scope).is_empty(), "every service that began has ended in {scope}");
            assert_eq!(self.stage.guards(scope), 0, "nothing is left in {scope}");
        }
    }
}

/// Waits for `future` as long as `patience` has it.
pub(crate) async fn give<F: Future>(patience: Patience, future: F) -> Option<F::Output> {
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
