//! The programs of an audio engine, one after the other: the control half.

use crate::console::Console;
use crate::engine::audio::AudioEngine;
use crate::engine::audio::tuning::{AudioTuning, OnFault};
use crate::engine::ready;
use crate::events::{EngineEvent, EventDispatcher};
use crate::instance::{Interrupt, Trap};
use crate::memory::{Carry, CarryReport};
use crate::project::Project;
use crate::realtime::{BlockRunner, KnobError, Seam, Swap, SwapSender, Voice, VoiceMonitor};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Sends programs to the audio thread, hears what becomes of them, and frees what they leave behind.
pub(super) struct Voices {
    rate: u32,
    tuning: Arc<dyn Fn() -> AudioTuning + Send + Sync>,
    console: Console,
    events: EventDispatcher,
    cast: Mutex<Cast>,
    /// Whether a swap is on its way.
    under_way: watch::Sender<bool>,
}

/// Who plays and who has played.
struct Cast {
    swaps: SwapSender,
    monitor: VoiceMonitor,
    project: Arc<Project>,
    /// What the one that has been sent brings with it.
    sent: Option<Sent>,
    last_good: Option<LastGood>,
    /// Whether what plays is broken.
    broken: bool,
    /// Whether what was asked for last is, whatever plays instead.
    failed: bool,
}

struct Sent {
    before: Arc<Project>,
    carried: CarryReport,
    after_fault: Option<After>,
}

/// What takes over from a program that broke.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Another program, so that all is well.
    NewProgram,
    /// The one before it, so that what was asked for is still broken.
    LastGood,
}

/// The program that played before, and was well.
struct LastGood {
    project: Arc<Project>,
    runner: BlockRunner,
}

/// What is to be told, when nothing is locked any more.
enum News {
    Broken { trap: Trap, comes_back: bool },
    Swapped { project: Arc<Project>, carried: CarryReport, seam: Seam, after_fault: Option<After> },
}

impl Voices {
    pub(super) fn new(
        rate: u32,
        tuning: Arc<dyn Fn() -> AudioTuning + Send + Sync>,
        (console, events): (Console, EventDispatcher),
        (swaps, monitor): (SwapSender, VoiceMonitor),
        project: Arc<Project>,
    ) -> Self {
        let (sent, last_good) = (None, None);
        let (broken, failed) = (false, false);
        let cast = Mutex::new(Cast { swaps, monitor, project, sent, last_good, broken, failed });
        Self { rate, tuning, console, events, cast, under_way: watch::Sender::new(false) }
    }

    /// What ends a call of the program that plays.
    pub(super) fn interrupt(&self) -> Interrupt {
        self.lock().monitor.interrupt().clone()
    }

    /// What plays.
    pub(super) fn project(&self) -> Arc<Project> {
        Arc::clone(&self.lock().project)
    }

    /// Whether the program that plays is broken.
    pub(super) fn is_broken(&self) -> bool {
        let cast = self.lock();
        cast.broken || cast.monitor.is_faulted()
    }

    /// Waits until no swap is on its way; `false` if that takes longer than `patience`, because nobody plays.
    pub(super) async fn settled(&self, patience: Duration) -> bool {
        let mut under_way = self.under_way.subscribe();
        let settled = tokio::time::timeout(patience, under_way.wait_for(|under_way| !under_way)).await;
        settled.is_ok_and(|settled| settled.is_ok())
    }

    /// Has `runner`, made from `project`, take over from what plays now. Returns what ends its calls; `None` if
    /// another is on its way already.
    pub(super) fn take_over(&self, project: Arc<Project>, runner: BlockRunner) -> Option<Interrupt> {
        let frames = (self.tuning)().fade_frames(self.rate);
        let mut cast = self.lock();
        let broken = cast.broken || cast.monitor.is_faulted();
        // What a broken program has left behind may be what broke it.
        let carry = if broken { Carry::default() } else { ready::carry(&cast.project, &project) };
        let after_fault = (broken || cast.failed).then_some(After::NewProgram);
        let sent = cast.send(&self.console, project, runner, carry, frames, after_fault);
        let interrupt = cast.monitor.interrupt().clone();
        cast.failed &= sent.is_err();
        self.under_way.send_replace(cast.sent.is_some());
        drop(cast);
        let unset = sent.ok()?;
        unset.iter().for_each(ready::left_as_it_is);
        Some(interrupt)
    }

