//! How a play ends, and what is left of it.

use std::time::Duration;

use futures_util::FutureExt;
use jackfield::{ChangeError, PluginRuntime, RuntimeSettings, Scope, Session};

use crate::{
    actor::{Actor, InSession},
    cast::{Part, id},
    look::expect_closed,
    play::{Play, give},
    stage::Stage,
    steps::{Ending, Fault},
};

impl Play {
    pub(crate) async fn end(mut self, ending: Ending, faults: Vec<Fault>) {
        let scopes: Vec<Scope> = self.scopes().map(|(scope, _)| scope.clone()).collect();
        self.global.things.clear();
        self.sessions.iter_mut().for_each(|opened| opened.expected.things.clear());
        self.stage.set_faults(faults);
        match ending {
            Ending::Shutdown(patience) => {
                let patience = patience.map(|polls| polls.max(1)); // or nobody would have asked
                let down = give(patience, self.runtime.shutdown()).await;
                let (fired, _) = self.rest().await;
                assert!(down.is_none_or(|down| down.is_ok() == fired.is_empty()));
            }
            Ending::InTheMiddle(lines, waits) => {
                let runtime = self.runtime.clone();
                let mut change = Box::pin(runtime.update_settings(self.doc(&lines).settings()));
                assert!(change.as_mut().now_or_never().is_none());
                if waits {
                    let (changed, _) = tokio::join!(change, self.runtime.shutdown());
                    assert!(!matches!(changed, Err(ChangeError::Closed)), "it came before the end");
                } else {
                    drop(change);
                    self.runtime.shutdown().await.ok();
                }
                self.rest().await;
                self.news.clear();
            }
            Ending::LetGo => {
                let Self { runtime, sessions, mut stream, stage, .. } = self;
                drop((runtime, sessions));
                tokio::time::sleep(Duration::from_secs(3600)).await;
                assert!(stream.next().await.is_none());
                return expect_deserted(&stage, scopes);
            }
        }
        for scope in &scopes {
            self.expect_nobody_in(&scope.name().to_string(), false);
        }
        assert_eq!(self.stage.things(), 0, "no service is left, whoever still holds a handle");
        let Self { runtime, sessions, mut stream, stage, wanted, .. } = self;
        assert!(stream.next().await.is_none());
        assert!(runtime.sessions().is_empty());
        assert!(runtime.status().scopes.iter().all(|scope| scope.attached.is_empty()));
        let sessions = sessions.into_iter().map(|opened| opened.session).collect();
        expect_refusals(&runtime, sessions, &wanted.cast.parts[0], &stage).await;
        drop(runtime);
        expect_deserted(&stage, scopes);
    }
}

/// Everything that would change something is refused, and does not.
async fn expect_refusals(runtime: &PluginRuntime, sessions: Vec<Session>, part: &Part, stage: &Stage) {
    let status = runtime.status();
    let nothing = RuntimeSettings::default;
    let plan = runtime.plan(&nothing());
    let mut refusals = vec![
        runtime.update_settings(nothing()).await.map(drop),
        runtime.update_latest(nothing()).await.map(drop),
        runtime.update_global_overlay(nothing()).await.map(drop),
        runtime.update_settings_snapshot(nothing()).await,
        runtime.reset_settings_snapshot().await,
        runtime.add_plugin(InSession(Actor::new(0, part, stage))).await.map(drop),
        runtime.remove_plugin(&id(0)).await.map(drop),
        runtime.create_session("late").await.map(drop),
    ];
    if let Ok(plan) = plan {
        refusals.push(runtime.apply(plan).await.map(drop));
    }
    for session in sessions {
        refusals.push(session.update_overlay(nothing()).await.map(drop));
        refusals.push(session.close().await.map(drop));
    }
    assert!(refusals.iter().all(|it| matches!(it, Err(ChangeError::Closed))), "{refusals:?}");
    assert!(runtime.shutdown().await.is_ok(), "once it is down, that is nothing to do");
    assert_eq!(runtime.status(), status);
}

fn expect_deserted(stage: &Stage, scopes: Vec<Scope>) {
    for scope in &scopes {
        expect_closed(scope);
        assert!(stage.present(&scope.name().to_string()).is_empty());
    }
    assert_eq!(stage.complaints(), [""; 0]);
    drop(scopes);
    assert!(stage.is_deserted(), "no plugin is left, and nothing that one has made");
}
