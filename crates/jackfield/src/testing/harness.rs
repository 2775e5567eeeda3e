//! Plugins in every situation that can be thrown at them, to see what they leave behind.

mod book;
mod ending;
mod left_behind;
mod relic;
mod stage;
mod step;

pub use self::{left_behind::LeftBehind, step::Step};

use std::fmt;

use self::{
    relic::{LookUp, look_up},
    stage::Stage,
    step::Names,
};
use crate::{driver::FailurePolicy, plugin::AnyPlugin, scope::Scope, settings::RuntimeSettings, slot::Slot};

/// How many steps a seed stands for, unless the test says otherwise: enough to have most plugins fail in most hooks
/// with sessions open, in a few milliseconds.
const STEPS: usize = 40;

type Variation = Box<dyn Fn(&mut RuntimeSettings)>;
type Use = Box<dyn Fn(&Scope)>;

/// Puts plugins into a real runtime; opens and closes sessions, switches and configures the plugins, and has their hooks
/// fail, panic and hang, all in an order that a seed decides; and looks for what they leave behind:
///
/// * subscriptions on a bus, tasks, and what is kept anew at every change of settings, by the name of the plugin;
/// * services of slots that it [watches](Self::watches), and data of sessions, that outlive their session;
/// * hooks that fail although nobody told them to;
/// * a plugin that is told to attach or to detach twice.
///
/// What it finds comes with the steps that led there, as few as it could find, and the seed.
///
/// ```
/// use jackfield::{IntoPlugin, prelude::*, testing::Harness};
///
/// struct Hello;
/// struct Greeting;
/// impl Plugin for Greeting {
///     fn manifest(&self) -> Manifest {
///         Manifest::new("greeting")
///     }
///     async fn attach(&self, cx: &SessionContext) -> PluginResult {
///         cx.on(|_: &mut Envelope<Hello>| ());
///         Ok(())
///     }
/// }
///
/// let harness: Harness = Harness::new(|| vec![Greeting.into_plugin()]);
/// harness.check(0..20);
/// ```
///
/// Each seed gets plugins, a Tokio runtime and a clock of its own. The clock is paused: waiting takes no time, and a hook
/// that hangs costs nothing. Plugins that wait for the outside world need a fake of it here.
pub struct Harness<G = (), S = ()> {
    plugins: Box<dyn Fn() -> Vec<AnyPlugin<G, S>>>,
    data: Box<dyn Fn() -> G>,
    session_data: Box<dyn Fn() -> S>,
    settings: RuntimeSettings,
    variations: Vec<(String, Variation)>,
    look_ups: Vec<LookUp>,
    uses: Vec<Use>,
    policy: FailurePolicy,
    steps: usize,
}

impl<G: Default + Send + Sync + 'static, S: Default + Send + Sync + 'static> Harness<G, S> {
    /// A harness for these plugins, made anew for each run. Those that the plugins under test need belong among them.
    pub fn new(plugins: impl Fn() -> Vec<AnyPlugin<G, S>> + 'static) -> Self {
        Self::with_data(plugins, G::default, S::default)
    }
}

impl<G: Send + Sync + 'static, S: Send + Sync + 'static> Harness<G, S> {
    /// The same for an application that has data of its own, for the global scope and for each session.
    pub fn with_data(
        plugins: impl Fn() -> Vec<AnyPlugin<G, S>> + 'static,
        data: impl Fn() -> G + 'static,
        session_data: impl Fn() -> S + 'static,
    ) -> Self {
        Self {
            plugins: Box::new(plugins),
            data: Box::new(data),
            session_data: Box::new(session_data),
            settings: RuntimeSettings::default(),
            variations: Vec::new(),
            look_ups: Vec::new(),
            uses: Vec::new(),
            policy: FailurePolicy::default(),
            steps: STEPS,
        }
    }

    /// The settings to start with, and to end with.
    #[must_use]
    pub fn settings(mut self, settings: RuntimeSettings) -> Self {
        self.settings = settings;
        self
    }

