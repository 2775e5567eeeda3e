use std::sync::Arc;

use jackfield::{ChangeError, Context, Hook, HookError, Request, Service, prelude::*};
use jackfield_testkit::{Diary, Probe};

use crate::cast::{Beat, Note, OutOfTune, Part, Player, open, player, settings};

const ONE: Slot<Player> = Slot::new("one");
const TWO: Slot<Player> = Slot::new("two");
const THREE: Slot<Player> = Slot::new("three");

/// Offers three players, and notes its own life.
fn band(diary: &Diary) -> Part {
    let players = diary.clone();
    Part::noted(Manifest::new("band"), diary).registers(move |services| {
        player(services, ONE, "one", &players);
        player(services, TWO, "two", &players);
        player(services, THREE, "three", &players);
    })
}

/// Notes how much its context holds when it begins and when it ends.
struct Counting(Diary);
impl Service for Counting {
    fn attach(&self, cx: &Context) -> PluginResult {
        self.0.write(format!("+{}", cx.held()));
        cx.on(|_: &mut Envelope<Beat>| ());
        cx.hold("something");
        Ok(())
    }
    async fn detach(&self, cx: &Context) -> PluginResult {
        self.0.write(format!("-{}", cx.held()));
        Ok(())
    }
}

#[tokio::test]
async fn a_service_has_its_context_from_attach_to_detach_and_finds_it_empty_each_time() {
    // R-STF-01
    const COUNTING: Slot<Counting> = Slot::new("counting");
    let diary = Diary::default();
    let counting = diary.clone();
    let part = Part::new("a").registers(move |services| {
        let diary = counting.clone();
        services
            .provide(COUNTING)
            .stateful(move |_| Ok(Arc::new(Counting(diary.clone()))), |service| service);
    });
    let (runtime, session) = open(vec![part], "").await;
    for toml in ["services.'a:counting'.enabled = false", ""] {
        runtime.update_settings(settings(toml)).await.unwrap();
    }
    drop(session.close().await.unwrap());
    assert_eq!(diary.take(), "+0 -2 +0 -2");
}

#[tokio::test]
async fn services_begin_as_they_were_declared_and_end_in_the_exact_reverse() {
    // R-STF-05, R-STF-15, J-01
    let diary = Diary::default();
    // Somebody else names the slots first, in another order.
    let early = Probe::new("early", &Diary::default());
    let runtime = PluginRuntime::builder().plugin(early).plugin(band(&diary)).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(diary.take(), "+one +two +three +band");
    drop(session.close().await.unwrap());
    assert_eq!(diary.take(), "-band -three -two -one");
}