    /// Hears what has happened on the audio thread, and tells it.
    pub(super) fn look(&self) {
        let tuning = (self.tuning)();
        let (mut gone, mut news, mut unset) = (Vec::new(), Vec::new(), Vec::new());
        let mut cast = self.lock();
        while let Some(swap) = cast.swaps.take_back() {
            let seam = swap.seam();
            let (voice, sent) = (swap.into_voice(), cast.sent.take());
            if let Some(Sent { before, carried, after_fault }) = sent {
                let keep = !voice.is_faulted() && tuning.on_fault == OnFault::LastGood;
                let left = LastGood { project: before, runner: voice.into_runner() };
                gone.extend(if keep { cast.last_good.replace(left) } else { Some(left) });
                let project = Arc::clone(&cast.project);
                news.push(News::Swapped { project, carried, seam, after_fault });
            }
        }
        if let Some(trap) = cast.monitor.take_fault() {
            (cast.broken, cast.failed) = (true, true);
            // One that breaks while it takes over leaves the one before it behind when it has.
            let somebody = cast.last_good.is_some() || cast.sent.is_some();
            let comes_back = somebody && tuning.on_fault == OnFault::LastGood;
            news.push(News::Broken { trap, comes_back });
        }
        if cast.broken && tuning.on_fault == OnFault::LastGood {
            match cast.bring_back_the_last_good(&self.console, tuning.fade_frames(self.rate)) {
                Ok(problems) => unset = problems,
                Err(unsent) => gone.extend(unsent.map(|unsent| *unsent)),
            }
        }
        self.under_way.send_replace(cast.sent.is_some());
        drop(cast);
        unset.iter().for_each(ready::left_as_it_is);
        drop(gone); // whole programs, on a thread that may take its time
        news.into_iter().for_each(|news| self.tell(news));
    }

    fn tell(&self, news: News) {
        let engine = AudioEngine::ID;
        match news {
            News::Broken { trap, comes_back } => {
                let then = if comes_back { "the one before it plays on" } else { "there is silence now" };
                tracing::error!(target: "jackfield::engine", "The program broke, and {then}: {trap}");
                let reason = if comes_back { format!("{trap}; {then}") } else { trap.to_string() };
                self.events.dispatch(EngineEvent::Faulted { engine, reason: reason.clone() });
                self.console.set_fault(Some(reason));
            }
            News::Swapped { project, carried, seam, after_fault } => {
                let Seam { largest, usual } = seam;
                tracing::info!(
                    target: "jackfield::engine",
                    "`{}` has taken over: {carried}; largest step {largest:.4}, before it {usual:.4}", project.name
                );
                if after_fault.is_some() {
                    self.events.dispatch(EngineEvent::Recovered { engine: engine.clone() });
                }
                if after_fault == Some(After::NewProgram) {
                    self.console.set_fault(None);
                }
                let (project, seam) = (project.name.clone(), Some(seam));
                self.events.dispatch(EngineEvent::Swapped { engine, project, carried, seam });
            }
        }
    }

    // Nothing foreign runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Cast> {
        self.cast.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cast {
    /// Sends a program, and says which knobs it has no place for; what could not be sent comes back.
    fn send(
        &mut self,
        console: &Console,
        project: Arc<Project>,
        runner: BlockRunner,
        carry: Carry,
        frames: usize,
        after_fault: Option<After>,
    ) -> Result<Vec<KnobError>, Box<BlockRunner>> {
        if self.sent.is_some() {
            return Err(Box::new(runner));
        }
        let (controls, unset) = console.connect(runner.instance().program());
        let carried = carry.report().clone();
        let (voice, monitor) = Voice::new(runner, controls);
        if let Err(unsent) = self.swaps.send(Box::new(Swap::new(voice, carry, frames))) {
            return Err(Box::new(unsent.into_voice().into_runner()));
        }
        self.monitor = monitor;
        self.broken = false;
        let before = std::mem::replace(&mut self.project, project);
        self.sent = Some(Sent { before, carried, after_fault });
        Ok(unset)
    }

    /// Has the last good program play again, if there is one and it can be sent now; what could not be sent comes back.
    fn bring_back_the_last_good(
        &mut self,
        console: &Console,
        frames: usize,
    ) -> Result<Vec<KnobError>, Option<Box<LastGood>>> {
        if self.sent.is_some() {
            return Err(None);
        }
        let LastGood { project, runner } = self.last_good.take().ok_or(None)?;
        let again = Arc::clone(&project);
        let sent = self.send(console, again, runner, Carry::default(), frames, Some(After::LastGood));
        sent.map_err(|runner| Some(Box::new(LastGood { project, runner: *runner })))
    }
}

impl fmt::Debug for Voices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voices").finish_non_exhaustive()
    }
}
