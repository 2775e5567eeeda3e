//! The task that changes engines.

use super::Deadlines;
use super::answer::{Answer, SwitchError};
use super::contain::{Mishap, contained, dropped, run};
use super::mailbox::{Mailbox, Request};
use super::status::{Failure, ManagerState, ManagerStatus};
use super::wanted::{Reason, Selection, Wanted};
use crate::causes::chain;
use crate::console::{Console, Playing};
use crate::events::EventDispatcher;
use crate::factory::{
    Engine, EngineContext, EngineError, EngineUpdate, Prepared, ProjectStore, Registered, Synced,
};
use crate::id::EngineId;
use futures_util::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use tokio::sync::watch;

pub(super) struct Owner {
    context: EngineContext,
    /// What the active engine says of itself.
    playing: watch::Receiver<Option<Playing>>,
    deadlines: Deadlines,
    mailbox: Arc<Mailbox>,
    status: watch::Sender<ManagerStatus>,
    active: Option<Active>,
    overdue: Option<Overdue>,
    /// The last request looked at, to be looked at again when the engines or a stuck one change.
    last: Option<Wanted>,
}

/// The engine that plays, and all it takes to make it again.
struct Active {
    made_by: Registered,
    update: EngineUpdate,
    engine: Box<dyn Engine>,
}

/// An engine that has been told to stop and has not.
struct Overdue {
    id: EngineId,
    stopping: BoxFuture<'static, Result<(), EngineError>>,
}

impl Owner {
    pub(super) fn new(
        store: ProjectStore,
        events: EventDispatcher,
        console: Console,
        deadlines: Deadlines,
        mailbox: Arc<Mailbox>,
    ) -> (Self, watch::Receiver<ManagerStatus>) {
        let (status, receiver) = watch::channel(ManagerStatus::default());
        let playing = console.playing();
        let context = EngineContext::new(store, events, console);
        let (active, overdue, last) = (None, None, None);
        (Self { context, playing, deadlines, mailbox, status, active, overdue, last }, receiver)
    }

    pub(super) async fn run(mut self) {
        let mailbox = Arc::clone(&self.mailbox);
        loop {
            tokio::select! {
                biased;
                request = mailbox.next() => match request {
                    Some(request) => self.serve(request).await,
                    None => break,
                },
                () = stopped(&mut self.overdue) => self.resume().await,
                Ok(()) = self.playing.changed() => self.note_how(),
            }
        }
        if let Err(error) = self.stop_active().await {
            tracing::error!(target: "jackfield::engine", "Closed, but {}", chain(&error));
        }
        self.status.send_modify(|status| {
            (status.state, status.active, status.degraded) = (ManagerState::Idle, None, None);
        });
        let Self { status, mut overdue, .. } = self;
        drop(status);
        // Nobody waits any more; but an engine that is still stopping has to be driven to do so.
        if overdue.is_some() {
            stopped(&mut overdue).await;
        }
    }

    /// Takes note of how the active engine plays, as it says itself.
    fn note_how(&mut self) {
        let degraded = self.playing.borrow_and_update().as_ref().and_then(|playing| playing.degraded.clone());
        self.status.send_if_modified(|status| {
            let changed = status.degraded != degraded;
            status.degraded = degraded;
            changed
        });
    }

    async fn serve(&mut self, request: Request) {
        let before = self.last.take();
        let (requested, stands_in) = self.requested();
        let answer = match (request.reason, &before) {
            (Reason::Rest, _) => self.rest().await,
            // Nothing was asked for yet, so there is nothing to ask for again.
            (Reason::Registry, None) => Answer::Superseded,
            (Reason::Registry, Some(last)) => {
                self.follow(Reason::Registry, last.clone().among(&request.wanted)).await
            }
            (reason @ (Reason::Asked | Reason::Trial), _) => {
                self.follow(reason, request.wanted.clone()).await
            }
        };
        if request.reason == Reason::Trial && !answer.is_applied() {
            self.last = before;
            self.status.send_modify(|status| (status.requested, status.stands_in) = (requested, stands_in));
        }
        self.note_how();
        request.answer(answer);
    }

    fn requested(&self) -> (Option<String>, bool) {
        let status = self.status.borrow();
        (status.requested.clone(), status.stands_in)
    }

