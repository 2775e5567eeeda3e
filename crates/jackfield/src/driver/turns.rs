//! Doing the same in many sessions: side by side while they wait, and on all threads while they calculate.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use futures_util::future::{OptionFuture, lazy};
use tokio::{runtime::Handle, task::JoinSet};
use tracing::Instrument;

/// How many are at it at the same time: enough to keep every core busy while hooks wait, and few enough that ten thousand
/// sessions do not all hold their resources twice.
const AT_ONCE: usize = 64;

/// Does `work` on all `things`, and says what came of it, in no particular order.
pub(super) async fn each<T, F>(
    things: Vec<T>,
    work: impl Fn(T) -> F + Clone + Send + Sync + 'static,
) -> Vec<F::Output>
where
    T: Send + 'static,
    F: Future<Output: Send> + Send + 'static,
{
    let (threads, count) = (Handle::current().metrics().num_workers(), things.len());
    let queue = Arc::new(Mutex::new(VecDeque::from(things)));
    if threads.min(count) <= 1 {
        return take_turns(&queue, &work, AT_ONCE).await; // a task more would only have to wait for this one
    }
    // More tasks than threads: a thread that is slow to wake up still finds something to take over.
    let mut running = JoinSet::new();
    let tasks = AT_ONCE.min(count);
    for _ in 0..tasks {
        let (queue, work) = (Arc::clone(&queue), work.clone());
        let turns = async move { take_turns(&queue, &work, AT_ONCE.div_ceil(tasks)).await };
        running.spawn(turns.in_current_span());
    }
    let mut outcomes = Vec::new();
    while let Some(some) = next(&mut running).await {
        outcomes.extend(some);
    }
    outcomes
}

/// Works on what is in the queue until it is empty, on so many things at once as wait for something.
///
/// Most never wait, and are done when they are first polled: one place in memory is enough for all of them. Those that do
/// have a task each, so that they go on while others begin, on whichever thread is free.
async fn take_turns<T, F>(
    queue: &Mutex<VecDeque<T>>,
    work: &(impl Fn(T) -> F + Sync),
    at_once: usize,
) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (mut outcomes, mut waiting) = (Vec::new(), JoinSet::new());
    let (mut turn, mut without_a_break) = (Box::pin(OptionFuture::default()), 0);
    loop {
        let begin = if waiting.len() < at_once { take(queue) } else { None };
        match begin {
            Some(thing) => {
                turn.set(Some(work(thing)).into());
                match lazy(|cx| turn.as_mut().poll(cx)).await {
                    Poll::Ready(outcome) => outcomes.extend(outcome),
                    Poll::Pending => {
                        let begun = mem::replace(&mut turn, Box::pin(OptionFuture::default()));
                        waiting.spawn(begun.in_current_span());
                    }
                }
                without_a_break += 1;
                if without_a_break == AT_ONCE {
                    without_a_break = 0;
                    tokio::task::yield_now().await; // others want their turn on this thread, too
                }
            }
            None => match next(&mut waiting).await {
                Some(outcome) => outcomes.extend(outcome),
                None => return outcomes,
            },
        }
    }
}

/// What comes of the task that is done next.
async fn next<O: 'static>(running: &mut JoinSet<O>) -> Option<O> {
    match running.join_next().await? {
        Ok(outcome) => Some(outcome),
        Err(error) => match error.try_into_panic() {
            // Hooks are contained, so this is a bug of our own; going on would be to guess.
            Ok(payload) => std::panic::resume_unwind(payload),
            // Tokio itself is shutting down, and will drop this task as it did that one.
            Err(_) => std::future::pending().await,
        },
    }
}

fn take<T>(queue: &Mutex<VecDeque<T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}
