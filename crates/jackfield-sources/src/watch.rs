use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use notify::{
    Event, EventKind, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use tokio::{
    sync::Notify,
    task::spawn_blocking,
    time::{Instant, sleep_until, timeout},
};

/// A watcher that failed is made anew after this long: each costs a thread and a descriptor, and what it lacked
/// (mostly descriptors) does not come back at once.
const BEFORE_ANOTHER_WATCHER: Duration = Duration::from_secs(5);

pub(crate) type Handler = Box<dyn FnMut(notify::Result<Event>) + Send>;
type Make = Box<dyn FnMut(Handler) -> notify::Result<Box<dyn Watcher + Send>> + Send>;

/// Files count as written once two looks this far apart agree. Editors that truncate and then write are through in a few
/// milliseconds, compilers write more than one, and a hand on a switch does not notice it.
pub(crate) const QUIET: Duration = Duration::from_millis(40);

/// How often files are looked at while they are watched, because watchers miss things: network drives report nothing,
/// and a directory further up may be replaced.
pub(crate) const CHECK_WATCHED: Duration = Duration::from_secs(1);

/// How often files are looked at while they cannot be watched, so that an edit still arrives within 200 ms.
const CHECK_UNWATCHED: Duration = Duration::from_millis(100);

/// Where other files of the directories are busy, files are looked at no more often than this.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Tells when something happens in the directories it follows. Ends its watcher when dropped.
pub(crate) struct Directories {
    make: Option<Make>,
    watcher: Option<Box<dyn Watcher + Send>>,
    make_after: Option<Instant>,
    all_watched: bool,
    looked: Option<Instant>,
    shared: Arc<Shared>,
}

/// What the watcher's thread and the source have in common.
#[derive(Default)]
struct Shared {
    changed: Notify,
    failed: AtomicBool,
    watched: Mutex<BTreeSet<PathBuf>>,
}

impl Directories {
    pub(crate) fn new() -> Self {
        Self::made_by(|handler| Ok(Box::new(notify::recommended_watcher(handler)?)))
    }

    /// Watches nothing, ever.
    pub(crate) fn never() -> Self {
        Self { make: None, ..Self::new() }
    }

    pub(crate) fn made_by<F>(make: F) -> Self
    where
        F: FnMut(Handler) -> notify::Result<Box<dyn Watcher + Send>> + Send + 'static,
    {
        let make: Option<Make> = Some(Box::new(make));
        Self {
            make,
            watcher: None,
            make_after: None,
            all_watched: false,
            looked: None,
            shared: Arc::default(),
        }
    }

    /// Whether a change in any of the directories will be told.
    pub(crate) fn all_watched(&self) -> bool {
        self.all_watched
    }

    /// Looks at files, on a thread that may block, and sees to it that the directories that `look` finds are watched; looks
    /// again if that began only after the looking, because a change in between would have gone unnoticed. `None` when
    /// the runtime shuts down.
    pub(crate) async fn look<T: Send + 'static>(
        &mut self,
        look: impl Fn() -> (T, BTreeSet<PathBuf>) + Clone + Send + 'static,
    ) -> Option<T> {
        loop {
            let (found, directories) = match spawn_blocking(look.clone()).await {
                Ok(looked) => looked,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return None,
                },
            };
            self.looked = Some(Instant::now());
            if !self.follow(&directories) {
                return Some(found);
            }
        }
    }

    /// Waits until it is time to look again: something has changed, or the time is up that may pass without a look while all
    /// is watched.
    pub(crate) async fn time_to_look(&mut self, check_watched: Duration) {
        self.changed_within(if self.all_watched() { check_watched } else { CHECK_UNWATCHED }).await;
        if let Some(looked) = self.looked {
            sleep_until(looked + BETWEEN_LOOKS).await;
        }
    }

    /// Waits for a change since the last call, or until the time is up.
    pub(crate) async fn changed_within(&mut self, limit: Duration) {
        // Whether it was a change or the time makes no difference: the content decides.
        timeout(limit, self.shared.changed.notified()).await.ok();
    }

    /// Watches these directories and no others. True if one is watched that was not before.
    pub(crate) fn follow(&mut self, directories: &BTreeSet<PathBuf>) -> bool {
        if self.shared.failed.swap(false, Ordering::AcqRel) {
            self.give_up();
        }
        let was_complete = self.all_watched;
        let watched = self.shared.watched().clone();
        self.all_watched = directories.is_subset(&watched);
        if self.watcher.is_some() && self.all_watched && watched.len() == directories.len() {
            return false;
        }
        let shared = Arc::clone(&self.shared);
        let Some(watcher) = self.ready() else { return false };
        for old in watched.difference(directories) {
            shared.watched().remove(old);
            watcher.unwatch(old).ok(); // fails if the directory is gone, and then there is nothing to end
        }
        let mut added = false;
        let mut problem = None;
        for new in directories.difference(&watched) {
            match shared.watch(watcher, new) {
                Ok(()) => added = true,
                Err(error) => problem = Some(error),
            }
        }
        if let Some(error) = &problem
            && was_complete
        {
            tracing::warn!(%error, "A directory cannot be watched; its files are read regularly instead.");
        }
        self.all_watched = problem.is_none();
        added
    }

    /// The watcher, made if there is none and it is time.
    fn ready(&mut self) -> Option<&mut Box<dyn Watcher + Send>> {
        if self.watcher.is_none() {
            let make = self.make.as_mut()?;
            let now = Instant::now();
            if self.make_after.is_some_and(|after| now < after) {
                return None;
            }
            let shared = Arc::clone(&self.shared);
            match make(Box::new(move |event| shared.hear(event))) {
                Ok(watcher) => self.watcher = Some(watcher),
                Err(error) => {
                    if self.make_after.is_none() {
                        tracing::warn!(%error, "Files cannot be watched; they are read regularly instead.");
                    }
                    self.make_after = Some(now + BEFORE_ANOTHER_WATCHER);
                }
            }
        }
        self.watcher.as_mut()
    }

    fn give_up(&mut self) {
        self.watcher = None;
        self.shared.watched().clear();
        self.make_after = Some(Instant::now() + BEFORE_ANOTHER_WATCHER);
    }
}

impl Shared {
    fn watched(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Noted first and watched then, so that the end of a directory that vanishes right away is not missed.
    fn watch(&self, watcher: &mut Box<dyn Watcher + Send>, directory: &Path) -> notify::Result<()> {
        self.watched().insert(directory.to_owned());
        let begun = watcher.watch(directory, RecursiveMode::NonRecursive);
        if begun.is_err() {
            self.watched().remove(directory);
        }
        begun
    }

    /// Runs on the watcher's thread.
    fn hear(&self, event: notify::Result<Event>) {
        match event {
            Ok(Event { kind, paths, .. }) => {
                // Reading is an event too, and our own reading must not wake us.
                if matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
                {
                    return;
                }
                if matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
                    // A watch follows the directory it was made for, not the name: a new one of the same name
                    // needs a new watch.
                    let mut watched = self.watched();
                    for path in &paths {
                        watched.remove(path);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "Watching has failed; files are read regularly for a while.");
                self.failed.store(true, Ordering::Release);
            }
        }
        self.changed.notify_one();
    }
}
