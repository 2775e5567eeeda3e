//! Who answers a request, and what it is when nobody does.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use jackfield::{BoxError, Bus, Envelope, Priority, Remedy, Request, RequestError};

#[derive(Debug, Default)]
struct Find(String);

impl Request for Find {
    type Response = String;
}

/// The same question with an answer of another type is another request.
struct FindPerhaps;

impl Request for FindPerhaps {
    type Response = Option<String>;

    fn when_conceded(self) -> Option<Option<String>> {
        Some(None)
    }
}

#[tokio::test]
async fn requests_are_keyed_by_exactly_their_type() {
    // R-REQ-01
    let bus = Bus::new();
    let _perhaps = bus.on_request(|_: &mut Envelope<FindPerhaps>| Some(Some("jack".to_owned()))).unwrap();
    assert_eq!(bus.request(FindPerhaps).await.unwrap().as_deref(), Some("jack"));
    assert!(matches!(
        bus.request(Find::default()).await,
        Err(RequestError::NotWired { mismatch: false, .. })
    ));
}

#[test]
fn a_type_may_be_event_and_request_without_the_two_meeting() {
    // R-REQ-01
    let bus = Bus::new();
    let _event = bus.on(|find: &mut Envelope<Find>| find.0.push_str("heard")).unwrap();
    let _request = bus.on_request(|_: &mut Envelope<Find>| Some("answered".to_owned())).unwrap();
    assert_eq!(bus.emit_sync(Find::default()).unwrap().0, "heard");
    assert_eq!(bus.request_sync(Find::default()).unwrap(), "answered");
}

