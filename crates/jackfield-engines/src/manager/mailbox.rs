//! Where requests wait: a place for one, and the latest takes it.

use super::answer::{Answer, Ticket};
use super::wanted::{Reason, Wanted};
use crate::factory::ProjectStore;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot, watch};

/// A request, and who waits for its answer.
pub(super) struct Request {
    pub(super) reason: Reason,
    pub(super) wanted: Wanted,
    reply: Option<oneshot::Sender<Answer>>,
}

impl Request {
    pub(super) fn answer(self, answer: Answer) {
        if let Some(reply) = self.reply {
            // Whoever asked may have stopped waiting.
            reply.send(answer).ok();
        }
    }
}

pub(super) struct Mailbox {
    next: Mutex<Option<Request>>,
    bell: Notify,
    closing: watch::Sender<bool>,
}

impl Mailbox {
    pub(super) fn new() -> Self {
        Self { next: Mutex::new(None), bell: Notify::new(), closing: watch::Sender::new(false) }
    }

    /// Leaves a request for the store as it is now, in place of one that nobody has taken yet.
    pub(super) fn post(&self, store: &ProjectStore, reason: Reason) -> Ticket {
        self.post_with(reason, || Wanted::read(store))
    }

    /// The same for what `wanted` reads.
    pub(super) fn post_with(&self, reason: Reason, wanted: impl FnOnce() -> Wanted) -> Ticket {
        let (reply, ticket) = oneshot::channel();
        let replaced = {
            let mut next = self.lock();
            if *self.closing.borrow() {
                // The reply is dropped, which is an answer too.
                return Ticket::new(ticket);
            }
            let reason = match (next.as_ref().map(|earlier| earlier.reason), reason) {
                // Other engines are no reason to play again.
                (Some(Reason::Rest), Reason::Registry) => return Ticket::answered(Answer::Superseded),
                (Some(Reason::Asked | Reason::Trial), Reason::Registry) => Reason::Asked,
                (_, reason) => reason,
            };
            // Read under the lock, so that of two requests the one that waits has seen the later store.
            next.replace(Request { reason, wanted: wanted(), reply: Some(reply) })
        };
        self.bell.notify_one();
        if let Some(replaced) = replaced {
            replaced.answer(Answer::Superseded);
        }
        Ticket::new(ticket)
    }

    /// The next request; `None` once the mailbox is closed.
    pub(super) async fn next(&self) -> Option<Request> {
        let mut closing = self.closing.subscribe();
        loop {
            if *closing.borrow() {
                return None;
            }
            let request = self.lock().take();
            if request.is_some() {
                return request;
            }
            tokio::select! {
                () = self.bell.notified() => {}
                _ = closing.changed() => {}
            }
        }
    }

    /// Takes no more requests and refuses the one that waits.
    pub(super) fn close(&self) {
        let refused = {
            let mut next = self.lock();
            self.closing.send_replace(true);
            next.take()
        };
        drop(refused);
    }

    /// Waits for the mailbox to be closed.
    pub(super) async fn closed(&self) {
        // Cannot fail: the sender is ours.
        self.closing.subscribe().wait_for(|closing| *closing).await.ok();
    }

    // Only moves happen under this lock.
    fn lock(&self) -> MutexGuard<'_, Option<Request>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
