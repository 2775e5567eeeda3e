use crate::engine::{CatchUp, TimerEngine};
use crate::factory::EngineFactory;
use crate::plugin::{MAIN, WORKER};
use jackfield::{Live, Manifest, Plugin, Registrar};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Offers a timer engine. Its service is configured by [`TimerEngineConfig`].
#[derive(Debug)]
pub struct TimerEnginePlugin {
    engine: TimerEngine,
}

/// How a timer engine behaves where that is a matter of taste. Followed while it ticks.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimerEngineConfig {
    /// What becomes of ticks that could not be run in time.
    pub catch_up: MissedTicks,
    /// How much of a pause is made up for when that is bounded, in milliseconds.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub catch_up_ms: u32,
}

/// What becomes of ticks that could not be run in time, in the words of the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MissedTicks {
    /// They are left out.
    Skip,
    /// They are run, however many.
    All,
    /// The last of them are run, as many as `catch_up_ms` says.
    #[default]
    Bounded,
}

impl TimerEnginePlugin {
    /// A plugin called `engine-worker` or `engine-main` that offers `engine`.
    #[must_use]
    pub fn new(engine: TimerEngine) -> Self {
        Self { engine }
    }

    fn is_worker(&self) -> bool {
        self.engine.id() == TimerEngine::WORKER
    }
}

impl Default for TimerEngineConfig {
    fn default() -> Self {
        Self { catch_up: MissedTicks::default(), catch_up_ms: 100 }
    }
}

impl TimerEngineConfig {
    fn catch_up(&self) -> CatchUp {
        match self.catch_up {
            MissedTicks::Skip => CatchUp::Skip,
            MissedTicks::All => CatchUp::All,
            MissedTicks::Bounded => CatchUp::Bounded(Duration::from_millis(self.catch_up_ms.into())),
        }
    }
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Plugin<G, S> for TimerEnginePlugin {
    fn manifest(&self) -> Manifest {
        match self.is_worker() {
            true => Manifest::new("engine-worker").about("ticks on its own thread"),
            false => Manifest::new("engine-main").about("ticks on the host's loop"),
        }
    }

    fn register(&self, services: &mut Registrar<'_>) {
        let engine = self.engine.clone();
        let slot = if self.is_worker() { WORKER } else { MAIN };
        services.provide(slot).configured(move |config: Live<TimerEngineConfig>| {
            Arc::new(engine.clone().with_catch_up(move || config.load().catch_up()))
        });
    }
}
