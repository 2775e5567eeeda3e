use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Wakes those who wait for something to change. It costs next to nothing until somebody has asked: few scopes are ever
/// waited for.
#[derive(Default)]
pub(super) struct News(Mutex<Option<watch::Sender<()>>>);

impl News {
    /// Is told of everything from now on. Whoever looks at what may change after this misses nothing.
    pub(super) fn follow(&self) -> watch::Receiver<()> {
        self.lock().get_or_insert_with(|| watch::Sender::new(())).subscribe()
    }

    /// Tells that something has changed. Whoever changes it does so before this.
    pub(super) fn spread(&self) {
        let followed = self.lock().clone();
        if let Some(sender) = followed {
            sender.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