#[tokio::test]
async fn one_that_fails_to_attach_keeps_no_other_from_it_and_each_failure_is_told_as_it_was() {
    // R-STF-03, R-STF-04, R-STF-14, R-ERR-03, R-ERR-05
    let diary = Diary::default();
    let band = band(&diary).attaches(|_| Err(OutOfTune("band").into()));
    let runtime = PluginRuntime::builder().plugin(band).init().await.unwrap();
    diary.note("one");
    diary.note("three");
    let error = runtime.create_session("one").await.unwrap_err();
    let ChangeError::Reverted { failures } = error else { panic!("{error}") };
    let told = failures.iter().map(|failure| {
        let HookError::Failed(cause) = &failure.error else { panic!("{failure}") };
        let slot = failure.slot.as_ref().map(jackfield::SlotId::as_str);
        (slot, failure.hook, cause.downcast_ref::<OutOfTune>().unwrap().0)
    });
    let expected = [
        (Some("one"), Hook::Attach, "one"),
        (Some("three"), Hook::Attach, "three"),
        (None, Hook::Attach, "band"),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    // The plugin is asked to clean up after itself; a service that did not begin has nothing to end.
    assert_eq!(diary.take(), "+one +two +three +band -band -two");
}

struct Fragile(Diary, &'static str);
impl Drop for Fragile {
    fn drop(&mut self) {
        self.0.write(self.1);
        if self.1 != "solid" {
            panic!("{} broke", self.1);
        }
    }
}

#[tokio::test]
async fn all_that_is_kept_ends_last_in_first_out_also_where_some_of_it_fails_to() {
    // R-STF-06
    let diary = Diary::default();
    let keeper = diary.clone();
    let part = Part::new("a").attaches(move |cx| {
        ["glass", "solid", "china"].into_iter().for_each(|what| cx.hold(Fragile(keeper.clone(), what)));
        Ok(())
    });
    let (_runtime, session) = open(vec![part], "").await;
    let report = session.close().await.unwrap();
    assert_eq!(diary.take(), "china solid glass");
    let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert_eq!(
        failures,
        [
            "plugin `a` failed to release in session `one`: it panicked: china broke",
            "plugin `a` failed to release in session `one`: it panicked: glass broke",
        ]
    );
}

/// Subscribes, observes, keeps and spawns while it says goodbye.
fn cling(cx: &Context) -> PluginResult {
    cx.on(|_: &mut Envelope<Beat>| ());
    cx.hold(cx.bus().observe(|_| ())?);
    cx.spawn(std::future::pending());
    Ok(())
}

struct Clinging;
impl Service for Clinging {
    async fn detach(&self, cx: &Context) -> PluginResult {
        cling(cx)
    }
}

#[tokio::test]
async fn what_is_begun_while_saying_goodbye_ends_too() {
    // R-STF-07, R-STF-08, R-STF-09, F-29
    const CLINGING: Slot<Clinging> = Slot::new("clinging");
    let part = Part::new("a")
        .registers(|services| {
            services.provide(CLINGING).stateful(|_| Ok(Arc::new(Clinging)), |service| service);
        })
        .detaches(cling);
    let (runtime, session) = open(vec![part], "").await;
    let report = runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap();
    assert_eq!((session.bus().subscriptions(), report.failures.len()), (0, 0));
}

struct Question;
impl Request for Question {
    type Response = u8;
}

#[tokio::test]
async fn whatever_a_context_keeps_ends_with_its_plugin_and_what_is_made_beside_it_does_not() {
    // R-STF-10
    let part = Part::new("a").attaches(|cx| {
        let bus = cx.bus();
        cx.on(|_: &mut Envelope<Beat>| ());
        cx.hold(bus.on_async(|_: &mut Envelope<Beat>| Box::pin(async {}))?);
        cx.hold(bus.on_request(|_: &mut Envelope<Question>| Some(1))?);
        cx.hold(bus.observe(|_| ())?);
        bus.on(|_: &mut Envelope<Beat>| ())?.until_closed();
        assert_eq!(cx.held(), 4);
        Ok(())
    });
    let (runtime, session) = open(vec![part], "").await;
    assert_eq!(session.bus().subscriptions(), 5);
    runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap();
    assert_eq!(session.bus().subscriptions(), 1);
    assert!(!session.bus().has_handler::<Question>());
    let bus = session.bus().clone();
    drop(session.close().await.unwrap());
    assert_eq!(bus.subscriptions(), 0);
}

#[tokio::test]
async fn every_session_has_a_service_of_its_own() {
    // R-STF-11
    let diary = Diary::default();
    let (runtime, one) = open(vec![band(&diary)], "").await;
    let two = runtime.create_session("two").await.unwrap();
    assert!(!Arc::ptr_eq(&one.resolve(ONE).unwrap(), &two.resolve(ONE).unwrap()));
    drop(one.close().await.unwrap());
    diary.take();
    two.bus().emit_sync(Beat).unwrap();
    assert_eq!(diary.take(), "one two three");
}

#[tokio::test]
async fn an_instance_that_sessions_share_begins_and_ends_in_each_without_the_other() {
    // F-30
    let diary = Diary::default();
    let shared = Arc::new(Player { name: "one", diary: diary.clone() });
    let part = Part::new("a").registers(move |services| {
        let shared = Arc::clone(&shared);
        services.provide(ONE).stateful(move |_| Ok(Arc::clone(&shared)), |player| player);
    });
    let (runtime, one) = open(vec![part], "").await;
    let two = runtime.create_session("two").await.unwrap();
    let (first, second) = (one.bus().clone(), two.bus().clone());
    drop(one.close().await.unwrap());
    assert_eq!((first.subscriptions(), second.subscriptions()), (0, 1));
}

trait Sounds: Send + Sync {}
impl Sounds for Player {}

#[tokio::test]
async fn a_service_behind_an_interface_has_its_life_all_the_same() {
    // F-31
    const SOUNDS: Slot<dyn Sounds> = Slot::new("sounds");
    let diary = Diary::default();
    let inside = diary.clone();
    let part = Part::new("a").registers(move |services| {
        let diary = inside.clone();
        let make =
            move |_: &jackfield::Resolver<'_>| Ok(Arc::new(Player { name: "one", diary: diary.clone() }));
        services.provide(SOUNDS).stateful(make, |player| player);
    });
    let (_runtime, session) = open(vec![part], "").await;
    assert!(session.resolve(SOUNDS).is_ok());
    drop(session.close().await.unwrap());
    assert_eq!(diary.take(), "+one -one");
}

#[tokio::test]
async fn a_global_plugin_that_fails_to_attach_leaves_nothing_behind() {
    // R-STF-12, R-STF-13, F-18
    let diary = Diary::default();
    let keeper = diary.clone();
    let part = band(&diary).attaches(move |cx| {
        cx.hold(Note(keeper.clone(), ".band"));
        cx.on(|_: &mut Envelope<Beat>| ());
        Err("no hall".into())
    });
    PluginRuntime::builder().plugin(part.once()).init().await.unwrap_err();
    assert_eq!(diary.take(), "+one +two +three +band -band .band -three -two -one");
}

#[tokio::test]
async fn a_plugin_that_comes_back_brings_new_instances_and_those_who_stay_keep_theirs() {
    // R-STF-16
    const A: Slot<str> = Slot::new("a");
    const B: Slot<str> = Slot::new("b");
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(A, Priority::NORMAL))
        .plugin(Probe::new("b", &diary).offers(B, Priority::NORMAL))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let (a, b) = (session.resolve(A).unwrap(), session.resolve(B).unwrap());
    for toml in ["plugins.a.enabled = false", ""] {
        runtime.update_settings(settings(toml)).await.unwrap();
    }
    assert_ne!(a, session.resolve(A).unwrap());
    assert!(Arc::ptr_eq(&b, &session.resolve(B).unwrap()));
}

#[tokio::test]
async fn a_panic_is_the_failure_of_its_plugin_and_of_nobody_else() {
    // R-STF-17
    let diary = Diary::default();
    let shaky = Part::new("shaky").attaches(|_| panic!("stage fright"));
    let (runtime, session) = open(vec![band(&diary), shaky], "plugins.shaky.enabled = false").await;
    let error = runtime.update_settings(settings("")).await.unwrap_err();
    let ChangeError::Reverted { failures } = error else { panic!("{error}") };
    assert!(matches!(&failures[0].error, HookError::Panicked { message } if message == "stage fright"));
    assert!(session.resolve(ONE).is_ok(), "the band plays on");
}
