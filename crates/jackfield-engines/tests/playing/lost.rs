//! A device that goes away while it plays, and comes back.

use crate::support::{Session, check_samples, offline, processor, project, runner};
use assert_no_alloc::assert_no_alloc;
use jackfield_engines::{
    AudioEngine, AudioTuning, Carry, Device, DeviceError, EngineEvent, EngineFactory, Knobs, ManualClock,
    NullDevice, Playing, Project, Stream, StreamSetup, Swap, TapeReader, Voice,
};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// A sound card that plays when a test says so, and is plugged and unplugged by it. Clones are the same card.
#[derive(Clone, Default)]
struct Card(Arc<Bench>);

#[derive(Default)]
struct Bench {
    stream: Mutex<Option<StreamSetup>>,
    opened: AtomicUsize,
    unplugged: AtomicBool,
    /// Whether it writes over what it has when it is opened anew.
    once: AtomicBool,
    /// Whether opening it waits, and those who wait for it to begin that.
    slow: Mutex<(bool, bool)>,
    changed: Condvar,
    played: Mutex<Vec<f32>>,
}

impl Card {
    /// Plays so many frames, and returns them. Also when the program has just come to it, that touches no allocator.
    fn play(&self, frames: usize) -> Vec<f32> {
        let mut output = vec![f32::NAN; frames * 2];
        let mut stream = self.stream();
        let render = &mut stream.as_mut().unwrap().render;
        render.enter();
        assert_no_alloc(|| render.render(&[], &mut output));
        output
    }

    /// Unplugs it.
    fn vanish(&self) {
        self.0.unplugged.store(true, Ordering::SeqCst);
        let mut stream = self.stream();
        let lost = &mut stream.as_mut().unwrap().lost;
        lost(&self.not_there());
    }

    fn plug_in(&self) {
        self.0.unplugged.store(false, Ordering::SeqCst);
    }

    fn opened(&self) -> usize {
        self.0.opened.load(Ordering::SeqCst)
    }

    fn is_open(&self) -> bool {
        self.stream().is_some()
    }

    fn slow_down(&self) {
        *self.0.slow.lock().unwrap() = (true, false);
    }

    fn wait_until_it_is_being_opened(&self) {
        let slow = self.0.slow.lock().unwrap();
        drop(self.0.changed.wait_while(slow, |(_, begun)| !*begun).unwrap());
    }

    fn speed_up(&self) {
        self.0.slow.lock().unwrap().0 = false;
        self.0.changed.notify_all();
    }

    fn not_there(&self) -> DeviceError {
        DeviceError::NotThere { device: self.name(), source: "unplugged".into() }
    }

    fn stream(&self) -> MutexGuard<'_, Option<StreamSetup>> {
        self.0.stream.lock().unwrap()
    }
}

impl Device for Card {
    fn name(&self) -> String {
        "loose plug".to_owned()
    }

    fn comes_back(&self) -> bool {
        !self.0.once.load(Ordering::SeqCst)
    }

    fn open(&self, mut setup: StreamSetup) -> Result<Box<dyn Stream>, DeviceError> {
        self.0.opened.fetch_add(1, Ordering::SeqCst);
        let mut slow = self.0.slow.lock().unwrap();
        slow.1 = true;
        self.0.changed.notify_all();
        drop(self.0.changed.wait_while(slow, |(slow, _)| *slow).unwrap());
        if self.0.unplugged.load(Ordering::SeqCst) {
            return Err(self.not_there());
        }
        // As cards do: it plays before whoever opened it knows that it is open.
        if self.opened() > 1 {
            let mut first = [f32::NAN; 64];
            setup.render.render(&[], &mut first);
            self.0.played.lock().unwrap().extend(first);
        }
        let before = self.stream().replace(setup);
        assert!(before.is_none(), "it is opened while it is open");
        Ok(Box::new(self.clone()))
    }
}

impl Stream for Card {
    fn stop(self: Box<Self>) -> Result<(), DeviceError> {
        let setup = self.stream().take();
        drop(setup);
        Ok(())
    }
}

/// A session that plays on a card, on a clock where there is none, and looks for it when a test says so.
struct Stage {
    card: Card,
    clock: ManualClock,
    looking: ManualClock,
    session: Session,
    tape: TapeReader,
}