    /// A way to change the settings that the plugins must be able to follow: to be made now and then, in the settings
    /// or in those of one session. The name is for the report.
    #[must_use]
    pub fn variation(mut self, name: &str, change: impl Fn(&mut RuntimeSettings) + 'static) -> Self {
        self.variations.push((name.to_owned(), Box::new(change)));
        self
    }

    /// Whoever wins `slot` is looked up now and then, which builds it if it is lazy, and must be gone when its session is.
    /// Not for a service that was registered as a [value](crate::Offering::value), which all sessions share.
    #[must_use]
    pub fn watches<T: ?Sized + Send + Sync + 'static>(mut self, slot: Slot<T>) -> Self {
        self.look_ups.push(look_up(slot));
        self
    }

    /// What to do with a session now and then: emit an event, call a service.
    #[must_use]
    pub fn uses(mut self, session: impl Fn(&Scope) + 'static) -> Self {
        self.uses.push(Box::new(session));
        self
    }

    /// What the runtime does with a plugin that fails.
    #[must_use]
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How many steps a seed stands for, instead of 40.
    #[must_use]
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Runs every seed, until one finds something.
    ///
    /// # Panics
    ///
    /// If one does, with all that is to be said of it; besides the panics of [`run`](Self::run).
    #[track_caller]
    pub fn check(&self, seeds: impl IntoIterator<Item = u64>) {
        for seed in seeds {
            if let Err(left) = self.run(seed) {
                panic!("seed {seed}: {left}");
            }
        }
    }

    /// Plays the steps that `seed` stands for.
    ///
    /// # Errors
    ///
    /// [`LeftBehind`], with as few steps as still find something.
    ///
    /// # Panics
    ///
    /// Within a Tokio runtime, for it makes one of its own: use a plain `#[test]`. If a use or a variation panics.
    pub fn run(&self, seed: u64) -> Result<(), LeftBehind> {
        let steps = Step::random(seed, self.steps);
        let Some(found) = self.find(&steps) else { return Ok(()) };
        let (all, found) = (steps.len(), self.shrink(steps, found));
        Err(LeftBehind { seed: Some(seed), all, ..found })
    }

    /// Plays these steps: those of an earlier report, or what proptest makes of a strategy.
    ///
    /// # Errors
    ///
    /// [`LeftBehind`], with these steps.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    pub fn play(&self, steps: &[Step]) -> Result<(), LeftBehind> {
        self.find(steps).map_or(Ok(()), Err)
    }

    /// What these steps lead to, with those of them that were played.
    fn find(&self, steps: &[Step]) -> Option<LeftBehind> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let runtime = runtime.unwrap_or_else(|error| panic!("Tokio does not start: {error}"));
        let (findings, names, played) = runtime.block_on(Stage::play(self, steps));
        if findings.is_empty() {
            return None;
        }
        let described = steps[..played].iter().map(|step| step.describe(&names)).collect();
        let (all, steps) = (steps.len(), steps[..played].to_vec());
        Some(LeftBehind { findings, steps, described, seed: None, all })
    }

    /// The same with fewer steps, if some can be left out.
    fn shrink(&self, mut steps: Vec<Step>, mut found: LeftBehind) -> LeftBehind {
        steps.truncate(found.steps.len());
        for n in (0..steps.len()).rev() {
            let mut fewer = steps.clone();
            fewer.remove(n);
            if let Some(still) = self.find(&fewer) {
                (steps, found) = (fewer, still);
            }
        }
        found
    }

    fn names(&self, plugins: &[AnyPlugin<G, S>]) -> Names {
        Names {
            plugins: plugins.iter().map(|AnyPlugin(plugin)| plugin.manifest().id().clone()).collect(),
            variations: self.variations.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

impl<G, S> fmt::Debug for Harness<G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness").field("steps", &self.steps).finish_non_exhaustive()
    }
}
