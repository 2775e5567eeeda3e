use std::{collections::BTreeSet, collections::HashSet, sync::Arc};

use futures_util::FutureExt;

use super::{
    super::witness::{Witness, witnessed},
    Harness, Step,
    book::Book,
    relic::Relic,
    step::{Names, pick},
};
use crate::{
    id::PluginId,
    plan::ScopeName,
    report::{ChangeError, Report},
    runtime::PluginRuntime,
    scope::Scope,
    session::{NewSession, Session},
    settings::RuntimeSettings,
};

/// More sessions than these find nothing that these do not.
const SESSIONS: usize = 4;

/// How often others get their turn before something counts as left behind. What ends by itself has ended long before.
pub(super) const TURNS: usize = 64;

/// A runtime, and what the harness knows about it.
pub(super) struct Stage<'h, G, S> {
    pub(super) harness: &'h Harness<G, S>,
    pub(super) names: Names,
    pub(super) book: Arc<Book>,
    pub(super) runtime: PluginRuntime<G, S>,
    pub(super) sessions: Vec<Session<G, S>>,
    pub(super) relics: Vec<Relic>,
    pub(super) findings: Vec<String>,
    opened: usize,
}

impl<'h, G: Send + Sync + 'static, S: Send + Sync + 'static> Stage<'h, G, S> {
    /// Plays `steps` and ends everything, or as far as nothing is found. What was found, and after how many steps.
    pub(super) async fn play(harness: &'h Harness<G, S>, steps: &[Step]) -> (Vec<String>, Names, usize) {
        let plugins = (harness.plugins)();
        let (names, book) = (harness.names(&plugins), Arc::new(Book::default()));
        let mut builder = PluginRuntime::builder_with((harness.data)())
            .settings(harness.settings.clone())
            .failure_policy(harness.policy);
        for plugin in plugins {
            builder = builder.plugin(witnessed(plugin, Arc::clone(&book) as Arc<dyn Witness>));
        }
        let runtime = match builder.init().await {
            Ok(runtime) => runtime,
            Err(error) => return (vec![error.to_string()], names, 0),
        };
        let relics = vec![Relic::new(&ScopeName::Global, "the application's data", runtime.data())];
        let (sessions, findings) = (Vec::new(), Vec::new());
        let mut stage = Self { harness, names, book, runtime, sessions, relics, findings, opened: 0 };

        for (n, step) in steps.iter().enumerate() {
            stage.step(*step).await;
            stage.look().await;
            if !stage.findings.is_empty() {
                return (stage.findings, stage.names, n + 1);
            }
        }
        let names = stage.names.clone();
        (stage.end().await, names, steps.len())
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Open => self.open().await,
            Step::Close(n) => {
                if let Some(place) = self.place(n) {
                    let session = self.sessions.remove(place);
                    self.close(session).await;
                }
            }
            Step::Drop(n) => {
                if let Some(place) = self.place(n) {
                    drop(self.sessions.remove(place));
                }
            }
            Step::Toggle(n) => {
                let next = self.toggled(&self.runtime.settings(), n);
                self.update(next).await;
            }
            Step::WalkAway(n) => {
                let next = self.toggled(&self.runtime.settings(), n);
                drop(self.runtime.update_settings(next).now_or_never());
            }
            Step::ToggleIn { session, plugin } => {
                if let Some(session) = pick(&self.sessions, session) {
                    let next = self.toggled(&session.overlay(), plugin);
                    let struck = self.book.struck();
                    let outcome = session.update_overlay(next).await;
                    self.judge(struck, outcome);
                }
            }
            Step::Vary(n) => {
                let next = self.varied(&self.runtime.settings(), n);
                self.update(next).await;
            }
            Step::VaryIn { session, variation } => {
                if let Some(session) = pick(&self.sessions, session) {
                    let next = self.varied(&session.overlay(), variation);
                    let struck = self.book.struck();
                    let outcome = session.update_overlay(next).await;
                    self.judge(struck, outcome);
                }
            }
            Step::Fail { plugin, hook, fault } => {
                if let Some(plugin) = pick(&self.names.plugins, plugin) {
                    self.book.arm(plugin.clone(), hook, fault);
                }
            }
            Step::Use(n) => {
                if let Some(session) = pick(&self.sessions, n) {
                    self.harness.uses.iter().for_each(|uses| uses(session.scope()));
                    let scope = session.scope().clone();
                    self.remember(&scope);
                }
            }
        }
    }

    pub(super) async fn open(&mut self) {
        if self.sessions.len() == SESSIONS {
            return;
        }
        self.opened += 1;
        let struck = self.book.struck();
        match self.runtime.create_session(self.new_session(&self.opened.to_string())).await {
            Ok(session) => {
                self.relics.push(Relic::new(session.scope().name(), "the session's data", session.data()));
                self.sessions.push(session);
            }
            Err(error) => self.judge(struck, Err(error)),
        }
    }

    pub(super) fn new_session(&self, name: &str) -> NewSession<S> {
        NewSession::new(name, (self.harness.session_data)())
    }

    pub(super) async fn close(&mut self, session: Session<G, S>) {
        let struck = self.book.struck();
        let outcome = session.close().await;
        self.judge(struck, outcome);
    }

    pub(super) async fn update(&mut self, settings: RuntimeSettings) {
        let struck = self.book.struck();
        let outcome = self.runtime.update_settings(settings).await;
        self.judge(struck, outcome);
    }

    /// A change fails only if a plugin was told to.
    fn judge(&mut self, struck_before: usize, outcome: Result<Report, ChangeError>) {
        if self.book.struck() > struck_before {
            return;
        }
        match outcome {
            Ok(report) => self.findings.extend(report.failures.iter().map(ToString::to_string)),
            Err(error) => self.findings.push(format!("nobody was told to fail: {error}")),
        }
    }

    /// Remembers the services that are watched, as they are now.
    pub(super) fn remember(&mut self, scope: &Scope) {
        self.relics.extend(self.harness.look_ups.iter().filter_map(|look_up| look_up(scope)));
    }

    /// Looks at what can be seen between two steps.
    pub(super) async fn look(&mut self) {
        // Answered after all that was asked before: a session whose handle was dropped, a change nobody waits for.
        let settings = RuntimeSettings::clone(&self.runtime.settings());
        drop(self.runtime.update_settings_snapshot(settings).await);
        let seen = self.settled(Self::contradictions).await;
        self.findings.extend(seen);
        let open: HashSet<ScopeName> =
            self.runtime.sessions().iter().map(|scope| scope.name().clone()).collect();
        let closed = |relic: &Relic| relic.scope != ScopeName::Global && !open.contains(&relic.scope);
        let late = |stage: &Self| {
            let late = stage.relics.iter().filter(|relic| closed(relic) && relic.is_there());
            late.map(Relic::finding).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let late = self.settled(late).await;
        self.findings.extend(late);
        self.relics.retain(|relic| !closed(relic));
        self.findings.extend(self.book.findings());
    }

    /// What `seen` finds, once others have had their turns.
    pub(super) async fn settled(&self, seen: impl Fn(&Self) -> Vec<String>) -> Vec<String> {
        let mut found = seen(self);
        for _ in 0..TURNS {
            if found.is_empty() {
                break;
            }
            tokio::task::yield_now().await;
            found = seen(self);
        }
        found
    }

    /// Where the plugins have seen another life than the runtime says they have.
    fn contradictions(&self) -> Vec<String> {
        let scopes = self.runtime.status().scopes;
        let differ = scopes.into_iter().filter_map(|scope| {
            let said: BTreeSet<PluginId> = scope.attached.into_iter().collect();
            let seen = self.book.attached_in(&scope.scope);
            (said != seen).then(|| {
                let (said, seen) = (list(&said), list(&seen));
                format!("in {}, {said} should be attached, and {seen} have not detached", scope.scope)
            })
        });
        differ.collect()
    }

    fn place(&self, n: usize) -> Option<usize> {
        (!self.sessions.is_empty()).then(|| n % self.sessions.len())
    }

    fn toggled(&self, settings: &RuntimeSettings, n: usize) -> RuntimeSettings {
        let Some(plugin) = pick(&self.names.plugins, n) else { return settings.clone() };
        settings.with(|settings| {
            // Who is not mentioned is mentioned as off: what is off by default comes on the next time.
            let entry = settings.plugins.contains_key(plugin) && !settings.is_plugin_enabled(plugin);
            if entry { settings.enable(plugin) } else { settings.disable(plugin) }
        })
    }

    fn varied(&self, settings: &RuntimeSettings, n: usize) -> RuntimeSettings {
        match pick(&self.harness.variations, n) {
            Some((_, vary)) => settings.with(vary),
            None => settings.clone(),
        }
    }
}

fn list(plugins: &BTreeSet<PluginId>) -> String {
    let names: Vec<_> = plugins.iter().map(PluginId::as_str).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}
