//! The devices of an engine: the one it should play on, and what takes its place while that is not there.

use crate::causes::chain;
use crate::console::Console;
use crate::device::{Clock, Device, DeviceError, NullDevice, Stream, StreamFormat, StreamSetup};
use crate::engine::audio::bell::{Bell, Rung};
use crate::engine::audio::lent::{Home, Lent};
use crate::engine::audio::{AudioEngine, Devices};
use crate::events::{EngineEvent, EventDispatcher};
use crate::realtime::Processor;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How often is looked whether a device is there again. No system says so through the same few functions.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Who is told where it plays.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) console: Console,
    pub(super) events: EventDispatcher,
}

/// A processor that plays somewhere, with nobody looking after that yet.
pub(super) struct Outlet {
    devices: Devices,
    format: StreamFormat,
    home: Home,
    bell: Bell,
    told: Told,
    place: Place,
    stream: Option<Box<dyn Stream>>,
    /// The number of the stream that plays, and the last one given.
    current: u64,
    streams: u64,
    over: Arc<AtomicBool>,
    /// Why it does not play where it should.
    degraded: Option<String>,
}

/// Where it plays: the further down, the less it is what was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Otherwise,
    /// On a clock, heard by nobody.
    Nowhere,
    /// Not even there.
    Over,
}

/// Looks after the device of an engine that plays. Dropping it ends the playing, without waiting for that.
pub(super) struct Caretaker {
    bell: Bell,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Outlet {
    /// Plays on the first device, or on the one that takes its place at the start. May block for as long as the devices do.
    pub(super) fn open(
        devices: Devices,
        format: StreamFormat,
        processor: Box<Processor>,
        told: Told,
    ) -> Result<Self, DeviceError> {
        let mut outlet = Self {
            devices,
            format,
            home: Home::new(),
            bell: Bell::default(),
            told,
            place: Place::First,
            stream: None,
            current: 0,
            streams: 0,
            over: Arc::default(),
            degraded: None,
        };
        let Err(error) = outlet.play_on(Place::First, processor) else { return Ok(outlet) };
        // The device has dropped what it was lent, so it has come home.
        let Some(otherwise) = outlet.devices.otherwise.clone() else { return Err(error) };
        let Some(processor) = outlet.home.take() else { return Err(error) };
        let (name, reason) = (otherwise.name(), chain(&error));
        tracing::warn!(target: "jackfield::engine", "{reason}; playing on the {name}");
        outlet.play_on(Place::Otherwise, processor)?;
        outlet.degraded = Some(reason);
        Ok(outlet)
    }

    /// The name of the device it plays on, and why it is not the first, if it is not.
    pub(super) fn place(&self) -> (String, Option<String>) {
        let name = self.device(self.place).map_or_else(String::new, |device| device.name());
        (name, self.degraded.clone())
    }

    /// Has somebody look after it from now on.
    pub(super) fn look_after(mut self, clock: Arc<dyn Clock>) -> io::Result<Caretaker> {
        let (bell, over) = (self.bell.clone(), Arc::clone(&self.over));
        if let Some(reason) = &self.degraded {
            let (engine, reason) = (AudioEngine::ID, reason.clone());
            let device = self.place().0;
            self.told.events.dispatch(EngineEvent::Degraded { engine, device, reason });
        }
        let thread = Builder::new().name("jackfield-outlet".to_owned());
        let thread = thread.spawn(move || self.attend(&*clock))?;
        Ok(Caretaker { bell, over, thread: Some(thread) })
    }

    fn attend(&mut self, clock: &dyn Clock) {
        loop {
            let looks =
                self.place != Place::First && self.place != Place::Over && self.devices.first.comes_back();
            let deadline = if looks { clock.now() + LOOK_EVERY } else { Duration::MAX };
            match self.bell.wait(clock, deadline) {
                Rung::Stop => return,
                Rung::Lost(stream, reason) if stream == self.current => self.give_way(reason),
                // It plays no more anyway.
                Rung::Lost(..) => {}
                Rung::Time => self.look(),
            }
        }
    }

    /// The device is gone: plays on, from the frame where it ended, on what takes its place.
    fn give_way(&mut self, reason: String) {
        tracing::error!(target: "jackfield::engine", "The device is gone: {reason}");
        while let Some(processor) = self.stop_stream() {
            let next = match self.place {
                Place::First if self.devices.otherwise.is_some() => Place::Otherwise,
                Place::First | Place::Otherwise => Place::Nowhere,
                // Time itself does not get lost: what plays is what breaks.
                Place::Nowhere | Place::Over => {
                    self.home.keep(processor);
                    break;
                }
            };
            match self.play_on(next, processor) {
                Ok(()) => {
                    self.degraded = Some(reason.clone());
                    self.tell();
                    return;
                }
                Err(error) => {
                    tracing::warn!(target: "jackfield::engine", "{}", chain(&error));
                    self.place = next;
                }
            }
        }
        self.place = Place::Over;
        self.over.store(true, Ordering::Release);
        self.told.events.dispatch(EngineEvent::Faulted { engine: AudioEngine::ID, reason: reason.clone() });
        self.told.console.set_fault(Some(reason));
    }

    /// Looks whether the first device can be had, and plays there again if so.
    ///
    /// It is opened silent, and what plays goes there when it has left where it was: while a device is slow to answer the
    /// program goes on, and never do two of them play it.
    fn look(&mut self) {
        let (seat, way) = self.home.seat();
        let first = Arc::clone(&self.devices.first);
        let (number, stream) = match self.open_stream(&*first, seat) {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(target: "jackfield::engine", "Still: {}", chain(&error));
                return;
            }
        };
        if self.bell.is_stopped() {
            stopped(stream);
            return;
        }
        let Some(processor) = self.stop_stream() else {
            stopped(stream);
            return self.give_way("the device before it did not let go of the program".to_owned());
        };
        self.home.send(processor, way);
        (self.place, self.current, self.stream, self.degraded) = (Place::First, number, Some(stream), None);
        self.tell();
    }

