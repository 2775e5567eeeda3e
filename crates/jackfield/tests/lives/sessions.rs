use std::sync::Arc;

use jackfield::{NewSession, prelude::*};
use jackfield_testkit::{Diary, Probe};

use crate::cast::{Beat, Handle, Part, fails, open, settings, start};

#[tokio::test]
async fn a_session_is_seen_by_nobody_until_all_have_attached() {
    // R-SES-04
    let (diary, handle) = (Diary::default(), Handle::default());
    let (heard, looks) = (diary.clone(), Arc::clone(&handle));
    let part = Part::new("a").attaches(move |cx| {
        let heard = heard.clone();
        cx.on(move |_: &mut Envelope<Beat>| heard.write("beat"));
        let runtime: &PluginRuntime = looks.get().ok_or("no runtime yet")?;
        if runtime.sessions().is_empty() && runtime.status().scopes.len() == 1 {
            Ok(())
        } else {
            fails("it is seen too early")
        }
    });
    let runtime = start(vec![part], "").await;
    handle.set(runtime.clone()).unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    assert_eq!(runtime.sessions().len(), 1);
    assert_eq!(runtime.broadcast(1).await.len(), 1);
}

#[tokio::test]
async fn all_others_are_tried_when_one_fails_to_attach_and_nothing_of_the_session_remains() {
    // R-SES-05
    let (diary, kept) = (Diary::default(), Arc::new(std::sync::Mutex::new(None)));
    let keeps = Arc::clone(&kept);
    let parts = vec![
        Part::noted(Manifest::new("a"), &diary),
        Part::noted(Manifest::new("b"), &diary).attaches(move |cx| {
            *keeps.lock().unwrap() = Some(cx.bus().clone());
            fails("no")
        }),
        Part::noted(Manifest::new("c"), &diary),
    ];
    let runtime = start(parts, "").await;
    runtime.create_session("one").await.unwrap_err();
    assert_eq!(diary.take(), "+a +b -b +c -c -a");
    assert!(runtime.sessions().is_empty());
    assert!(kept.lock().unwrap().as_ref().unwrap().is_closed());
}

#[tokio::test]
async fn whoever_says_goodbye_may_still_be_heard() {
    // R-SES-09
    let part = Part::new("a").detaches(|cx| {
        cx.bus().emit_sync(Beat)?;
        Ok(())
    });
    let (_runtime, session) = open(vec![part], "").await;
    let diary = Diary::default();
    let hears = diary.clone();
    session.bus().on(move |_: &mut Envelope<Beat>| hears.write("goodbye")).unwrap().until_closed();
    let report = session.close().await.unwrap();
    assert_eq!((diary.take().as_str(), report.failures.len()), ("goodbye", 0));
}

#[tokio::test]
async fn a_session_shows_the_settings_that_are_in_force_in_it_now() {
    // R-SES-10, R-SET-06, R-TST-06, F-41, J-03
    let diary = Diary::default();
    let runtime = PluginRuntime::builder().plugin(Probe::new("a", &diary)).init().await.unwrap();
    let over = settings("plugins.a.config.y = 1");
    let one = runtime.create_session(NewSession::new("one", ()).overlay(over.clone())).await.unwrap();
    let two = runtime.create_session("two").await.unwrap();
    let next = settings("plugins.a.enabled = false");
    runtime.update_settings(next.clone()).await.unwrap();
    assert_eq!(*two.settings(), next);
    assert_eq!(*one.settings(), next.overlaid(&over));
    one.update_overlay(RuntimeSettings::default()).await.unwrap();
    assert_eq!(*one.settings(), next);
}

#[tokio::test]
async fn what_a_host_subscribes_to_ends_with_the_session_at_the_latest() {
    // R-SES-11
    let (_runtime, session) = open(vec![], "").await;
    let bus = session.bus().clone();
    let held = bus.on(|_: &mut Envelope<Beat>| ()).unwrap();
    bus.on(|_: &mut Envelope<Beat>| ()).unwrap().until_closed();
    drop(session.close().await.unwrap());
    assert_eq!(bus.subscriptions(), 0);
    drop(held); // late, and harmless
    assert!(bus.on(|_: &mut Envelope<Beat>| ()).is_err());
}

#[tokio::test]
async fn the_list_of_sessions_is_in_the_order_of_their_creation_and_nobody_elses_to_change() {
    // R-SES-12, F-34
    let runtime = start(vec![], "").await;
    let names =
        || runtime.sessions().iter().map(|scope| scope.name().to_string()).collect::<Vec<_>>().join(", ");
    let (_c, a) = (runtime.create_session("c").await.unwrap(), runtime.create_session("a").await.unwrap());
    let _b = runtime.create_session("b").await.unwrap();
    runtime.sessions().clear();
    assert_eq!(names(), "session `c`, session `a`, session `b`");
    drop(a.close().await.unwrap());
    assert_eq!(names(), "session `c`, session `b`");
}

#[tokio::test]
async fn an_overlay_goes_to_its_own_runtime_whatever_others_there_are() {
    // R-SES-13
    let (mine, session) = open(vec![Part::new("a")], "").await;
    let (other, _theirs) = open(vec![Part::new("a")], "").await;
    let before = other.status();
    session.update_overlay(settings("plugins.a.enabled = false")).await.unwrap();
    assert!(mine.session_running(&PluginId::new("a")).is_none());
    assert_eq!(other.status(), before);
}

#[tokio::test]
async fn a_plugin_added_later_is_detached_with_the_session_like_any_other() {
    // F-22
    let diary = Diary::default();
    let (runtime, session) = open(vec![Part::noted(Manifest::new("a"), &diary)], "").await;
    runtime.add_plugin(Part::noted(Manifest::new("b"), &diary)).await.unwrap();
    diary.take();
    drop(session.close().await.unwrap());
    assert_eq!(diary.take(), "-b -a");
}
