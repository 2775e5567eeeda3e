//! `jackfield run`: plays, and follows the settings while it plays.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use jackfield::{BoxError, Envelope, InitError, PluginRuntime, Session, Subscription};
use jackfield_engines::{ENGINES, EngineEvent, ManagerState, ManagerStatus, MidiRecorder, SystemClock};
use jackfield_sources::{FileSource, Source};
use tokio::sync::mpsc;

use crate::{
    cache::code_cache,
    failure::{Failure, Outcome},
    host::{Wishes, host},
    plugins::{Notice, meter::Levels},
    settings_file::{self, Followed},
    terminal::{Terminal, live_line, start_log},
    workplace::Workplace,
};

/// How often the live line is drawn for a person, and a plain line written for a pipe.
const DRAW_EVERY: Duration = Duration::from_millis(100);
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// What is logged unless the environment asks for something else. What plugins fail at is told to the person anyway.
const LOG: &str = "warn,jackfield::plugin=off";

/// How long the end of the program waits for threads that are stuck.
const PATIENCE: Duration = Duration::from_millis(300);

/// What to play, and how long.
pub(crate) struct Run {
    pub(crate) project: Option<PathBuf>,
    pub(crate) settings: Option<PathBuf>,
    pub(crate) engine: Option<String>,
    pub(crate) time: Option<Duration>,
    pub(crate) silent: bool,
    pub(crate) midi_file: Option<PathBuf>,
}

/// Plays until it is interrupted or the time is over.
pub(crate) fn run(run: Run) -> Outcome<()> {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let tokio = tokio.map_err(Failure::work)?;
    let played = tokio.block_on(play(run));
    tokio.shutdown_timeout(PATIENCE); // everything has been told to end; what has not by then is stuck
    played
}