impl Stage {
    fn new() -> Self {
        Self::with(AudioTuning::default())
    }

    fn with(tuning: AudioTuning) -> Self {
        let (card, clock, looking) = (Card::default(), ManualClock::new(), ManualClock::new());
        let null = NullDevice::with_clock(Arc::new(clock.clone()));
        let engine = AudioEngine::new(Arc::new(card.clone()))
            .or_on(Arc::new(null))
            .looking_by(Arc::new(looking.clone()))
            .with_tuning(move || tuning)
            .with_block(480);
        let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
        let tape = session.console.tape();
        Self { card, clock, looking, session, tape }
    }

    /// Unplugs the card, and waits until the program plays elsewhere.
    async fn vanish(&self) -> Playing {
        self.card.vanish();
        self.playing(|playing| playing.degraded.is_some()).await
    }

    async fn playing(&self, fits: impl Fn(&Playing) -> bool) -> Playing {
        let mut playing = self.session.console.playing();
        playing.wait_for(|playing| playing.as_ref().is_some_and(&fits)).await.unwrap().clone().unwrap()
    }

    /// Looks for the card, and returns when that is done.
    fn look(&self) {
        self.looking.advance(Duration::from_secs(2));
    }

    /// Lets time go on where nobody hears it, block by block of 480 frames.
    fn pass(&self, blocks: usize) {
        for _ in 0..blocks {
            self.clock.advance(Duration::from_millis(10));
        }
    }

    /// Everything that was played since the last time, wherever.
    fn taken(&mut self) -> Vec<f32> {
        let mut played = vec![0.0; 1 << 18];
        let read = self.tape.read(&mut played);
        assert_eq!(read.lost, 0);
        played.truncate(read.frames * 2);
        played
    }

    fn news(&self) -> Vec<EngineEvent> {
        let mut heard = self.session.heard.lock().unwrap().clone();
        heard.retain(|event| {
            matches!(
                event,
                EngineEvent::Degraded { .. } | EngineEvent::Restored { .. } | EngineEvent::Faulted { .. }
            )
        });
        heard
    }
}

// E.2
#[tokio::test]
async fn a_device_that_goes_away_leaves_the_program_playing_and_has_it_back_when_it_returns() {
    let mut stage = Stage::new();
    stage.session.play(project("ramp")).await;
    // Not whole program blocks: what is left of one is played by whoever comes next.
    let mut heard = stage.card.play(300);
    let playing = stage.vanish().await;
    assert_eq!(playing.device.as_deref(), Some("null device, keeping time"));
    let reason = "device `loose plug` is not there: unplugged";
    assert_eq!((playing.degraded.as_deref(), playing.fault), (Some(reason), None));
    stage.pass(7);
    stage.look();
    stage.pass(2);
    stage.card.plug_in();
    stage.look();
    let playing = stage.playing(|playing| playing.degraded.is_none()).await;
    assert_eq!(playing.device.as_deref(), Some("loose plug"));
    heard.extend(stage.card.play(777));
    let expected = offline(&project("ramp"), 300 + 9 * 480 + 777);
    check_samples(&stage.taken(), &expected);
    check_samples(&heard[..600], &expected[..600]);
    check_samples(&heard[600..], &expected[expected.len() - 2 * 777..]);
    assert_eq!(*stage.card.0.played.lock().unwrap(), [0.0; 64], "silent while it played elsewhere");
    stage.session.manager.close().await;
}

#[tokio::test]
async fn that_it_plays_elsewhere_is_told_and_shown_and_so_is_its_return() {
    let stage = Stage::new();
    stage.session.play(project("dc")).await;
    stage.vanish().await;
    let reason = "device `loose plug` is not there: unplugged".to_owned();
    let mut status = stage.session.manager.status();
    let shown = status.wait_for(|status| status.degraded.is_some()).await.unwrap().clone();
    assert_eq!(
        (shown.degraded, shown.active, shown.failed),
        (Some(reason.clone()), Some(AudioEngine::ID), None)
    );
    stage.card.plug_in();
    stage.look();
    status.wait_for(|status| status.degraded.is_none()).await.unwrap();
    let (away, home) = ("null device, keeping time".to_owned(), "loose plug".to_owned());
    assert_eq!(
        stage.news(),
        [
            EngineEvent::Degraded { engine: AudioEngine::ID, device: away, reason },
            EngineEvent::Restored { engine: AudioEngine::ID, device: home },
        ]
    );
    stage.session.manager.close().await;
}

