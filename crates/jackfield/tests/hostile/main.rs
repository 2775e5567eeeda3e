//! Plugins that do what nobody expects: whatever they call works or is a typed error, in bounded time, and whatever
//! they break is theirs alone.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::{
    pin::pin,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use jackfield::{PluginRuntime, RuntimeSettings};

mod declarations;
mod drops;
mod everything;
mod goodbyes;
mod hangups;
mod sessions;
mod undo;

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

/// Where a plugin finds the runtime it lives in, once there is one.
type Handle = Arc<Mutex<Option<PluginRuntime>>>;

/// Runs a test on a thread of its own, with a clock that skips what nobody needs. A deadlock cannot be timed out from
/// within.
#[track_caller]
fn bounded<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let running = thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap().block_on(test());
        done.send(()).unwrap();
    });
    match ended.recv_timeout(Duration::from_secs(60)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("still waiting after a minute"),
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => running.join().unwrap(),
    }
}

/// Waits as code does that cannot await: in a builder, or in a destructor.
fn block<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Waits until nothing moves any more: the clock is paused, and goes on only then.
async fn quiet() {
    tokio::time::sleep(Duration::from_secs(86_400)).await;
}

/// Panics when it is dropped.
#[derive(Debug)]
struct Bomb(&'static str);
impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{} went off", self.0);
    }
}