    async fn rest(&mut self) -> Answer {
        if let Err(error) = self.stop_active().await {
            let failure = Failure::new("nothing", &error);
            tracing::error!(target: "jackfield::engine", "Told to rest, but {}", failure.reason);
            self.status.send_modify(|status| {
                (status.state, status.failed) = (ManagerState::Failed, Some(failure));
            });
            return Answer::Refused(Arc::new(error));
        }
        self.status.send_modify(|status| {
            let previous = status.previous.take();
            *status = ManagerStatus { previous, ..ManagerStatus::default() };
        });
        Answer::Stopped
    }

    /// Takes up the last request again, now that the engine that was in its way has stopped.
    async fn resume(&mut self) {
        if let Some(wanted) = self.last.clone() {
            self.follow(Reason::Asked, wanted).await;
        }
    }

    async fn follow(&mut self, reason: Reason, wanted: Wanted) -> Answer {
        self.last = Some(wanted.clone());
        let selection = wanted.select();
        let outcome = self.bring_about(reason, &wanted, &selection).await;
        let state = if self.active.is_some() { ManagerState::Running } else { ManagerState::Failed };
        match outcome {
            Ok(active) => {
                self.status.send_modify(|status| (status.state, status.failed) = (state, None));
                Answer::Applied { active }
            }
            Err(SwitchError::Closed) => Answer::Refused(Arc::new(SwitchError::Closed)),
            Err(error) => {
                let failure = Failure::new(&selection.requested, &error);
                tracing::error!(target: "jackfield::engine", "Failed to initialize runtime: {}", failure.reason);
                self.status.send_modify(|status| (status.state, status.failed) = (state, Some(failure)));
                Answer::Refused(Arc::new(error))
            }
        }
    }

    async fn bring_about(
        &mut self,
        reason: Reason,
        wanted: &Wanted,
        selection: &Selection,
    ) -> Result<EngineId, SwitchError> {
        let Selection { requested, known, default, engine, update } = selection;
        let same =
            matches!((&self.active, engine), (Some(active), Some(engine)) if active.made_by.is(engine));
        let news = self.status.borrow().requested.as_ref() != Some(requested);
        if news || !same {
            tracing::info!(target: "jackfield::engine", "Requesting runtime: {requested}");
        }
        self.status.send_modify(|status| {
            (status.requested, status.stands_in) = (Some(requested.clone()), !known);
        });
        let Some(engine) = engine else {
            self.retire_withdrawn(reason, wanted).await?;
            return Err(SwitchError::NoDefault { requested: requested.clone(), default: default.clone() });
        };
        if news || !same {
            if *known {
                tracing::info!(target: "jackfield::engine", "Loaded runtime from registry: {}", engine.id());
            } else {
                tracing::info!(
                    target: "jackfield::engine",
                    "Unknown runtime {requested}, falling back to default: {default}"
                );
            }
        }
        let stay = same && (reason != Reason::Asked || self.sync(update).await? == Synced::Done);
        if !stay {
            self.switch(reason, wanted, engine, update).await?;
        }
        Ok(engine.id().clone())
    }

    /// Hands the change to the engine that plays. One that breaks over it is to be made anew.
    async fn sync(&mut self, update: &EngineUpdate) -> Result<Synced, SwitchError> {
        let Some(active) = &mut self.active else { return Ok(Synced::NeedsRestart) };
        let id = active.made_by.id();
        match contained(self.deadlines.sync, active.engine.sync(update.clone())).await {
            Ok(Synced::Done) => {
                active.update = update.clone();
                Ok(Synced::Done)
            }
            Ok(Synced::NeedsRestart) => Ok(Synced::NeedsRestart),
            Err(source @ Mishap::Failed(_)) => Err(SwitchError::Sync { engine: id.clone(), source }),
            Err(broken) => {
                tracing::warn!(target: "jackfield::engine", "Engine `{id}` is made anew: {}", chain(&broken));
                Ok(Synced::NeedsRestart)
            }
        }
    }

    /// Prepare, destroy, start; and back, when the last fails.
    async fn switch(
        &mut self,
        reason: Reason,
        wanted: &Wanted,
        engine: &Registered,
        update: &EngineUpdate,
    ) -> Result<(), SwitchError> {
        self.wait_for_overdue().await?;
        let prepared = match self.prepare(engine, update).await {
            Ok(prepared) => prepared,
            Err(error) => {
                self.retire_withdrawn(reason, wanted).await?;
                return Err(error);
            }
        };
        let before = self.active.as_ref().map(|active| (active.made_by.clone(), active.update.clone()));
        if let Err(error) = self.stop_active().await {
            dropped(prepared);
            return Err(error);
        }
        let Err(error) = self.start(engine, update, prepared).await else {
            return Ok(());
        };
        if let Some((engine, update)) = before
            && (reason == Reason::Trial || wanted.registry.holds(&engine))
        {
            self.restore(&engine, &update).await;
        }
        Err(error)
    }

