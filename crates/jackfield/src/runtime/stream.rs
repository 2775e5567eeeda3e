use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::Stream;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use crate::settings::RuntimeSettings;

/// The settings that come into force, one after the other. See [`PluginRuntime::settings_stream`](super::PluginRuntime::settings_stream).
#[must_use = "a stream does nothing unless it is polled"]
pub struct SettingsStream(Option<BroadcastStream<Arc<RuntimeSettings>>>);

impl SettingsStream {
    /// What is sent from now on; `None` once nobody sends any more.
    pub(super) fn of(sender: Option<&broadcast::Sender<Arc<RuntimeSettings>>>) -> Self {
        Self(sender.map(|sender| BroadcastStream::new(sender.subscribe())))
    }

    /// The next settings, or `None` once the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<Arc<RuntimeSettings>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for SettingsStream {
    type Item = Arc<RuntimeSettings>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = &mut self.0 else { return Poll::Ready(None) };
        loop {
            match ready!(Pin::new(&mut *stream).poll_next(cx)) {
                Some(Ok(settings)) => return Poll::Ready(Some(settings)),
                Some(Err(_)) => {} // fell behind: go on with the oldest that is still there
                None => return Poll::Ready(None),
            }
        }
    }
}

impl fmt::Debug for SettingsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsStream").finish_non_exhaustive()
    }
}
