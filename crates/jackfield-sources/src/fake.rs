use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::{
    error::SourceError,
    source::{Document, Origin, Source, Update},
};

/// A source for tests: delivers what its [`FakePusher`] pushes, and ends when the last pusher is dropped.
#[derive(Debug)]
pub struct FakeSource {
    origin: Origin,
    latest: watch::Receiver<Option<Update>>,
}

/// The other end of a [`FakeSource`]. A handle: clone it freely.
#[derive(Clone, Debug)]
pub struct FakePusher {
    origin: Origin,
    latest: watch::Sender<Option<Update>>,
}

impl FakeSource {
    /// A source with nothing in it, and the end to push into.
    pub fn pair(name: &str) -> (FakePusher, Self) {
        let (sender, receiver) = watch::channel(None);
        let origin = Origin::Named(name.to_owned());
        (FakePusher { origin: origin.clone(), latest: sender }, Self { origin, latest: receiver })
    }
}

impl Source for FakeSource {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn next(&mut self) -> BoxFuture<'_, Option<Update>> {
        Box::pin(async {
            self.latest.changed().await.ok()?;
            self.latest.borrow_and_update().clone()
        })
    }
}

impl FakePusher {
    /// Makes `text` what the source delivers next, in place of anything not yet delivered.
    pub fn push(&self, text: &str) {
        self.send(Ok(Document { origin: self.origin.clone(), text: text.to_owned() }));
    }

    /// Makes `error` what the source delivers next, in place of anything not yet delivered.
    pub fn push_error(&self, error: SourceError) {
        self.send(Err(error));
    }

    /// Whether the source is still there to deliver.
    pub fn is_connected(&self) -> bool {
        !self.latest.is_closed()
    }

    /// Waits until the source has been dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn disconnected(&self) {
        self.latest.closed().await;
    }

    fn send(&self, update: Update) {
        // The replaced update comes out of the channel's lock before it is dropped.
        drop(self.latest.send_replace(Some(update)));
    }
}
