use jackfield::{FailurePolicy, Hook, NewSession, UnknownReferences, prelude::*};
use jackfield_testkit::{Diary, Fault, Probe};
use tracing::Level;

use crate::{
    cast::{Note, Part, Player, fails, player, settings},
    log::{Log, Record},
};

const VOICE: Slot<str> = Slot::new("voice");

fn only<'a>(records: &'a [Record], message: &str) -> &'a Record {
    let found: Vec<&Record> = records.iter().filter(|record| record.message() == message).collect();
    let [record] = found[..] else { panic!("{message:?}: {found:?} of {records:?}") };
    record
}

#[tokio::test]
async fn a_life_is_logged_from_start_to_end_under_three_names() {
    // R-LOG-01, R-LOG-02
    let (log, _guard) = Log::listen();
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Part::noted(Manifest::new("g"), &diary).once())
        .plugin(Part::noted(Manifest::new("s"), &diary))
        .init()
        .await
        .unwrap();
    assert_eq!(log.messages(Level::INFO), ["Runtime starting.", "Plugin attached.", "Runtime started."]);
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(log.messages(Level::INFO), ["Plugin attached.", "Session opened."]);
    runtime.update_settings(settings("plugins.s.enabled = false")).await.unwrap();
    assert_eq!(log.messages(Level::INFO), ["Plugin detached.", "Change made."]);
    drop(session.close().await.unwrap());
    assert_eq!(log.messages(Level::INFO), ["Session closed."]);
    runtime.update_settings(settings("")).await.unwrap();
    let _session = runtime.create_session("two").await.unwrap();
    log.take();
    runtime.shutdown().await.unwrap();
    let records = log.take();
    let last: Vec<(&str, &str)> = records
        .iter()
        .filter(|record| record.level == Level::INFO)
        .map(|record| (record.target.as_str(), record.message()))
        .collect();
    assert_eq!(
        last,
        [
            ("jackfield::plugin", "Plugin detached."),
            ("jackfield::plugin", "Plugin detached."),
            ("jackfield::runtime", "Runtime ended."),
            ("jackfield::session", "Session closed."),
        ]
    );
}

#[tokio::test]
async fn whatever_a_hook_says_is_said_within_its_hook_its_phase_and_its_change() {
    // R-LOG-06
    let (log, _guard) = Log::listen();
    let says = |what: &'static str| {
        tracing::info!(target: "jackfield::test", "{what}");
        Ok(())
    };
    let part = Part::new("a").attaches(move |_| says("hello")).detaches(move |_| says("goodbye"));
    let runtime = PluginRuntime::builder().plugin(part).init().await.unwrap();
    let sessions =
        [runtime.create_session("one").await.unwrap(), runtime.create_session("two").await.unwrap()];
    let hello = |log: &Log| {
        let records = log.take().into_iter().filter(|record| record.target == "jackfield::test");
        records.map(|record| record.within.join(" ")).collect::<Vec<_>>()
    };
    let opening = |name| {
        format!(
            "open[scope=session `{name}`] phase[phase=Ups scope=session `{name}`] hook[hook=attach plugin=a scope=session `{name}`]"
        )
    };
    assert_eq!(hello(&log), [opening("one"), opening("two")]);

    runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap();
    let change = |name| {
        format!(
            "change[generation=3] phase[phase=Downs scope=session `{name}`] hook[hook=detach plugin=a scope=session `{name}`]"
        )
    };
    let mut said = hello(&log);
    said.sort(); // sessions follow side by side
    assert_eq!(said, [change("one"), change("two")]);
    drop(sessions);
}

#[tokio::test]
async fn whoever_is_left_out_for_what_it_needs_is_named_with_it_once() {
    // R-LOG-02, R-ENB-06
    let (log, _guard) = Log::listen();
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary))
        .plugin(Probe::new("b", &diary).needs("a"))
        .settings(settings("plugins.a.enabled = false"))
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    let records = log.take();
    let record = only(&records, "Plugin left out: it needs one that is off.");
    let said = ["plugin", "dependency", "scope"].map(|name| record.field(name));
    assert_eq!((record.level, said), (Level::INFO, ["b", "a", "session `one`"]));
    runtime.update_settings(settings("plugins.a = { enabled = false, config.x = 1 }")).await.unwrap();
    assert_eq!(log.messages(Level::INFO), ["Change made."], "it is no news");
}

#[tokio::test]
async fn whoever_debugs_sees_who_is_up_and_where_wildcards_land() {
    // R-LOG-03
    let (log, _guard) = Log::listen();
    let diary = Diary::default();
    let g = Part::new("g").registers(|services| services.provide(VOICE).value("g".into()));
    let runtime = PluginRuntime::builder()
        .plugin(g.once())
        .plugin(Probe::new("s", &diary).offers(VOICE, Priority::LOW))
        .settings(settings("services.'*:voice'.priority = 3"))
        .init()
        .await
        .unwrap();
    let records = log.take();
    assert_eq!(only(&records, "Global plugins.").field("attached"), "[`g`]");
    let wildcard = only(&records, "Wildcard applied.");
    assert_eq!(["pin", "plugin", "scope"].map(|name| wildcard.field(name)), ["*:voice", "g", "global"]);
    let _session = runtime.create_session("one").await.unwrap();
    let records = log.take();
    let wildcard = only(&records, "Wildcard applied.");
    assert_eq!((wildcard.level, wildcard.field("plugin")), (Level::DEBUG, "s"));
}

