//! Writes what is played to a file, while it is on.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use jackfield::{DocumentPath, Problem, Problems, Scope, SettingsChange, prelude::*};
use jackfield_engines::{Console, ENGINES};

use crate::{plugins::Notice, workplace::Workplace};

mod take;
use take::Take;

/// The take that is being recorded in a session.
const TAKE: Slot<Mutex<Option<Take>>> = Slot::new("recorder.take");

/// The plugin `recorder`: a 32-bit float WAV file of what is played, while it is on. It never writes over a file: a
/// take that is there gets a neighbour with a number.
#[derive(Debug)]
pub(crate) struct Recorder {
    workplace: Workplace,
}

/// Its configuration.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RecorderConfig {
    /// The file, from where the settings file lies.
    path: PathBuf,
}

impl Default for RecorderConfig {
    fn default() -> Self {
        Self { path: "take.wav".into() }
    }
}

impl Recorder {
    pub(crate) fn new(workplace: Workplace) -> Self {
        Self { workplace }
    }
}

impl Plugin for Recorder {
    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new("recorder").about("writes what is played to a file, while it is on");
        manifest.flag(FeatureFlag::EXPERIMENTAL).depends_on("project").config::<RecorderConfig>()
    }

    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(TAKE).singleton(|_| Arc::default());
    }

    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let slot = cx.resolve(TAKE)?;
        let take =
            self.start(&cx.config::<RecorderConfig>()?.load(), cx.resolve(ENGINES)?.console(), cx.scope())?;
        *lock(&slot) = Some(take);
        let scope = cx.scope().clone();
        cx.at_detach(async move {
            let take = lock(&slot).take();
            match take {
                Some(take) => finish(take, &scope).await,
                None => Ok(()),
            }
        });
        Ok(())
    }

    async fn settings_changed(&self, cx: &SessionContext, change: &SettingsChange) -> PluginResult {
        if !change.config_changed() {
            return Ok(());
        }
        // The next take first: if it cannot be made, the one that runs goes on.
        let next =
            self.start(&cx.config::<RecorderConfig>()?.load(), cx.resolve(ENGINES)?.console(), cx.scope())?;
        let before = lock(&*cx.resolve(TAKE)?).replace(next);
        match before {
            Some(before) => finish(before, cx.scope()).await,
            None => Ok(()),
        }
    }
}

impl Recorder {
    fn start(&self, config: &RecorderConfig, console: &Console, scope: &Scope) -> Result<Take, BoxError> {
        let path = self.workplace.resolve(&config.path);
        let take = Take::start(&path, console, scope.bus().clone()).map_err(|error| {
            let place = DocumentPath::new(["plugins", "recorder", "config", "path"]);
            let problem = Problem::new(place, error.to_string());
            Problems(vec![problem.remedy("choose another path, or mend its permissions")])
        })?;
        tell(scope, &format!("recording to {}", take.path().display()));
        Ok(take)
    }
}

async fn finish(take: Take, scope: &Scope) -> PluginResult {
    let done = take.finish().await?;
    tell(scope, &done.to_string());
    Ok(())
}

fn tell(scope: &Scope, text: &str) {
    scope.bus().emit_sync(Notice(format!("recorder: {text}"))).ok(); // nobody need listen
}

fn lock(slot: &Mutex<Option<Take>>) -> std::sync::MutexGuard<'_, Option<Take>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