    /// Says where it plays now.
    fn tell(&self) {
        let (engine, (device, degraded)) = (AudioEngine::ID, self.place());
        self.told.console.set_device(&engine, device.clone(), degraded.clone());
        let event = match degraded {
            Some(reason) => EngineEvent::Degraded { engine, device, reason },
            None => {
                tracing::info!(target: "jackfield::engine", "The {device} is there, and plays");
                EngineEvent::Restored { engine, device }
            }
        };
        self.told.events.dispatch(event);
    }

    fn device(&self, place: Place) -> Option<Arc<dyn Device>> {
        match place {
            Place::First => Some(Arc::clone(&self.devices.first)),
            Place::Otherwise => self.devices.otherwise.clone(),
            Place::Nowhere => Some(Arc::new(NullDevice::new())),
            Place::Over => None,
        }
    }

    fn play_on(&mut self, place: Place, processor: Box<Processor>) -> Result<(), DeviceError> {
        let lent = self.home.lend(processor);
        let Some(device) = self.device(place) else { return Ok(()) };
        let (number, stream) = self.open_stream(&*device, lent)?;
        (self.place, self.current, self.stream) = (place, number, Some(stream));
        Ok(())
    }

    fn open_stream(
        &mut self,
        device: &dyn Device,
        lent: Lent,
    ) -> Result<(u64, Box<dyn Stream>), DeviceError> {
        self.streams += 1;
        let (number, bell) = (self.streams, self.bell.clone());
        let setup = StreamSetup {
            format: self.format,
            render: Box::new(lent),
            load: self.told.console.load().probe(),
            lost: Box::new(move |error| bell.lost(number, chain(error))),
        };
        Ok((number, device.open(setup)?))
    }

    /// Stops what plays; returns the processor, unless the device keeps it against the rules.
    fn stop_stream(&mut self) -> Option<Box<Processor>> {
        if let Some(stream) = self.stream.take() {
            stopped(stream);
        }
        self.home.take()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        // The tape outlives the engine: the next one takes it.
        let tape = self.stop_stream().and_then(|processor| processor.into_parts().1);
        if let Some(tape) = tape {
            self.told.console.give_writer(tape);
        }
    }
}

fn stopped(stream: Box<dyn Stream>) {
    if let Err(error) = stream.stop() {
        tracing::error!(target: "jackfield::engine", "The device stopped badly: {}", chain(&error));
    }
}

impl Caretaker {
    /// Whether nothing plays any more, though it should.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Ends the playing; returns when the device is released, and the tape is back on the console.
    pub(super) fn finish(mut self) {
        self.bell.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(target: "jackfield::engine", "The thread that looks after the device panicked");
        }
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        self.bell.stop();
    }
}