#[tokio::test]
async fn a_change_with_failures_ends_with_their_number() {
    // R-LOG-04
    for (policy, message) in [
        (FailurePolicy::AllOrNothing, "A change was taken back."),
        (FailurePolicy::Quarantine, "A change was made without those who failed."),
    ] {
        let (log, _guard) = Log::listen();
        let runtime = PluginRuntime::builder()
            .plugin(Part::new("a").attaches(|_| fails("no")).once())
            .plugin(Part::new("b").attaches(|_| fails("no")).once())
            .settings(settings("plugins.a.enabled = false\nplugins.b.enabled = false"))
            .failure_policy(policy)
            .init()
            .await
            .unwrap();
        log.take();
        drop(runtime.update_settings(settings("")).await);
        let records = log.take();
        let record = only(&records, message);
        assert_eq!((record.level, record.field("failures")), (Level::WARN, "2"));
    }
}

#[tokio::test]
async fn a_hook_that_fails_is_logged_where_it_fails_with_all_there_is_to_know() {
    // R-LOG-05, R-LOG-06
    const PLAYER: Slot<Player> = Slot::new("player");
    let (log, _guard) = Log::listen();
    let diary = Diary::default();
    let plays = diary.clone();
    let part = Part::new("a")
        .registers(move |services| player(services, PLAYER, "player", &plays))
        .detaches(|_| fails("stuck"));
    let runtime = PluginRuntime::builder().plugin(part).init().await.unwrap();
    diary.note("player");
    runtime.create_session("one").await.unwrap_err();
    let records = log.take();
    let errors = records.iter().filter(|record| record.level == Level::ERROR).map(|record| {
        assert_eq!((record.target.as_str(), record.message()), ("jackfield::plugin", "A plugin failed."));
        ["plugin", "slot", "scope", "hook", "error"].map(|name| record.field(name))
    });
    let expected = [
        ["a", "", "session `one`", "detach", "stuck"], // in cleaning up
        ["a", "player", "session `one`", "attach", "player is out of tune"],
    ];
    assert_eq!(errors.collect::<Vec<_>>(), expected);
    assert_eq!(only(&records, "A change was taken back.").level, Level::WARN);
}

#[tokio::test]
async fn references_that_are_passed_over_are_one_record_for_each_change_and_opening() {
    // R-LOG-05, R-UNK-06
    let (log, _guard) = Log::listen();
    let runtime = PluginRuntime::builder().unknown_references(UnknownReferences::Skip).init().await.unwrap();
    let wrong = settings("[plugins.ghost]\n[services.'ghoul:voice']");
    runtime.update_settings(wrong.clone()).await.unwrap();
    let first = log.take();
    let _session = runtime.create_session(NewSession::new("one", ()).overlay(wrong)).await.unwrap();
    for records in [first, log.take()] {
        let record = only(&records, "References in the settings were passed over.");
        assert_eq!(record.level, Level::ERROR);
        assert!(
            ["ghost", "ghoul"].iter().all(|name| record.field("references").contains(name)),
            "{record:?}"
        );
    }
}

struct Bomb(Note);
impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{} went off", self.0.1);
    }
}

#[tokio::test]
async fn what_cannot_be_released_and_who_does_not_come_back_is_logged_too() {
    // R-LOG-05
    let (log, _guard) = Log::listen();
    let diary = Diary::default();
    let kept = diary.clone();
    let runtime = PluginRuntime::builder()
        .plugin(Part::new("a").attaches(move |cx| {
            cx.hold(Bomb(Note(kept.clone(), "it")));
            Ok(())
        }))
        .plugin(Probe::new("old", &diary))
        .plugin(Probe::new("new", &diary).flag(FeatureFlag::EXPERIMENTAL))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    diary.inject("old", Hook::Attach, Fault::Error);
    diary.inject("new", Hook::Attach, Fault::Error);
    log.take();
    runtime.update_settings(settings("plugins.old.enabled = false\n[plugins.new]")).await.unwrap_err();
    let records = log.take();
    assert_eq!(only(&records, "A plugin did not come back.").field("plugin"), "old");
    drop(session.close().await.unwrap());
    let records = log.take();
    let failed = only(&records, "A plugin failed.");
    assert_eq!([failed.field("hook"), failed.field("error")], ["release", "it panicked: it went off"]);
    assert_eq!(only(&records, "Plugins failed on their way out.").field("failures"), "1");
}
