use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    fault::Fault,
    witness::{Witness, witnessed},
};
use crate::{
    context::Context,
    id::PluginId,
    plugin::{AnyPlugin, IntoPlugin},
    report::Hook,
};

/// What plugins did, in the order in which they did it; and what they shall fail at. Clones share both.
///
/// ```
/// use jackfield::{Hook, prelude::*, testing::{Diary, Fault}};
///
/// struct Greeting;
/// impl Plugin for Greeting {
///     fn manifest(&self) -> Manifest {
///         Manifest::new("greeting")
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # use jackfield::BoxError;
/// let diary = Diary::default();
/// let runtime = PluginRuntime::builder().plugin(diary.of(Greeting)).init().await?;
/// let session = runtime.create_session("ada").await?;
/// session.close().await?;
/// assert_eq!(diary.take(), "+greeting -greeting .greeting");
///
/// diary.inject("greeting", Hook::Attach, Fault::Panic);
/// assert!(runtime.create_session("bob").await.is_err());
/// assert!(runtime.sessions().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Diary(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    lines: Vec<String>,
    faults: HashMap<(String, Hook), Fault>,
    notes: HashSet<String>,
}

impl Diary {
    /// The diary of `plugin`, of either scope: it works as before, and its life is written down here. `+a` when it attaches,
    /// `-a` when it detaches, `~a` when it is told of new settings, `.a` when what was kept for it has ended. A
    /// hook that was told to fail does all it does before it fails.
    pub fn of<G, S, M>(&self, plugin: impl IntoPlugin<G, S, M>) -> AnyPlugin<G, S>
    where
        G: Send + Sync + 'static,
        S: Send + Sync + 'static,
    {
        witnessed(plugin.into_plugin(), Arc::new(self.clone()))
    }

    /// Writes a line.
    pub fn write(&self, line: impl Into<String>) {
        self.lock().lines.push(line.into());
    }

    /// The lines since the last time, joined by blanks.
    pub fn take(&self) -> String {
        mem::take(&mut self.lock().lines).join(" ")
    }

    /// From now on, this hook of `plugin` fails like this.
    pub fn inject(&self, plugin: &str, hook: Hook, fault: Fault) {
        self.lock().faults.insert((plugin.to_owned(), hook), fault);
    }

    /// From now on, all hooks work.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// Leaves a note for somebody to find.
    pub fn note(&self, note: &str) {
        self.lock().notes.insert(note.to_owned());
    }

    /// Whether there is such a note; it is gone then.
    pub fn take_note(&self, note: &str) -> bool {
        self.lock().notes.remove(note)
    }

    pub(super) fn injected(&self, plugin: &str, hook: Hook) -> Option<Fault> {
        self.lock().faults.get(&(plugin.to_owned(), hook)).copied()
    }

    /// Writes that `hook` of `plugin` runs.
    pub(super) fn write_hook(&self, plugin: &str, hook: Hook, cx: &Context) {
        let sign = match hook {
            Hook::Attach => '+',
            Hook::Detach => '-',
            _ => '~',
        };
        self.write(format!("{sign}{plugin}"));
        if hook == Hook::Attach {
            cx.hold(LastLine { line: format!(".{plugin}"), diary: self.clone() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Diary {
    fn before(&self, plugin: &PluginId, hook: Hook, cx: &Context) {
        self.write_hook(plugin.as_str(), hook, cx);
    }

    fn after(&self, _: &PluginId, _: Hook, _: &Context) {}

    fn fault(&self, plugin: &PluginId, hook: Hook) -> Option<Fault> {
        self.injected(plugin.as_str(), hook)
    }
}

/// Written when it is dropped.
struct LastLine {
    line: String,
    diary: Diary,
}

impl Drop for LastLine {
    fn drop(&mut self) {
        self.diary.write(mem::take(&mut self.line));
    }
}