#[tokio::test]
async fn a_device_that_is_not_there_at_the_start_is_taken_up_when_it_comes() {
    let mut stage = Stage::new();
    stage.card.0.unplugged.store(true, Ordering::SeqCst);
    stage.session.play(project("ramp")).await;
    let playing = stage.playing(|_| true).await;
    assert_eq!(playing.degraded.as_deref(), Some("device `loose plug` is not there: unplugged"));
    assert!(stage.session.manager.status().borrow().degraded.is_some(), "with the answer");
    stage.pass(3);
    stage.card.plug_in();
    stage.look();
    stage.playing(|playing| playing.degraded.is_none()).await;
    stage.card.play(100);
    check_samples(&stage.taken(), &offline(&project("ramp"), 3 * 480 + 100));
    assert!(matches!(stage.news()[..], [EngineEvent::Degraded { .. }, EngineEvent::Restored { .. }]));
    stage.session.manager.close().await;
}

#[tokio::test]
async fn it_is_looked_for_every_two_seconds_and_no_more_often() {
    let stage = Stage::new();
    stage.session.play(project("dc")).await;
    stage.looking.advance(Duration::from_secs(3600));
    assert_eq!(stage.card.opened(), 1, "while it is there nobody looks");
    stage.vanish().await;
    stage.looking.advance(Duration::from_millis(1999));
    assert_eq!(stage.card.opened(), 1);
    stage.looking.advance(Duration::from_millis(1));
    assert_eq!(stage.card.opened(), 2);
    for _ in 0..10 {
        stage.looking.advance(Duration::from_millis(1000));
    }
    assert_eq!(stage.card.opened(), 7);
    stage.session.manager.close().await;
}

#[tokio::test]
async fn one_that_comes_and_goes_is_followed_without_a_frame_too_many_or_too_few() {
    let mut stage = Stage::new();
    stage.session.play(project("ramp")).await;
    let mut frames = 0;
    for turn in 1..=5 {
        stage.card.play(turn * 37);
        stage.vanish().await;
        stage.pass(turn);
        stage.card.plug_in();
        stage.look();
        stage.playing(|playing| playing.degraded.is_none()).await;
        frames += turn * 37 + turn * 480;
    }
    check_samples(&stage.taken(), &offline(&project("ramp"), frames));
    assert_eq!(stage.card.opened(), 6);
    stage.session.manager.close().await;
}

/// What one processor plays, all on one device: `before`, and then `after` fading in.
fn unbroken(before: &Project, frames: usize, after: &Project, fade: usize, then: usize) -> Vec<f32> {
    let knobs = Knobs::new();
    let (mut processor, mut control) = processor(before, 0, knobs.connect(before.map.clone()).0, None);
    let mut played = vec![0.0; (frames + then) * 2];
    processor.process(&[], &mut played[..frames * 2]);
    let (voice, _monitor) = Voice::new(runner(after), knobs.connect(after.map.clone()).0);
    let carry = Carry::between(&before.map, &after.map, |_| false);
    control.swaps.send(Box::new(Swap::new(voice, carry, fade))).unwrap();
    processor.process(&[], &mut played[frames * 2..]);
    played
}

#[tokio::test]
async fn a_fade_goes_on_from_device_to_device() {
    let mut stage = Stage::with(AudioTuning::default().with_fade(Duration::from_millis(40)));
    stage.session.play(project("dc")).await;
    stage.card.play(500);
    stage.session.play(project("ramp")).await;
    stage.card.play(300);
    stage.vanish().await;
    stage.pass(1);
    stage.card.plug_in();
    stage.look();
    stage.playing(|playing| playing.degraded.is_none()).await;
    stage.card.play(200);
    stage.vanish().await;
    stage.pass(4);
    let expected = unbroken(&project("dc"), 500, &project("ramp"), 1920, 300 + 480 + 200 + 4 * 480);
    check_samples(&stage.taken(), &expected);
    stage.session.manager.close().await;
}

