use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::{broadcast, mpsc};

use super::PluginRuntime;
use crate::{
    declare::{AddError, Known},
    driver::{Driver, FailurePolicy, Published, Reply, Setup},
    plan::UnknownReferences,
    plugin::{AnyPlugin, IntoPlugin},
    report::ChangeError,
    settings::RuntimeSettings,
};

/// How long a hook may take unless the builder says otherwise. Long enough for a device that is slow to open, short
/// enough that a person who waits for a switch learns what is wrong.
pub(crate) const HOOK_DEADLINE: Duration = Duration::from_secs(10);

/// How many snapshots a subscriber of the settings stream may fall behind before it skips to newer ones.
const STREAM_DEPTH: usize = 64;

/// A runtime in the making.
#[must_use = "a builder does nothing until `init`"]
pub struct RuntimeBuilder<G, S> {
    plugins: Vec<AnyPlugin<G, S>>,
    data: G,
    settings: RuntimeSettings,
    unknown: UnknownReferences,
    deadline: Duration,
    policy: FailurePolicy,
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> RuntimeBuilder<G, S> {
    pub(super) fn new(data: G) -> Self {
        Self {
            plugins: Vec::new(),
            data,
            settings: RuntimeSettings::default(),
            unknown: UnknownReferences::default(),
            deadline: HOOK_DEADLINE,
            policy: FailurePolicy::default(),
        }
    }

    /// Adds a plugin, global or of sessions; its type says which. The order in which plugins are added decides
    /// between equals.
    pub fn plugin<M>(mut self, plugin: impl IntoPlugin<G, S, M>) -> Self {
        self.plugins.push(plugin.into_plugin());
        self
    }

    /// The settings to start with, instead of none.
    pub fn settings(mut self, settings: RuntimeSettings) -> Self {
        self.settings = settings;
        self
    }

    /// What to do with settings that name what is not there, now and in every later change.
    pub fn unknown_references(mut self, policy: UnknownReferences) -> Self {
        self.unknown = policy;
        self
    }

    /// What to do with a plugin that fails, now and in every later change.
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How long each hook may take from when it first waits, and each goodbye and task of a plugin to end; ten seconds
    /// unless said otherwise. What overruns has failed, and is dropped at its next await: code that never awaits cannot be
    /// ended.
    pub fn hook_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts the runtime on the current Tokio runtime: learns what the plugins offer, and attaches the global ones
    /// that the settings want.
    ///
    /// # Errors
    ///
    /// [`InitError::Plugin`] if two plugins cannot go together, or one cannot be asked; [`InitError::Settings`] if
    /// the first change fails. Nothing is left running.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, or in one whose clock is not enabled.
    ///
    /// # Cancel safety
    ///
    /// If nobody waits for it any more, what has started is shut down.
    pub async fn init(self) -> Result<PluginRuntime<G, S>, InitError> {
        let Self { plugins, data, settings, unknown, deadline, policy } = self;
        let mut known = Known::default();
        let declared = plugins.into_iter().map(|plugin| known.declare(plugin));
        let declared = declared.collect::<Result<_, _>>().map_err(InitError::Plugin)?;
        let data = Arc::new(data);
        let (stream, _) = broadcast::channel(STREAM_DEPTH);
        let weak_stream = stream.downgrade();
        let published = Arc::new(Published::default());
        let setup = Setup { plugins: declared, data: Arc::clone(&data), unknown, deadline, policy, stream };
        let mut driver = Driver::new(setup, Arc::clone(&published));
        let global = driver.global_scope().clone();
        let (commands, inbox) = mpsc::unbounded_channel();

        let (reply, answer) = Reply::pair();
        #[expect(clippy::disallowed_methods, reason = "the driver ends when its last handle does")]
        tokio::spawn(async move {
            let started = driver.update(settings).await;
            let up = started.is_ok();
            if reply.answer(started) && up {
                driver.run(inbox).await;
            } else {
                drop(inbox);
                driver.end().await;
            }
        });
        match answer.await {
            Ok(Ok(_)) => Ok(PluginRuntime { commands, published, stream: weak_stream, global, data }),
            Ok(Err(error)) => Err(InitError::Settings(error)),
            Err(_) => Err(InitError::Settings(ChangeError::Closed)),
        }
    }
}

/// Why a runtime did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// A plugin cannot be added.
    #[error(transparent)]
    Plugin(AddError),
    /// The first settings could not be put in force.
    #[error("the runtime did not start: {0}")]
    Settings(ChangeError),
}

impl<G, S> fmt::Debug for RuntimeBuilder<G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeBuilder").field("plugins", &self.plugins.len()).finish_non_exhaustive()
    }
}
