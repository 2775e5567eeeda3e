//! The timer engines: a program's tick, so many times a second.

mod catch_up;
mod ticking;
mod host;

pub use self::catch_up::CatchUp;
pub(in crate::engine) use self::catch_up::Policy;
pub(in crate::engine) use self::host::{Loaded, Running};
pub(in crate::engine) use self::ticking::Duty;

use crate::device::{Clock, SystemClock};
use crate::engine::ready;
use crate::factory::{EngineContext, EngineError, EngineFactory, Prepared};
use crate::id::EngineId;
use crate::program::{CodeCache, Compiler, Limits};
use crate::project::TimerSettings;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long one tick of a program may take.
const CALL_LIMIT: Duration = Duration::from_millis(500);

/// Calls a program's `cycle` at the project's rate: on a thread of its own, or on the host's own loop.
///
/// Ticks are locked to the moment of the start and as far apart as the rate says, to the nanosecond; a late one
/// does not move the next, and what becomes of those that a pause held up is [`CatchUp`]'s to say. A program that traps or does
/// not return is not called again until there is a new project, or the same one again.
#[derive(Clone)]
pub struct TimerEngine {
    host: Host,
    compiler: Compiler,
    call_limit: Duration,
    catch_up: Policy,
}

/// What the ticks run on.
#[derive(Clone)]
pub(in crate::engine) enum Host {
    Thread(Arc<dyn Clock>),
    Task,
}

impl TimerEngine {
    /// The id of the one with a thread of its own.
    pub const WORKER: EngineId = EngineId::new("worker");

    /// The id of the one on the host's loop.
    pub const MAIN: EngineId = EngineId::new("main");

    /// Ticks on a thread of its own. Id `worker`, aliases `WebWorkerLogicRuntime` and `WebWorkerRuntime`.
    #[must_use]
    pub fn worker() -> Self {
        Self::worker_with_clock(Arc::new(SystemClock::new()))
    }

    /// The same by another clock.
    #[must_use]
    pub fn worker_with_clock(clock: Arc<dyn Clock>) -> Self {
        Self::on(Host::Thread(clock))
    }

    /// Ticks as a task of the host's loop, by Tokio's clock. Id `main`, aliases `MainThreadLogicRuntime` and
    /// `MainThreadRuntime`.
    #[must_use]
    pub fn main() -> Self {
        Self::on(Host::Task)
    }

    fn on(host: Host) -> Self {
        let catch_up: Policy = Arc::new(CatchUp::default);
        Self { host, compiler: Compiler::default(), call_limit: CALL_LIMIT, catch_up }
    }

    /// The same, doing about missed ticks what `policy` says whenever some were missed. Asked on the thread that ticks,
    /// which it must not hold up.
    #[must_use]
    pub fn with_catch_up(mut self, policy: impl Fn() -> CatchUp + Send + Sync + 'static) -> Self {
        self.catch_up = Arc::new(policy);
        self
    }

    /// The same with other limits for programs.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.compiler = self.compiler.with_limits(limits);
        self
    }

    /// The same, keeping compiled code in `cache`, if there is one.
    #[must_use]
    pub fn with_cache(mut self, cache: impl Into<Option<CodeCache>>) -> Self {
        self.compiler = self.compiler.with_cache(cache);
        self
    }

    /// The same, ending a tick that takes longer than this.
    #[must_use]
    pub fn with_call_limit(mut self, limit: Duration) -> Self {
        self.call_limit = limit;
        self
    }
}

impl EngineFactory for TimerEngine {
    fn id(&self) -> EngineId {
        match self.host {
            Host::Thread(_) => Self::WORKER,
            Host::Task => Self::MAIN,
        }
    }

    fn aliases(&self) -> &[&'static str] {
        match self.host {
            Host::Thread(_) => &["WebWorkerLogicRuntime", "WebWorkerRuntime"],
            Host::Task => &["MainThreadLogicRuntime", "MainThreadRuntime"],
        }
    }

    fn defaults(&self) -> Map<String, Value> {
        Map::from_iter([("sampleRate".to_owned(), json!(TimerSettings::default().sample_rate))])
    }

    fn stand_in(&self, meant: &Map<String, Value>) -> Map<String, Value> {
        ready::with_rate_of(self.defaults(), meant, TimerSettings::read)
    }

    fn schema(&self) -> Schema {
        json_schema!({
            "type": "object",
            "properties": {
                "sampleRate": { "type": "number", "minimum": 0.001, "maximum": 1000, "default": 50 },
            },
        })
    }

    fn prepare(&self, cx: EngineContext) -> BoxFuture<'_, Result<Box<dyn Prepared>, EngineError>> {
        async move {
            let settings = ready::read(&self.id(), &cx.settings, TimerSettings::read)?;
            let project = cx.project.clone().ok_or(EngineError::NoProject)?;
            let instance = ready::instance(Arc::clone(&project), self.compiler.clone()).await?;
            let loaded = Loaded {
                id: self.id(),
                instance,
                settings,
                project,
                console: cx.console,
                events: cx.events,
                host: self.host.clone(),
                call_limit: self.call_limit,
                catch_up: Arc::clone(&self.catch_up),
                compiler: self.compiler.clone(),
                duty: None,
            };
            Ok(Box::new(loaded) as Box<dyn Prepared>)
        }
        .boxed()
    }
}

impl fmt::Debug for TimerEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerEngine").field("id", &self.id()).finish_non_exhaustive()
    }
}
