//! The end of a run: everything is switched off, closed and shut down, and what is still there was left behind.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
};

use tokio::{runtime::Handle, task::yield_now};

use super::stage::{Stage, TURNS};
use crate::{id::PluginId, plan::ScopeName, runtime::ShutdownError, scope::Scope, settings::RuntimeSettings};

/// What piles up if somebody leaves it behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
struct Pile {
    on_session: usize,
    on_global: usize,
    tasks: usize,
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Stage<'_, G, S> {
    /// Ends everything and says what was left behind.
    pub(super) async fn end(mut self) -> Vec<String> {
        self.book.heal();
        self.update(self.harness.settings.clone()).await;
        for session in &self.sessions {
            drop(session.update_overlay(RuntimeSettings::default()).await); // what fails now failed without it
        }
        if self.sessions.is_empty() {
            self.open().await;
        }
        self.scopes().into_iter().for_each(|scope| self.remember(&scope));
        self.tell_again().await;
        self.switch_off().await;
        for session in mem::take(&mut self.sessions) {
            self.close(session).await;
        }
        self.look().await;
        self.shut_down().await
    }

    /// To be told of the same settings again must not add anything.
    async fn tell_again(&mut self) {
        self.update(self.harness.settings.clone()).await;
        let before: Vec<_> = self.scopes().into_iter().map(|scope| (self.kept(&scope), scope)).collect();
        self.update(self.harness.settings.clone()).await;
        for ((held, subscriptions), scope) in before {
            let (held_now, subscriptions_now) = self.kept(&scope);
            let more = |(plugin, now): (PluginId, usize)| {
                let more = now.saturating_sub(*held.get(&plugin)?);
                (more > 0).then_some((plugin, more))
            };
            let piling: BTreeMap<_, _> = held_now.into_iter().filter_map(more).collect();
            let name = scope.name();
            self.findings.extend(piling.iter().map(|(plugin, more)| {
                format!("`{plugin}` keeps {more} more in {name} whenever it is told of new settings")
            }));
            if piling.is_empty() && subscriptions_now > subscriptions {
                let more = subscriptions_now - subscriptions;
                self.findings
                    .push(format!("{more} more on the bus of {name} whenever new settings are told"));
            }
        }
    }

    /// With everything off, nothing is left; if something is, each plugin comes and goes once more, to see whose it is.
    async fn switch_off(&mut self) {
        self.update(self.only(&BTreeSet::new())).await;
        let left = self.left_over().await;
        if left.is_empty() && Handle::current().metrics().num_alive_tasks() <= 1 {
            return; // the driver's own
        }
        let known = self.findings.len();
        self.blame().await;
        if self.findings.len() == known {
            self.findings.extend(left);
        }
    }

    /// What is on the buses although everything is off. A session that was never anything but off shows how much that
    /// is where plugins are locked.
    async fn left_over(&mut self) -> Vec<String> {
        let Ok(fresh) = self.runtime.create_session(self.new_session("fresh")).await else {
            return Vec::new();
        };
        let usual = fresh.bus().subscriptions();
        self.close(fresh).await;
        let sessions = self.sessions.iter().map(|session| (session.scope().clone(), usual));
        let locked = self.book.attached_in(&ScopeName::Global).len();
        let global = (locked == 0).then(|| (self.runtime.global().clone(), 0));
        let left = sessions.chain(global).filter_map(|(scope, usual)| {
            let left = scope.bus().subscriptions().saturating_sub(usual);
            (left > 0)
                .then(|| format!("{} with everything off", subscriptions(left, &scope.name().to_string())))
        });
        left.collect()
    }

