//! A thread that ends when it is told to.

use crate::device::Stop;
use std::io;
use std::thread::{self, Builder, JoinHandle};

/// A thread of our own. Dropping it tells it to end, without waiting.
#[derive(Debug)]
pub(crate) struct Thread<T = ()> {
    stop: Stop,
    handle: Option<JoinHandle<T>>,
}

impl<T: Send + 'static> Thread<T> {
    /// Runs `run`, which looks now and then whether it is to stop.
    pub(crate) fn spawn(name: &str, run: impl FnOnce(&Stop) -> T + Send + 'static) -> io::Result<Self> {
        let stop = Stop::new();
        let told = stop.clone();
        let handle = Builder::new().name(name.to_owned()).spawn(move || run(&told))?;
        Ok(Self { stop, handle: Some(handle) })
    }
}

impl<T> Thread<T> {
    /// Tells it to end, and waits for that; an error means that it panicked.
    pub(crate) fn finish(mut self) -> thread::Result<T> {
        self.stop.set();
        match self.handle.take() {
            Some(handle) => handle.join(),
            None => Err(Box::new("it was waited for already")),
        }
    }
}

impl<T> Drop for Thread<T> {
    fn drop(&mut self) {
        self.stop.set();
    }
}
