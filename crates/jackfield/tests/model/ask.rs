//! How a change is asked for: by whom, how patiently, and whether anybody has to be told.

use futures_util::FutureExt;
use jackfield::{AddError, ChangeError, Plan, Report};

use crate::{
    actor::{Actor, InGlobal, InSession},
    cast::{Doc, id},
    oracle::Wanted,
    play::{Before, Knobs, Opened, Play, give},
    settle::Made,
    stage::{Act, Fired},
    steps::{At, Fault, How, Patience, What},
};

type Outcome = Option<Result<Report, ChangeError>>;

impl Play {
    pub(crate) async fn change(&mut self, what: What, faults: Vec<Fault>, patience: Patience) {
        let before = self.before();
        self.stage.set_faults(faults);
        let (runtime, mut tells) = (self.runtime.clone(), false);
        let (wanted, outcome) = match what {
            What::Update(lines) => {
                let doc = self.doc(&lines);
                tells = true;
                let outcome = give(patience, runtime.update_settings(doc.settings())).await;
                (self.wanted.with_settings(doc), outcome)
            }
            What::Apply(lines) => {
                let wanted = self.wanted.with_settings(self.doc(&lines));
                tells = true;
                let plan = runtime.plan(&wanted.settings.settings());
                assert_eq!(plan.is_ok(), wanted.accepted(self.unknown).is_some(), "{plan:?}");
                let Ok(plan) = plan else { return self.expect_nothing(&before).await };
                let hash = plan.hash();
                let outcome = give(patience, runtime.apply(plan)).await;
                if let Some(Ok(report)) = &outcome {
                    assert_eq!(report.plan.hash(), hash, "what was planned is what was done");
                }
                (wanted, outcome)
            }
            What::Latest(lines, earlier) => {
                tells = true;
                let mut early: Vec<_> = (0..earlier)
                    .map(|_| Box::pin(runtime.update_latest(Doc::default().settings())))
                    .collect();
                early.iter_mut().for_each(|early| assert!(early.as_mut().now_or_never().is_none()));
                let dropped = early.pop(); // nobody waits for one of them
                drop(dropped);
                let doc = self.doc(&lines);
                let mut last = Box::pin(runtime.update_latest(doc.settings()));
                let first = last.as_mut().now_or_never();
                assert!(first.is_none());
                for early in early {
                    assert!(matches!(early.await, Err(ChangeError::Superseded)));
                }
                let polled = give(patience, last).await;
                return self.concluded(before, self.wanted.with_settings(doc), polled, tells).await;
            }
            What::Overlay(which, lines) => {
                let (over, place) = (self.doc(&lines), which.checked_sub(1));
                match place.filter(|_| !self.sessions.is_empty()) {
                    Some(place) => {
                        let Opened { number, session, .. } = &self.sessions[place % self.sessions.len()];
                        let outcome = give(patience, session.update_overlay(over.settings())).await;
                        (self.wanted.with_over(Some(*number), over), outcome)
                    }
                    None => {
                        let outcome = give(patience, runtime.update_global_overlay(over.settings())).await;
                        (self.wanted.with_over(None, over), outcome)
                    }
                }
            }
            What::Add(plugin, part) => {
                let actor = Actor::new(plugin, &part, &self.stage);
                let outcome = match part.global {
                    true => give(patience, runtime.add_plugin(InGlobal(actor))).await,
                    false => give(patience, runtime.add_plugin(InSession(actor))).await,
                };
                let there = self.wanted.cast.here.contains(&plugin);
                self.rest_once().await;
                if there || self.stage.has_fired(At::Declare) {
                    match outcome {
                        Some(Err(ChangeError::Plugin(AddError::Panicked { .. }))) => {
                            assert!(self.stage.has_fired(At::Declare));
                        }
                        Some(Err(ChangeError::Plugin(AddError::Duplicate { .. }))) => assert!(there),
                        outcome => assert!(outcome.is_none(), "{outcome:?}"),
                    }
                    self.stage.take_fired();
                    return self.expect_nothing(&before).await;
                }
                (self.wanted.with_cast(self.wanted.cast.with(plugin, part)), outcome)
            }
            What::Remove(plugin) => {
                let outcome = give(patience, runtime.remove_plugin(&id(plugin))).await;
                if !self.wanted.cast.here.contains(&plugin) {
                    assert!(matches!(outcome, None | Some(Err(ChangeError::NoSuchPlugin { .. }))));
                    return self.expect_nothing(&before).await;
                }
                (self.wanted.with_cast(self.wanted.cast.without(plugin)), outcome)
            }
        };
        if patience == Some(0) {
            return self.expect_nothing(&before).await; // nobody ever asked
        }
        self.concluded(before, wanted, outcome, tells).await;
    }

    pub(crate) async fn concluded(&mut self, before: Before, wanted: Wanted, outcome: Outcome, tells: bool) {
        let (fired, log) = self.rest().await;
        self.settle(&before, &wanted, Made { outcome, fired, log, tells, last: true });
        self.look(before.mark);
    }

    pub(crate) async fn update(&mut self, doc: Doc) {
        let before = self.before();
        let outcome = self.runtime.update_settings(doc.settings()).await;
        self.concluded(before, self.wanted.with_settings(doc), Some(outcome), true).await;
    }

    pub(crate) async fn apply_late(&mut self, plan: Plan, doc: Doc) {
        let before = self.before();
        let stale = plan.generation != before.status.generation;
        let outcome = self.runtime.apply(plan).await;
        if stale {
            assert!(matches!(outcome, Err(ChangeError::Stale { .. })), "{outcome:?}");
            return self.expect_nothing(&before).await;
        }
        self.concluded(before, self.wanted.with_settings(doc), Some(outcome), true).await;
    }

    /// `doc`, while which a hook asks for `wish`.
    pub(crate) async fn asked(
        &mut self,
        doc: Doc,
        wish: Doc,
        at: At,
        fails: Option<How>,
        patience: Patience,
    ) {
        let before = self.before();
        self.stage.set_wish(at, wish.clone());
        let fault = |how| Fault { plugin: None, at, how, after: 0, times: 1 };
        self.stage.set_faults(fails.map(fault).into_iter().collect());
        let outcome = give(patience, self.runtime.update_settings(doc.settings())).await;
        let (fired, mut log) = self.rest().await;
        let nobody_asked = self.stage.drop_wish();
        if patience == Some(0) {
            assert!(nobody_asked && log.is_empty());
            return self.look(before.mark);
        }
        let edit = log.iter().position(|(_, _, act)| *act == Act::Edit);
        assert_eq!(edit.is_none(), nobody_asked, "what was asked for is done");
        let second = edit.map(|place| log.split_off(place).split_off(1));
        let last = second.is_none();
        let wanted = self.wanted.with_settings(doc);
        self.settle(&before, &wanted, Made { outcome, fired, log, tells: true, last });
        if let Some(log) = second {
            let made = Made { outcome: None, fired: Fired::new(), log, tells: true, last: true };
            let (settings, status) = (self.runtime.settings(), self.runtime.status());
            let between = Before { settings, status, mark: before.mark, knobs: Knobs::new() };
            self.settle(&between, &self.wanted.with_settings(wish), made);
        }
        self.look(before.mark);
    }
}