#[test]
fn the_first_claim_ends_the_dispatch() {
    // R-REQ-02, R-REQ-03
    let bus = Bus::new();
    let asked = Arc::new(AtomicU32::new(0));
    let counting = Arc::clone(&asked);
    let high = bus.handler().priority(Priority::HIGH);
    let _concedes = high.on_request(|_: &mut Envelope<Find>| None).unwrap();
    let _claims = bus.on_request(|_: &mut Envelope<Find>| Some("first".to_owned())).unwrap();
    let _never = bus.on_request(move |_: &mut Envelope<Find>| {
        counting.fetch_add(1, Ordering::Relaxed);
        Some("second".to_owned())
    });
    assert_eq!(bus.request_sync(Find::default()).unwrap(), "first");
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[test]
fn addressed_handlers_are_asked_after_general_ones_of_equal_priority() {
    // R-REQ-02
    let bus = Bus::new();
    let answer = |text: &'static str| move |_: &mut Envelope<Find>| Some(text.to_owned());
    let _addressed = bus.handler().identifier("x").on_request(answer("addressed")).unwrap();
    let general = bus.on_request(answer("general")).unwrap();
    let ask = || bus.inquiry(Find::default()).to("x").send_sync().unwrap();
    assert_eq!(ask(), "general");
    drop(general);
    assert_eq!(ask(), "addressed");
}

#[tokio::test]
async fn a_failing_handler_ends_the_chain_and_its_error_reaches_the_caller() {
    // R-REQ-02, R-REQ-08
    let bus = Bus::new();
    let _fails = bus
        .handler()
        .owner("index")
        .on_request(|_: &mut Envelope<Find>| -> Result<Option<String>, BoxError> {
            Err(std::io::Error::other("unreadable").into())
        })
        .unwrap();
    let _never = bus.on_request(|_: &mut Envelope<Find>| Some(String::new())).unwrap();
    for error in [
        bus.request(Find::default()).await.unwrap_err(),
        bus.request_sync(Find::default()).unwrap_err(),
        bus.request_optional(Find::default()).await.unwrap_err(),
        bus.request_optional_sync(Find::default()).unwrap_err(),
    ] {
        assert!(!error.is_unanswered());
        assert!(error.to_string().contains("`index`"), "{error}");
        assert!(error.into_failure().unwrap().is::<std::io::Error>());
    }
}

#[test]
fn a_panicking_handler_is_named_and_the_bus_goes_on() {
    let bus = Bus::new();
    let broken = bus.handler().owner("index");
    let broken = broken.on_request(|_: &mut Envelope<Find>| -> Option<String> { panic!("broke") }).unwrap();
    let error = bus.request_optional_sync(Find::default()).unwrap_err();
    assert!(matches!(&error, RequestError::Panicked { handler, .. } if handler.owner() == Some("index")));
    drop(broken);
    assert!(bus.request_optional_sync(Find::default()).unwrap().is_none());
}

#[test]
fn with_nobody_to_ask_a_request_is_not_wired() {
    // R-REQ-04
    let bus = Bus::new();
    let error = bus.inquiry(Find::default()).to("x").send_sync().unwrap_err();
    let RequestError::NotWired { request, response, identifier, mismatch } = error else {
        panic!("{error:?}")
    };
    assert!(request.ends_with("Find") && response.ends_with("String"));
    assert_eq!((identifier.as_deref(), mismatch), (Some("x"), false));
}

#[test]
fn with_handlers_for_other_addresses_only_it_is_a_mismatch() {
    // R-REQ-05
    let bus = Bus::new();
    let _left = bus.handler().identifier("left").on_request(|_: &mut Envelope<Find>| Some(String::new()));
    for inquiry in [bus.inquiry(Find::default()), bus.inquiry(Find::default()).to("right")] {
        let error = inquiry.send_sync().unwrap_err();
        assert!(matches!(error, RequestError::NotWired { mismatch: true, .. }), "{error:?}");
    }
}

#[test]
fn when_all_concede_the_error_says_what_to_do() {
    // R-REQ-06, R-REQ-09
    let bus = Bus::new();
    let _concedes = bus.on_request(|_: &mut Envelope<Find>| None).unwrap();
    let error = bus.inquiry(Find::default()).to("x").send_sync().unwrap_err();
    assert!(error.is_unanswered());
    let RequestError::AllConceded { identifier, remedy, .. } = error else { panic!("{error:?}") };
    assert_eq!((identifier.as_deref(), remedy), (Some("x"), Remedy::RequestOptional));
}

#[test]
fn a_request_may_know_what_it_comes_to_when_all_concede() {
    // R-REQ-07
    let bus = Bus::new();
    let concedes = bus.on_request(|_: &mut Envelope<FindPerhaps>| None).unwrap();
    assert_eq!(bus.request_sync(FindPerhaps).unwrap(), None);
    drop(concedes);
    assert!(bus.request_sync(FindPerhaps).unwrap_err().is_unanswered());
}

#[tokio::test]
async fn an_optional_request_is_none_for_exactly_the_two_kinds_of_no_answer() {
    // R-REQ-08
    let bus = Bus::new();
    assert_eq!(bus.request_optional(Find::default()).await.unwrap(), None);
    let _concedes = bus.on_request(|_: &mut Envelope<Find>| None).unwrap();
    assert_eq!(bus.request_optional(Find::default()).await.unwrap(), None);
    assert_eq!(bus.request_optional_sync(Find::default()).unwrap(), None);
    let _claims = bus.on_request(|_: &mut Envelope<Find>| Some("here".to_owned())).unwrap();
    assert_eq!(bus.request_optional_sync(Find::default()).unwrap().as_deref(), Some("here"));
}

#[tokio::test]
async fn async_handlers_claim_concede_and_fail_as_well() {
    // R-REQ-02
    let bus = Bus::new();
    let _concedes = bus.on_request_async(|_: &mut Envelope<Find>| Box::pin(async { None })).unwrap();
    let _claims = bus
        .on_request_async(|find: &mut Envelope<Find>| {
            Box::pin(async move {
                tokio::task::yield_now().await;
                if find.0.is_empty() {
                    return Err("what?".into());
                }
                Ok(Some(find.0.to_uppercase()))
            })
        })
        .unwrap();
    assert_eq!(bus.request(Find("jack".into())).await.unwrap(), "JACK");
    assert!(matches!(bus.request(Find::default()).await, Err(RequestError::Failed { .. })));
}

#[test]
fn a_sync_request_fails_at_an_async_handler_but_only_if_it_comes_to_it() {
    // R-REQ-10
    let bus = Bus::new();
    let high = bus.handler().priority(Priority::HIGH);
    let claims = high.on_request(|_: &mut Envelope<Find>| Some("sync".to_owned())).unwrap();
    let _waits = bus.on_request_async(|_: &mut Envelope<Find>| Box::pin(async { None })).unwrap();
    assert_eq!(bus.request_sync(Find::default()).unwrap(), "sync");
    drop(claims);
    assert!(matches!(bus.request_sync(Find::default()), Err(RequestError::Asynchronous { .. })));
    assert!(matches!(bus.request_optional_sync(Find::default()), Err(RequestError::Asynchronous { .. })));
}

#[test]
fn a_conceding_handler_may_rewrite_the_request_and_cannot_stop_it() {
    // R-REQ-11
    let bus = Bus::new();
    let _rewrites = bus
        .on_request(|find: &mut Envelope<Find>| {
            find.stop(Find("rewritten".to_owned()));
            None
        })
        .unwrap();
    let _echo = bus.on_request(|find: &mut Envelope<Find>| Some(find.0.clone())).unwrap();
    assert_eq!(bus.request_sync(Find::default()).unwrap(), "rewritten");
}

#[test]
fn the_probe_knows_who_would_be_asked() {
    // R-REQ-12, F-28
    let bus = Bus::new();
    let probe =
        || (bus.has_handler::<Find>(), bus.has_handler_for::<Find>("x"), bus.has_handler_for::<Find>("y"));
    assert_eq!(probe(), (false, false, false));
    let x = bus.handler().identifier("x").on_request(|_: &mut Envelope<Find>| None).unwrap();
    assert_eq!(probe(), (false, true, false));
    let _general = bus.on_request(|_: &mut Envelope<Find>| None).unwrap();
    assert_eq!(probe(), (true, true, true));
    drop(x);
    assert_eq!(probe(), (true, true, true));
}

#[test]
fn after_the_last_handler_has_gone_a_request_is_not_wired_again() {
    // R-REQ-13
    let bus = Bus::new();
    let only = bus.on_request(|_: &mut Envelope<Find>| Some(String::new())).unwrap();
    bus.request_sync(Find::default()).unwrap();
    only.cancel();
    assert!(matches!(bus.request_sync(Find::default()), Err(RequestError::NotWired { mismatch: false, .. })));
}

#[test]
fn a_request_within_a_handler_of_the_same_request_is_answered() {
    let bus = Bus::new();
    let inner = bus.clone();
    let _recursive = bus
        .on_request(move |find: &mut Envelope<Find>| {
            let Some(rest) = find.0.strip_prefix('.') else { return Some("found".to_owned()) };
            inner.request_sync(Find(rest.to_owned())).ok().map(|found| format!("{found}!"))
        })
        .unwrap();
    assert_eq!(bus.request_sync(Find("...".to_owned())).unwrap(), "found!!!");
    bus.close();
}