    async fn prepare(
        &mut self,
        engine: &Registered,
        update: &EngineUpdate,
    ) -> Result<Box<dyn Prepared>, SwitchError> {
        self.enter(ManagerState::Preparing);
        let (factory, cx) = (Arc::clone(engine.factory()), self.context.clone().with(update.clone()));
        let preparing = contained(self.deadlines.prepare, async move { factory.prepare(cx).await });
        tokio::select! {
            biased;
            () = self.mailbox.closed() => Err(SwitchError::Closed),
            prepared = preparing => {
                prepared.map_err(|source| SwitchError::Prepare { engine: engine.id().clone(), source })
            }
        }
    }

    async fn start(
        &mut self,
        made_by: &Registered,
        update: &EngineUpdate,
        prepared: Box<dyn Prepared>,
    ) -> Result<(), SwitchError> {
        self.enter(ManagerState::Starting);
        let started = contained(self.deadlines.start, async move { prepared.start().await }).await;
        let id = made_by.id();
        let engine = started.map_err(|source| SwitchError::Start { engine: id.clone(), source })?;
        tracing::info!(target: "jackfield::engine", "Successfully initialized runtime: {id}");
        self.active = Some(Active { made_by: made_by.clone(), update: update.clone(), engine });
        self.status.send_modify(|status| {
            (status.state, status.active) = (ManagerState::Running, Some(id.clone()));
        });
        Ok(())
    }

    /// Brings back the engine that played before a change that failed.
    async fn restore(&mut self, engine: &Registered, update: &EngineUpdate) {
        let restored = match self.prepare(engine, update).await {
            Ok(prepared) => self.start(engine, update, prepared).await,
            Err(error) => Err(error),
        };
        if let Err(error) = restored {
            let id = engine.id();
            tracing::error!(target: "jackfield::engine", "Engine `{id}` did not come back: {}", chain(&error));
        }
    }

    /// Stops an engine that may not go on playing, because whoever offered it has taken it back for good.
    async fn retire_withdrawn(&mut self, reason: Reason, wanted: &Wanted) -> Result<(), SwitchError> {
        let withdrawn = self.active.as_ref().is_some_and(|active| !wanted.registry.holds(&active.made_by));
        if withdrawn && reason != Reason::Trial { self.stop_active().await } else { Ok(()) }
    }

    async fn stop_active(&mut self) -> Result<(), SwitchError> {
        if let Some(Active { made_by, engine, .. }) = self.active.take() {
            let id = made_by.id().clone();
            tracing::info!(target: "jackfield::engine", "Destroying runtime: {id}");
            self.status.send_modify(|status| {
                status.state = ManagerState::Destroying;
                (status.active, status.previous) = (None, Some(id.clone()));
            });
            let stopping = async move {
                engine.stop().await;
                Ok(())
            };
            self.overdue = Some(Overdue { id, stopping: stopping.boxed() });
        }
        self.wait_for_overdue().await
    }

    /// Gives an engine that is stopping its time, and no more.
    async fn wait_for_overdue(&mut self) -> Result<(), SwitchError> {
        let Some(Overdue { id, .. }) = &self.overdue else { return Ok(()) };
        let (engine, deadline) = (id.clone(), self.deadlines.stop);
        tokio::time::timeout(deadline, stopped(&mut self.overdue))
            .await
            .map_err(|_| SwitchError::StillStopping { engine, deadline })
    }

    fn enter(&self, state: ManagerState) {
        self.status.send_modify(|status| status.state = state);
    }
}

/// Waits until nothing is stopping any more; for ever when nothing was.
async fn stopped(overdue: &mut Option<Overdue>) {
    let Some(Overdue { id, stopping }) = overdue else { return std::future::pending().await };
    // One that panicked on its way out is gone as well.
    if let Err(mishap) = run(stopping.as_mut()).await {
        tracing::error!(target: "jackfield::engine", "Engine `{id}` stopped badly: {}", chain(&mishap));
    }
    if let Some(Overdue { stopping, .. }) = overdue.take() {
        dropped(stopping);
    }
}
