use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, ThreadId},
    time::Duration,
};

use super::erased::Erased;
use crate::{error::BoxError, foreign::contain};

/// How long a thread waits for another that is building the same service. Two builders that wait for each other
/// on two threads would otherwise wait for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// A service that is built at most once. No lock is held while it is being built.
#[derive(Default)]
pub(super) struct ServiceCell {
    built: OnceLock<Erased>,
    site: Mutex<Site>,
    finished: Condvar,
}

/// Where the service is being built.
#[derive(Default)]
struct Site {
    builder: Option<ThreadId>,
    /// How many threads wait for the builder. Mostly none does, and to wake nobody is a system call all the same.
    waiting: usize,
}

impl ServiceCell {
    #[inline]
    pub(super) fn get(&self) -> Option<&Erased> {
        self.built.get()
    }

    /// The service; made by `build` unless it has been already. A failed build may be tried again.
    pub(super) fn get_or_build(
        &self,
        build: impl FnOnce() -> Result<Erased, BoxError>,
    ) -> Result<&Erased, Arc<str>> {
        if let Some(service) = self.get() {
            return Ok(service);
        }
        let _turn = match self.take_turn()? {
            Turn::Built(service) => return Ok(service),
            Turn::Mine(turn) => turn,
        };
        let service = contained(build)?;
        Ok(self.built.get_or_init(|| service))
    }

    fn take_turn(&self) -> Result<Turn<'_>, Arc<str>> {
        let mut site = self.lock();
        loop {
            if let Some(service) = self.get() {
                return Ok(Turn::Built(service));
            }
            match site.builder {
                None => {
                    site.builder = Some(thread::current().id());
                    return Ok(Turn::Mine(MyTurn(self)));
                }
                Some(id) if id == thread::current().id() => return Err("it needs itself to be built".into()),
                Some(_) => {
                    site.waiting += 1;
                    let wait = self.finished.wait_timeout(site, PATIENCE);
                    let (mut again, waited) = wait.unwrap_or_else(PoisonError::into_inner);
                    again.waiting -= 1;
                    if waited.timed_out() {
                        return Err(format!("another thread has been building it for {PATIENCE:?}").into());
                    }
                    site = again;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Site> {
        self.site.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Turn<'a> {
    Built(&'a Erased),
    Mine(MyTurn<'a>),
}

/// Gives the turn back however the build ends.
struct MyTurn<'a>(&'a ServiceCell);
impl Drop for MyTurn<'_> {
    fn drop(&mut self) {
        let mut site = self.0.lock();
        site.builder = None;
        if site.waiting > 0 {
            self.0.finished.notify_all();
        }
    }
}

/// Runs a builder; an error and a panic come out as a reason.
pub(super) fn contained(build: impl FnOnce() -> Result<Erased, BoxError>) -> Result<Erased, Arc<str>> {
    // What an error has to say is foreign code too.
    let built = contain(|| build().map_err(|error| error.to_string().into()));
    built.unwrap_or_else(|message| Err(format!("it panicked: {message}").into()))
}