    async fn blame(&mut self) {
        let needs: HashMap<PluginId, Vec<PluginId>> = self
            .runtime
            .status()
            .plugins
            .into_iter()
            .map(|plugin| (plugin.plugin, plugin.dependencies))
            .collect();
        let mut suspects: Vec<(PluginId, BTreeSet<PluginId>)> =
            self.names.plugins.iter().map(|plugin| (plugin.clone(), with_needs(plugin, &needs))).collect();
        suspects.sort_by_key(|(_, with)| with.len()); // whoever is needed comes before those who need it
        let mut guilty: BTreeMap<PluginId, Pile> = BTreeMap::new();
        for (plugin, with) in suspects {
            let before = self.pile().await;
            self.update(self.only(&with)).await;
            self.update(self.only(&BTreeSet::new())).await;
            let after = self.pile().await;
            let known = with.iter().filter_map(|needed| guilty.get(needed));
            let known = known.fold(before, |sum, pile| sum.plus(*pile));
            let more = after.minus(known);
            if more != Pile::default() {
                self.findings.extend(more.findings(&plugin));
                guilty.insert(plugin, more);
            }
        }
    }

    async fn pile(&self) -> Pile {
        for _ in 0..TURNS {
            yield_now().await;
        }
        Pile {
            on_session: self.sessions.first().map_or(0, |session| session.bus().subscriptions()),
            on_global: self.runtime.global().bus().subscriptions(),
            tasks: Handle::current().metrics().num_alive_tasks(),
        }
    }

    async fn shut_down(mut self) -> Vec<String> {
        if let Err(ShutdownError::Failures(failures)) = self.runtime.shutdown().await {
            self.findings.extend(failures.iter().map(ToString::to_string));
        }
        self.findings.extend(self.book.findings());
        let (known, findings) = (!self.findings.is_empty(), mem::take(&mut self.findings));
        let relics = mem::take(&mut self.relics);
        drop(self);
        let left = || {
            let relics = relics.iter().filter(|relic| relic.is_there()).map(super::relic::Relic::finding);
            let tasks = Handle::current().metrics().num_alive_tasks();
            let tasks = (tasks > 0).then(|| format!("{tasks} tasks go on after the runtime has shut down"));
            relics.chain(tasks.filter(|_| !known)).collect::<Vec<_>>()
        };
        for _ in 0..TURNS {
            if left().is_empty() {
                break;
            }
            yield_now().await;
        }
        findings.into_iter().chain(left()).collect()
    }

    fn scopes(&self) -> Vec<Scope> {
        let global = self.runtime.global().clone();
        std::iter::once(global).chain(self.sessions.iter().map(|session| session.scope().clone())).collect()
    }

    fn kept(&self, scope: &Scope) -> (HashMap<PluginId, usize>, usize) {
        (self.book.held_in(scope.name()), scope.bus().subscriptions())
    }

    /// The settings with these plugins on and no others.
    fn only(&self, on: &BTreeSet<PluginId>) -> RuntimeSettings {
        self.harness.settings.with(|settings| {
            for plugin in &self.names.plugins {
                if on.contains(plugin) { settings.enable(plugin) } else { settings.disable(plugin) }
            }
        })
    }
}

impl Pile {
    fn plus(self, other: Self) -> Self {
        Self {
            on_session: self.on_session + other.on_session,
            on_global: self.on_global + other.on_global,
            tasks: self.tasks + other.tasks,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            on_session: self.on_session.saturating_sub(other.on_session),
            on_global: self.on_global.saturating_sub(other.on_global),
            tasks: self.tasks.saturating_sub(other.tasks),
        }
    }

    fn findings(self, plugin: &PluginId) -> Vec<String> {
        let on_session = (self.on_session > 0).then(|| subscriptions(self.on_session, "the session"));
        let on_global = (self.on_global > 0).then(|| subscriptions(self.on_global, "the global scope"));
        let tasks = (self.tasks > 0).then(|| format!("{} running", count(self.tasks, "task")));
        let left = on_session.into_iter().chain(on_global).chain(tasks);
        left.map(|left| format!("`{plugin}` leaves {left} when it is switched off")).collect()
    }
}

fn subscriptions(n: usize, scope: &str) -> String {
    format!("{} on the bus of {scope}", count(n, "subscription"))
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// A plugin and all that it needs, directly or not.
fn with_needs(plugin: &PluginId, needs: &HashMap<PluginId, Vec<PluginId>>) -> BTreeSet<PluginId> {
    let mut all = BTreeSet::new();
    let mut ahead = vec![plugin];
    while let Some(next) = ahead.pop() {
        if all.insert(next.clone()) {
            ahead.extend(needs.get(next).into_iter().flatten());
        }
    }
    all
}