#[tokio::test]
async fn an_edit_is_taken_up_while_the_device_is_away() {
    let mut stage = Stage::with(AudioTuning::default().with_fade(Duration::ZERO));
    stage.session.play(project("dc")).await;
    stage.card.play(500);
    stage.vanish().await;
    stage.session.play(project("ramp")).await;
    stage.pass(2);
    stage.card.plug_in();
    stage.look();
    stage.playing(|playing| playing.degraded.is_none()).await;
    stage.card.play(200);
    let expected = unbroken(&project("dc"), 500, &project("ramp"), 0, 2 * 480 + 200);
    check_samples(&stage.taken(), &expected);
    assert_eq!(stage.card.opened(), 2);
    stage.session.manager.close().await;
}

#[tokio::test]
async fn stopping_ends_it_wherever_it_plays() {
    for is_away in [false, true] {
        let stage = Stage::new();
        stage.session.play(project("dc")).await;
        if is_away {
            stage.vanish().await;
        }
        stage.session.manager.close().await;
        assert!(!stage.card.is_open());
        assert!(stage.session.console.take_writer().is_some(), "the tape is back for the next engine");
        assert_eq!(*stage.session.console.playing().borrow(), None);
        assert_eq!(stage.session.manager.status().borrow().degraded, None);
    }
}

#[tokio::test]
async fn stopping_while_the_device_is_being_opened_closes_it_again() {
    let stage = Stage::new();
    stage.session.play(project("dc")).await;
    stage.vanish().await;
    stage.card.plug_in();
    stage.card.slow_down();
    let looking = stage.looking.clone();
    // Whom it waits for has ended by the time it could return.
    std::thread::spawn(move || looking.advance(Duration::from_secs(2)));
    let card = stage.card.clone();
    tokio::task::spawn_blocking(move || card.wait_until_it_is_being_opened()).await.unwrap();
    let mut status = stage.session.manager.status();
    let closing = stage.session.manager.close();
    let opened = async {
        status.wait_for(|status| status.active.is_none()).await.unwrap();
        stage.card.speed_up();
    };
    tokio::join!(closing, opened);
    assert!(!stage.card.is_open());
    assert_eq!(stage.card.opened(), 2);
    assert!(stage.session.console.take_writer().is_some());
}

#[tokio::test]
async fn while_the_device_is_slow_to_open_the_program_goes_on() {
    let mut stage = Stage::new();
    stage.session.play(project("ramp")).await;
    stage.vanish().await;
    stage.card.plug_in();
    stage.card.slow_down();
    let looking = stage.looking.clone();
    let looked = tokio::task::spawn_blocking(move || looking.advance(Duration::from_secs(2)));
    let card = stage.card.clone();
    tokio::task::spawn_blocking(move || card.wait_until_it_is_being_opened()).await.unwrap();
    stage.pass(3);
    stage.card.speed_up();
    looked.await.unwrap();
    stage.card.play(10);
    check_samples(&stage.taken(), &offline(&project("ramp"), 3 * 480 + 10));
    stage.session.manager.close().await;
}

#[tokio::test]
async fn what_would_be_written_over_is_not_opened_again() {
    let stage = Stage::new();
    stage.card.0.once.store(true, Ordering::SeqCst);
    stage.session.play(project("dc")).await;
    stage.vanish().await;
    stage.card.plug_in();
    stage.looking.advance(Duration::from_secs(3600));
    assert_eq!(stage.card.opened(), 1);
    stage.session.manager.close().await;
}

#[tokio::test]
async fn when_the_second_device_goes_away_as_well_it_plays_to_nobody() {
    let (first, second) = (Card::default(), Card::default());
    let engine = AudioEngine::new(Arc::new(first.clone())).or_on(Arc::new(second.clone()));
    let session = Session::new([Arc::new(engine) as Arc<dyn EngineFactory>]);
    session.play(project("ramp")).await;
    first.play(10);
    first.vanish();
    let mut playing = session.console.playing();
    let fits = |playing: &Option<Playing>| playing.as_ref().is_some_and(|playing| playing.degraded.is_some());
    playing.wait_for(fits).await.unwrap();
    check_samples(&second.play(10), &offline(&project("ramp"), 20)[20..]);
    second.vanish();
    let nowhere = |playing: &Option<Playing>| {
        playing.as_ref().is_some_and(|playing| playing.device.as_deref() == Some("null device, keeping time"))
    };
    playing.wait_for(nowhere).await.unwrap();
    assert!(!first.is_open() && !second.is_open());
    session.manager.close().await;
}
