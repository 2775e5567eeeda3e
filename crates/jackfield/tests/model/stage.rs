//! What all actors of a play share: what they did, what they are to fail at, and what they have.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield::{Context, prelude::*};

use crate::{
    actor::Knob,
    cast::Doc,
    steps::{At, Fault, How},
};

/// What failures on purpose say.
pub(crate) const ON_PURPOSE: &str = "on purpose";

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Attach,
    Detach,
    /// Told of a change, from this level to that.
    Told(u8, u8),
    /// Its service in this slot attaches.
    Begin(usize),
    /// Its service in this slot detaches.
    End(usize),
    /// What it had asked for is being done.
    Edit,
}

/// Where, who, and what.
pub(crate) type Log = Vec<(String, usize, Act)>;
/// What has failed on purpose: where (nobody knows while registering and building), who, and at what.
pub(crate) type Fired = Vec<(String, usize, At)>;

#[derive(Clone, Default)]
pub(crate) struct Stage(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    serial: usize,
    faults: Vec<Fault>,
    /// How many are looking something up.
    peeking: usize,
    wish: Option<(At, Doc)>,
    fired: Fired,
    log: Log,
    /// Who is attached where, by the hooks that were called.
    present: BTreeSet<(String, usize)>,
    /// Whose service in which slot is attached where.
    begun: BTreeSet<(String, usize, usize)>,
    /// How many guards are alive.
    guards: BTreeMap<(String, usize), usize>,
    /// How many services are.
    things: usize,
    knobs: BTreeMap<(String, usize), Live<Knob>>,
    complaints: Vec<String>,
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn serial(&self) -> usize {
        self.lock().serial
    }
    pub(crate) fn set_faults(&self, faults: Vec<Fault>) {
        self.lock().faults = faults;
    }
    /// Whoever is next at `at` asks for `doc`.
    pub(crate) fn set_wish(&self, at: At, doc: Doc) {
        self.lock().wish = Some((at, doc));
    }
    /// Whether nobody has asked for what was to be asked for.
    pub(crate) fn drop_wish(&self) -> bool {
        self.lock().wish.take().is_some()
    }
    pub(crate) fn take_fired(&self) -> Fired {
        mem::take(&mut self.lock().fired)
    }
    pub(crate) fn has_fired(&self, at: At) -> bool {
        self.lock().fired.iter().any(|(_, _, fired)| *fired == at)
    }
    pub(crate) fn take_log(&self) -> Log {
        mem::take(&mut self.lock().log)
    }
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.lock().complaints.clone()
    }
    pub(crate) fn complain(&self, what: String) {
        self.lock().complaints.push(what);
    }
    pub(crate) fn knob(&self, scope: &str, plugin: usize) -> Arc<Knob> {
        self.lock().knobs[&(scope.to_owned(), plugin)].load()
    }
    pub(crate) fn keep_knob(&self, scope: &str, plugin: usize, knob: Live<Knob>) {
        self.lock().knobs.insert((scope.to_owned(), plugin), knob);
    }
    pub(crate) fn present(&self, scope: &str) -> BTreeSet<usize> {
        let inner = self.lock();
        inner.present.iter().filter(|(at, _)| at == scope).map(|(_, plugin)| *plugin).collect()
    }
    pub(crate) fn begun(&self, scope: &str) -> BTreeSet<(usize, usize)> {
        let inner = self.lock();
        inner.begun.iter().filter(|(at, ..)| at == scope).map(|(_, plugin, slot)| (*plugin, *slot)).collect()
    }
    pub(crate) fn guards(&self, scope: &str) -> usize {
        let inner = self.lock();
        inner.guards.iter().filter(|((at, _), _)| at == scope).map(|(_, count)| count).sum()
    }
    pub(crate) fn things(&self) -> usize {
        self.lock().things
    }
    /// Whether no actor is left, and nothing that one has made.
    pub(crate) fn is_deserted(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Somebody makes a service; returns its number.
    pub(crate) fn count_thing(&self) -> usize {
        let mut inner = self.lock();
        (inner.serial, inner.things) = (inner.serial + 1, inner.things + 1);
        inner.serial
    }
    pub(crate) fn uncount_thing(&self) {
        self.lock().things -= 1;
    }

    /// Takes down what was done, and whether it could be.
    pub(crate) fn note(&self, scope: &str, plugin: usize, act: Act) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let at = scope.to_owned();
        let attached = inner.present.contains(&(at.clone(), plugin));
        let sane = match act {
            Act::Attach => inner.present.insert((at, plugin)),
            Act::Detach => inner.present.remove(&(at, plugin)),
            Act::Told(..) => attached,
            Act::Begin(slot) => inner.begun.insert((at, plugin, slot)),
            Act::End(slot) => inner.begun.remove(&(at, plugin, slot)),
            Act::Edit => true,
        };
        if !sane {
            inner.complaints.push(format!("{plugin} cannot {act:?} in {scope}"));
        }
        inner.log.push((scope.to_owned(), plugin, act));
    }
    /// A service that failed to attach is not asked to detach.
    pub(crate) fn has_not_begun(&self, scope: &str, plugin: usize, slot: usize) {
        self.lock().begun.remove(&(scope.to_owned(), plugin, slot));
    }

    /// Has `look` look something up, in which nothing fails: who looks would not mind, and so the change would not.
    pub(crate) fn peek(&self, look: impl FnOnce()) {
        self.lock().peeking += 1;
        look();
        self.lock().peeking -= 1;
    }

    /// Whether this call is to fail, and how.
    pub(crate) fn strike(&self, scope: &str, plugin: usize, at: At) -> Option<How> {
        let mut inner = self.lock();
        if inner.peeking > 0 {
            return None;
        }
        let mut struck = None;
        for fault in inner
            .faults
            .iter_mut()
            .filter(|fault| fault.at == at && fault.plugin.is_none_or(|it| it == plugin))
        {
            if fault.after > 0 {
                fault.after -= 1;
            } else if fault.times > 0 && struck.is_none() {
                fault.times -= 1;
                struck = Some(fault.how);
            }
        }
        if struck.is_some() {
            inner.fired.push((scope.to_owned(), plugin, at));
        }
        struck
    }

    pub(crate) async fn live(&self, scope: &str, plugin: usize, at: At) -> PluginResult {
        match self.strike(scope, plugin, at) {
            None => {
                tokio::task::yield_now().await;
                Ok(())
            }
            Some(How::Error) => Err(ON_PURPOSE.into()),
            Some(How::Panic) => panic!("{ON_PURPOSE}"),
            Some(How::Hang) => pending().await,
        }
    }

    /// The same where nobody can wait.
    pub(crate) fn live_now(&self, scope: &str, plugin: usize, at: At) -> PluginResult {
        match self.strike(scope, plugin, at) {
            None => Ok(()),
            Some(How::Panic) => panic!("{ON_PURPOSE}"),
            Some(How::Error | How::Hang) => Err(ON_PURPOSE.into()),
        }
    }

    /// What a hook asks for here.
    pub(crate) fn ask(&self, cx: &Context, plugin: usize, at: At) {
        let Some((_, doc)) = self.lock().wish.take_if(|(wished, _)| *wished == at) else { return };
        let stage = self.clone();
        cx.request_change(move |settings| {
            stage.note("", plugin, Act::Edit);
            stage.set_faults(Vec::new());
            *settings = doc.settings();
        });
    }

    pub(crate) fn guard(&self, scope: &str, plugin: usize) -> Guard {
        *self.lock().guards.entry((scope.to_owned(), plugin)).or_default() += 1;
        Guard { stage: self.clone(), scope: scope.to_owned(), plugin }
    }
}

pub(crate) struct Guard {
    stage: Stage,
    scope: String,
    plugin: usize,
}
impl Drop for Guard {
    fn drop(&mut self) {
        *self.stage.lock().guards.get_mut(&(self.scope.clone(), self.plugin)).unwrap() -= 1;
    }
}

/// A guard that may panic when it is dropped.
pub(crate) struct Mine(pub(crate) Guard);
impl Drop for Mine {
    fn drop(&mut self) {
        let Guard { stage, scope, plugin } = &self.0;
        assert!(stage.strike(scope, *plugin, At::Guard).is_none(), "{ON_PURPOSE}");
    }
}
