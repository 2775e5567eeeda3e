//! The source that tests use keeps the promises of the real ones.

#![allow(clippy::unwrap_used, reason = "tests may, in their helpers too")]

use std::{io, sync::Arc};

use futures_util::FutureExt;
use jackfield_sources::{FakeSource, Source, SourceError};

async fn text(source: &mut dyn Source) -> String {
    source.next().await.unwrap().unwrap().text
}

#[tokio::test]
async fn what_is_pushed_comes_out() {
    let (pusher, mut source) = FakeSource::pair("settings");
    pusher.push("one");
    assert_eq!(text(&mut source).await, "one");
    pusher.push("two");
    assert_eq!(text(&mut source).await, "two");
}

#[tokio::test]
async fn only_the_latest_text_is_delivered() {
    let (pusher, mut source) = FakeSource::pair("settings");
    for pushed in ["one", "two", "three"] {
        pusher.push(pushed);
    }
    assert_eq!(text(&mut source).await, "three");
    assert!(source.next().now_or_never().is_none());
}

#[tokio::test]
async fn an_error_comes_out_in_its_turn() {
    let (pusher, mut source) = FakeSource::pair("settings");
    let cause: Arc<io::Error> = Arc::new(io::ErrorKind::PermissionDenied.into());
    pusher.push_error(SourceError::Failed { origin: "settings".to_owned(), source: cause });
    let error = source.next().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "cannot read `settings`");
}

#[tokio::test]
async fn the_source_ends_with_its_last_pusher_but_not_before_the_last_text() {
    let (pusher, mut source) = FakeSource::pair("settings");
    let other = pusher.clone();
    drop(pusher);
    other.push("last");
    drop(other);
    assert_eq!(text(&mut source).await, "last");
    assert!(source.next().await.is_none());
}

#[tokio::test]
async fn a_pusher_sees_that_its_source_is_gone() {
    let (pusher, source) = FakeSource::pair("settings");
    assert!(pusher.is_connected());
    drop(source);
    pusher.disconnected().await;
    assert!(!pusher.is_connected());
}

#[tokio::test]
async fn a_document_names_its_origin() {
    let (pusher, mut source) = FakeSource::pair("settings");
    pusher.push("text");
    let document = source.next().await.unwrap().unwrap();
    assert_eq!(document.origin.to_string(), "settings");
    assert_eq!(document.origin.path(), None);
}