async fn play(run: Run) -> Outcome<()> {
    let mut terminal = Terminal::new();
    let mut log = start_log(LOG);
    let workplace = Workplace::new(run.project, run.settings)?;
    let file = workplace.shown_settings();
    let text = workplace.settings_text()?;
    let (settings, notes) =
        settings_file::read(&file, text.as_deref().unwrap_or_default()).map_err(Failure::Input)?;
    notes.iter().for_each(|note| terminal.say(note));

    let refused =
        |error| Failure::Input(settings_file::explain(&file, text.as_deref().unwrap_or_default(), &error));
    let midi_recorder = run.midi_file.map(|path| MidiRecorder::new(path, Arc::new(SystemClock::new())));
    if let Some(recorder) = &midi_recorder {
        recorder.save().map_err(|error| Failure::unwritable(recorder.path(), error))?;
    }
    let cache = code_cache();
    let wishes = Wishes { engine: run.engine, silent: run.silent, cache, midi_recorder };
    let runtime = match host(&workplace, &wishes).settings(settings).init().await {
        Ok(runtime) => runtime,
        Err(InitError::Settings(error)) => return Err(refused(error)),
        Err(error) => return Err(Failure::work(error)),
    };
    let mut signals = Signals::new()?;
    let session = runtime.create_session("main").await.map_err(refused)?;
    let (_listening, mut messages) = listen(&session).map_err(Failure::work)?;
    let mut source = FileSource::new(&workplace.settings).map_err(Failure::work)?;
    if let Some(text) = text {
        source = source.having_read(text);
    }
    let mut show =
        Show { terminal, session, started: Instant::now(), levels: None, shown: None, engine: String::new() };
    show.banner(&runtime, &file);
    // One future for all of its waiting: begun anew at every turn of the loop, it might never see an edit settle.
    let updates = stream::unfold(source, async |mut source| Some((source.next().await?, source)));
    tokio::pin!(updates);

    let end = async {
        match run.time {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(end);
    let period = if show.terminal.is_live() { DRAW_EVERY } else { WRITE_EVERY };
    let mut drawing = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    let mut change: Option<BoxFuture<'_, Followed>> = None;
    loop {
        tokio::select! {
            biased;
            () = &mut end => break,
            () = signals.next() => break,
            Some(record) = log.recv() => show.terminal.say(&record),
            Some(message) = messages.recv() => show.message(message),
            Some(followed) = made(&mut change) => {
                change = None;
                // What was said and done on the way comes before what came of it.
                while let Ok(message) = messages.try_recv() {
                    show.message(message);
                }
                show.followed(&file, followed);
            }
            Some(update) = updates.next(), if change.is_none() => match update {
                Ok(document) => change = Some(settings_file::follow(&runtime, &file, document.text).boxed()),
                Err(error) => show.terminal.say(&format!("settings: {error}")),
            },
            _ = drawing.tick() => show.draw(),
        }
    }

    drop(change); // the runtime makes it all the same, and then closes
    let closed = tokio::select! {
        closed = show.session.close() => closed,
        () = signals.next() => return Err(Failure::work("stopped without waiting for the plugins to end")),
    };
    while let Ok(message) = messages.try_recv() {
        if let Message::Notice(text) = message {
            show.terminal.say(&text);
        }
    }
    show.terminal.finish();
    let failures = closed.map(|report| report.failures).unwrap_or_default();
    runtime.shutdown().await.map_err(Failure::work)?;
    if let Some(recorder) = &wishes.midi_recorder {
        // The engine has done so; if it could not, this says why.
        recorder.save().map_err(|error| Failure::unwritable(recorder.path(), error))?;
        let (path, messages) = (recorder.path().display(), recorder.messages());
        show.terminal.say(&format!("midi: wrote {path}, {messages} messages"));
    }
    while let Ok(record) = log.try_recv() {
        show.terminal.say(&record);
    }
    if failures.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = failures.iter().map(ToString::to_string).collect();
    Err(Failure::Work(lines.join("\n")))
}

/// What became of the change that is being made; `None`, for ever, while there is none.
async fn made(change: &mut Option<BoxFuture<'_, Followed>>) -> Option<Followed> {
    match change {
        Some(change) => Some(change.await),
        None => std::future::pending().await,
    }
}

/// What plugins have to say.
enum Message {
    Levels(Levels),
    Notice(String),
    Status(ManagerStatus),
    Swapped(String),
    /// The device went away, or came back.
    Moved,
}

type Listening = (Vec<Subscription>, mpsc::UnboundedReceiver<Message>);

fn listen(session: &Session) -> Result<Listening, BoxError> {
    let (sender, messages) = mpsc::unbounded_channel();
    let say = move |message: Message| drop(sender.send(message)); // the end of the run: nobody listens any more
    let (levels, notices, statuses, events) = (say.clone(), say.clone(), say.clone(), say);
    let bus = session.bus();
    let subscriptions = vec![
        bus.on(move |event: &mut Envelope<Levels>| levels(Message::Levels(Levels::clone(event))))?,
        bus.on(move |event: &mut Envelope<Notice>| notices(Message::Notice(event.0.clone())))?,
        bus.on(move |event: &mut Envelope<ManagerStatus>| {
            statuses(Message::Status(ManagerStatus::clone(event)));
        })?,
        bus.on(move |event: &mut Envelope<EngineEvent>| match &**event {
            EngineEvent::Swapped { project, carried, seam, .. } => {
                let seam = seam.map_or_else(String::new, |seam| {
                    format!("; largest step {:.4}, before it {:.4}", seam.largest, seam.usual)
                });
                events(Message::Swapped(format!("program: `{project}` has taken over: {carried}{seam}")));
            }
            EngineEvent::Degraded { .. } | EngineEvent::Restored { .. } => events(Message::Moved),
            _ => {}
        })?,
    ];
    Ok((subscriptions, messages))
}

/// What the person sees of the run.
struct Show {
    terminal: Terminal,
    session: Session,
    started: Instant,
    levels: Option<Levels>,
    shown: Option<Levels>,
    engine: String,
}

impl Show {
    fn banner(&mut self, runtime: &PluginRuntime, file: &str) {
        let project = self
            .session
            .resolve(ENGINES)
            .ok()
            .and_then(|engines| engines.store().project.get().as_ref().clone());
        let project = project.as_ref().map_or("nothing", |project| project.name.as_str());
        self.engine = self.engine_line();
        let status = runtime.status();
        let scope = status.scopes.last();
        let named = |enabled: bool| {
            let plugins =
                scope.iter().flat_map(|scope| &scope.plugins).filter(|plugin| plugin.enabled == enabled);
            plugins.map(|plugin| plugin.plugin.to_string()).collect::<Vec<_>>().join(", ")
        };
        let off = named(false);
        let off = if off.is_empty() { off } else { format!("   (off: {off})") };
        self.terminal.say(&format!(
            "playing    {project}\nengine     {}\nplugins    {}{off}\nsettings   {file}   (edit it while it plays; Ctrl-C stops)",
            self.engine,
            named(true),
        ));
    }

    /// The engine that plays, where, and why it is not the one that was asked for, if it is not.
    fn engine_line(&self) -> String {
        let Ok(engines) = self.session.resolve(ENGINES) else { return "none".to_owned() };
        let playing = engines.console().playing();
        let playing = playing.borrow();
        let Some(playing) = &*playing else { return "none".to_owned() };
        let (engine, rate) = (&playing.engine, playing.sample_rate);
        let what = match (&playing.device, &playing.ports) {
            (Some(device), _) => format!("{engine} on {device}, {rate} Hz"),
            (None, Some(ports)) => format!("{engine} on {ports}, {rate} ticks a second"),
            (None, None) => format!("{engine}, {rate} ticks a second"),
        };
        if let Some(reason) = &playing.degraded {
            return format!("{what}   (for the time being: {reason})");
        }
        let status = engines.status();
        match status.requested {
            Some(requested) if status.stands_in => {
                format!("{what}   (the default: there is no engine `{requested}`)")
            }
            _ => what,
        }
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Levels(levels) => match &mut self.levels {
                Some(so_far) => so_far.join(&levels),
                None => self.levels = Some(levels),
            },
            Message::Notice(text) | Message::Swapped(text) => {
                text.lines().for_each(|line| self.terminal.say(line));
            }
            Message::Status(status) if status.state == ManagerState::Running => self.say_engine(),
            Message::Moved => self.say_engine(),
            Message::Status(_) => {}
        }
    }

    /// Says which engine plays, if it is another one than was said.
    fn say_engine(&mut self) {
        let line = self.engine_line();
        if line != self.engine {
            self.terminal.say(&format!("engine: {line}"));
            self.engine = line;
        }
    }

    fn plays_on_ports(&self) -> bool {
        let Ok(engines) = self.session.resolve(ENGINES) else { return false };
        let playing = engines.console().playing();
        let playing = playing.borrow();
        playing.as_ref().is_some_and(|playing| playing.ports.is_some())
    }

    fn followed(&mut self, file: &str, followed: Followed) {
        let (headline, lines) = match followed {
            Followed::Done(lines) => (format!("settings: following {file}"), lines),
            Followed::Refused(lines) => {
                ("settings: refused; the last good ones stay in force".to_owned(), lines)
            }
        };
        self.say_engine();
        self.terminal.say(&headline);
        lines.lines().for_each(|line| self.terminal.say(&format!("  {line}")));
    }

    fn draw(&mut self) {
        // MIDI ports come and go without asking anybody.
        if self.plays_on_ports() {
            self.say_engine();
        }
        let load = self.session.resolve(ENGINES).ok().and_then(|engines| {
            let audio =
                engines.console().playing().borrow().as_ref().is_some_and(|playing| playing.device.is_some());
            audio.then(|| engines.console().load().read().average)
        });
        // The meter and this clock are not in step: what was shown is shown once more, and then it is over.
        let news = self.levels.take();
        let levels = news.as_ref().or(self.shown.as_ref());
        let line = live_line(self.started.elapsed(), levels, load);
        self.shown = news;
        if self.terminal.is_live() { self.terminal.draw(&line) } else { self.terminal.say(&line) }
    }
}

/// The ways in which a run is asked to end.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// From now on, until the end, they are waited for: none of them cuts anything off.
    fn new() -> Outcome<Self> {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt()).map_err(Failure::work)?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate()).map_err(Failure::work)?,
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        drop(tokio::signal::ctrl_c().await);
    }
}
