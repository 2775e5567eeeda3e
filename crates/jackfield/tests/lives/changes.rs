use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use jackfield::{ChangeError, Hook, NewSession, prelude::*};
use jackfield_testkit::{Diary, Fault, Probe};
use tokio::sync::{Barrier, Semaphore};

use crate::cast::{Beat, Part, Player, fails, id, open, player, settings, start};

const VOICE: Slot<str> = Slot::new("voice");

#[tokio::test]
async fn all_scopes_one_of_them_or_none_may_be_made_to_follow() {
    // R-SET-01, R-SET-25, R-SET-26, R-SET-28
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Part::noted(Manifest::new("g"), &diary).once())
        .plugin(Part::noted(Manifest::new("s"), &diary))
        .init()
        .await
        .unwrap();
    let one = runtime.create_session("one").await.unwrap();
    let _two = runtime.create_session("two").await.unwrap();
    let off = settings("plugins.g.enabled = false\nplugins.s.enabled = false");
    diary.take();

    one.update_overlay(off.clone()).await.unwrap();
    assert_eq!(diary.take(), "-s ~g ~s");
    runtime.update_global_overlay(off.clone()).await.unwrap();
    assert_eq!(diary.take(), "-g ~s");
    assert!(runtime.settings().is_empty(), "what is on top is no part of it");
    runtime.update_settings_snapshot(off.clone()).await.unwrap();
    assert_eq!((diary.take().as_str(), &*runtime.settings()), ("", &off));
    runtime.reset_settings_snapshot().await.unwrap();
    assert_eq!((diary.take().as_str(), runtime.settings().is_empty()), ("", true));
    runtime.update_settings(off).await.unwrap();
    assert_eq!(diary.take(), "-s");
}

#[tokio::test]
async fn a_snapshot_that_says_the_same_is_no_news() {
    // R-SET-27, R-SET-28
    let runtime = start(vec![Part::new("a")], "").await;
    let mut stream = runtime.settings_stream();
    runtime.update_settings_snapshot(settings("")).await.unwrap();
    runtime.reset_settings_snapshot().await.unwrap();
    assert!(stream.next().now_or_never().is_none());
    runtime.update_settings_snapshot(settings("[plugins.nobody]")).await.unwrap(); // nobody checks it
    runtime.reset_settings_snapshot().await.unwrap();
    assert_eq!(*stream.next().await.unwrap(), settings("[plugins.nobody]"));
    assert!(stream.next().await.unwrap().is_empty());
}

#[tokio::test]
async fn after_a_change_that_failed_the_next_one_is_made() {
    // R-SET-03, R-SET-04, J-02
    let parts = vec![Part::new("a"), Part::new("b").attaches(|_| fails("no"))];
    let (runtime, _session) = open(parts, "plugins.b.enabled = false").await;
    let (refused, reverted, made) = tokio::join!(
        runtime.update_settings(settings("[plugins.nobody]")),
        runtime.update_settings(settings("")),
        runtime.update_settings(settings("plugins.a.enabled = false\nplugins.b.enabled = false")),
    );
    assert!(matches!(refused, Err(ChangeError::Refused(_))));
    assert!(matches!(reverted, Err(ChangeError::Reverted { .. })));
    assert_eq!(made.unwrap().plan.to_string(), "- a   (settings)");
}

/// Two scopes in which one goes, one comes and one stays; the sessions' plugins need the global ones.
async fn both_scopes(diary: &Diary) -> (PluginRuntime, Session) {
    let noted = |id: &'static str| Part::noted(Manifest::new(id), diary);
    let needs = |id: &'static str, other| Part::noted(Manifest::new(id).depends_on(other), diary);
    let runtime = PluginRuntime::builder()
        .plugin(needs("s-old", "g-old"))
        .plugin(needs("s-new", "g-new"))
        .plugin(noted("s-stays"))
        .plugin(noted("g-old").once())
        .plugin(noted("g-new").once())
        .plugin(noted("g-stays").once())
        .settings(settings("plugins.g-new.enabled = false"))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    diary.take();
    (runtime, session)
}

#[tokio::test]
async fn all_go_before_anybody_comes_and_whoever_stays_is_told_last() {
    // R-SET-05, R-SET-09, R-SET-10, R-SET-11, J-01
    let diary = Diary::default();
    let (runtime, _session) = both_scopes(&diary).await;
    runtime.update_settings(settings("plugins.g-old.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "-s-old -g-old +g-new +s-new ~g-stays ~s-stays");
}

#[tokio::test]
async fn whoever_goes_has_lost_its_slots_before_it_says_goodbye() {
    // R-SET-11
    let diary = Diary::default();
    let sees = diary.clone();
    let goes = Part::new("goes")
        .registers(|services| services.provide(VOICE).priority(Priority::HIGH).value("goes".into()))
        .detaches(move |cx| {
            sees.write(&*cx.resolve(VOICE)?);
            Ok(())
        });
    let stays = Part::new("stays").registers(|services| services.provide(VOICE).value("stays".into()));
    let (runtime, _session) = open(vec![goes, stays], "").await;
    runtime.update_settings(settings("plugins.goes.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "stays");
}

#[tokio::test]
async fn a_goodbye_that_fails_takes_the_change_back() {
    // R-SET-11
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary))
        .plugin(Probe::new("b", &diary).offers(VOICE, Priority::NORMAL))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let before = session.resolve(VOICE).unwrap();
    diary.take();
    diary.inject("a", Hook::Detach, Fault::Error);
    let off = "plugins.a.enabled = false\nplugins.b.enabled = false";
    let error = runtime.update_settings(settings(off)).await.unwrap_err();
    assert!(matches!(error, ChangeError::Reverted { .. }), "{error}");
    assert_eq!(diary.take(), "-b .b -a .a +a +b");
    assert!(Arc::ptr_eq(&before, &session.resolve(VOICE).unwrap()));
}

#[tokio::test]
async fn nobody_is_told_of_a_change_in_which_somebody_failed_to_attach() {
    // R-SET-10, R-SET-13
    let diary = Diary::default();
    let (runtime, _session) = both_scopes(&diary).await;
    runtime
        .add_plugin(Part::noted(Manifest::new("bad"), &diary).attaches(|_| fails("no")))
        .await
        .unwrap_err();
    assert_eq!(diary.take(), "+bad -bad");
}

#[tokio::test]
async fn whoever_is_enabled_by_a_change_attaches_under_its_settings_with_all_peers_there() {
    // R-SET-12, F-05
    #[derive(Default, Deserialize, JsonSchema, PartialEq)]
    #[serde(default)]
    struct Size {
        size: u8,
    }
    const SIZE: Slot<Live<Size>> = Slot::new("size");
    const PLAYER: Slot<Player> = Slot::new("player");
    let diary = Diary::default();
    let (sees, plays) = (diary.clone(), diary.clone());
    let first = Part::new("first").attaches(move |cx| {
        sees.write(format!("{} of {}", cx.resolve(VOICE)?, cx.resolve(SIZE)?.load().size));
        Ok(())
    });
    let second = Part::new("second").registers(move |services| {
        services.provide(SIZE).configured(Arc::new);
        services.provide(VOICE).value("second".into());
        player(services, PLAYER, "player", &plays);
    });
    let third = Part::new("third").registers(|services| services.provide(VOICE).value("third".into()));
    let off = "plugins.first.enabled = false\nplugins.second.enabled = false\nplugins.third.enabled = false";
    let (runtime, _session) = open(vec![first, second, third], off).await;
    let on = "services.'third:voice'.priority = 900\nservices.'*:size'.config.size = 7\nservices.'second:player'.enabled = false";
    runtime.update_settings(settings(on)).await.unwrap();
    assert_eq!(diary.take(), "third of 7", "and what is disabled never began");
}

#[tokio::test]
async fn a_registration_that_fails_leaves_no_candidate_behind() {
    // R-SET-14, F-08, F-10
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL))
        .plugin(
            Probe::new("b", &diary).offers(VOICE, Priority::HIGH).offers(Slot::new("more"), Priority::LOW),
        )
        .settings(settings("plugins.b.enabled = false"))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    diary.inject("b", Hook::Register, Fault::Panic);
    runtime.update_settings(settings("")).await.unwrap_err();
    session.update_overlay(settings("[plugins.b]")).await.unwrap_err();
    assert!(session.slots_of(&id("b")).is_empty());
    assert_eq!(session.slots(), [VOICE.id()]);
    assert_eq!(&*session.resolve(VOICE).unwrap(), "a 1");
}

#[tokio::test]
async fn whoever_stays_keeps_everything_and_so_does_whoever_listens() {
    // R-SET-15
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("b", &diary))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let (scope, service) = (session.scope().clone(), session.resolve(VOICE).unwrap());
    let hears = diary.clone();
    let _hears = session.bus().on(move |_: &mut Envelope<Beat>| hears.write("beat")).unwrap();
    diary.take();
    runtime.update_settings(settings("plugins.b.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "-b .b ~a");
    scope.bus().emit_sync(Beat).unwrap();
    assert_eq!(diary.take(), "beat");
    assert!(
        Arc::ptr_eq(&service, &scope.resolve(VOICE).unwrap()),
        "a handle from before looks at what is now"
    );
}

#[tokio::test]
async fn toggled_plugins_of_either_scope_subscribe_anew() {
    // R-SET-16
    for global in [true, false] {
        let diary = Diary::default();
        let hears = diary.clone();
        let part = Part::new("a").attaches(move |cx| {
            let hears = hears.clone();
            cx.on(move |_: &mut Envelope<Beat>| hears.write("beat"));
            Ok(())
        });
        let builder = PluginRuntime::builder();
        let builder = if global { builder.plugin(part.once()) } else { builder.plugin(part) };
        let runtime = builder.init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        let scope = if global { runtime.global() } else { session.scope() };
        for toml in ["plugins.a.enabled = false", ""] {
            runtime.update_settings(settings(toml)).await.unwrap();
            scope.bus().emit_sync(Beat).unwrap();
        }
        assert_eq!(diary.take(), "beat", "once, and only while it is on");
    }
}

/// Takes its time to follow.
struct Slow(&'static str, Diary);
impl Plugin for Slow {
    fn manifest(&self) -> Manifest {
        Manifest::new(self.0)
    }
    async fn settings_changed(&self, _: &SessionContext, _: &SettingsChange) -> PluginResult {
        self.1.write(format!("<{}", self.0));
        tokio::task::yield_now().await;
        self.1.write(format!("{}>", self.0));
        if self.1.take_note(self.0) { fails("no") } else { Ok(()) }
    }
}

#[tokio::test]
async fn they_are_told_one_after_the_other_until_one_cannot_follow() {
    // R-SET-18
    let diary = Diary::default();
    let builder = ["a", "b", "c"]
        .into_iter()
        .fold(PluginRuntime::builder(), |builder, id| builder.plugin(Slow(id, diary.clone())));
    let runtime = builder.init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    runtime.update_settings(settings("")).await.unwrap();
    assert_eq!(diary.take(), "<a a> <b b> <c c>");
    diary.note("b");
    runtime.update_settings(settings("")).await.unwrap_err();
    assert_eq!(diary.take(), "<a a> <b b> <a a>", "and whoever was told, is told that it was taken back");
}

/// Attaches when it is let in.
struct Gate(Arc<Semaphore>, Diary);
impl Plugin for Gate {
    fn manifest(&self) -> Manifest {
        Manifest::new("gate").flag(FeatureFlag::EXPERIMENTAL)
    }
    async fn attach(&self, _: &SessionContext) -> PluginResult {
        self.1.write("+");
        self.0.acquire().await?.forget();
        self.1.write("in");
        Ok(())
    }
    async fn detach(&self, _: &SessionContext) -> PluginResult {
        self.1.write("-");
        Ok(())
    }
}

async fn gate(diary: &Diary) -> (PluginRuntime, Session, Arc<Semaphore>) {
    let open = Arc::new(Semaphore::new(0));
    let gate = Gate(Arc::clone(&open), diary.clone());
    let runtime = PluginRuntime::builder().plugin(gate).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    (runtime, session, open)
}

#[tokio::test]
async fn a_shutdown_during_a_change_waits_for_it_and_then_takes_everything_down() {
    // R-SET-30, F-14, J-13
    let diary = Diary::default();
    let (runtime, session, open) = gate(&diary).await;
    let (changed, down, ()) =
        tokio::join!(runtime.update_settings(settings("[plugins.gate]")), runtime.shutdown(), async {
            open.add_permits(1);
        },);
    assert!(changed.is_ok() && down.is_ok());
    assert_eq!(diary.take(), "+ in -");
    assert!(session.bus().is_closed() && runtime.global().bus().is_closed());
    assert!(matches!(runtime.update_settings(settings("")).await, Err(ChangeError::Closed)));
}

#[tokio::test]
async fn a_session_opened_during_a_change_follows_it_and_one_closed_during_it_closes_after_it() {
    // F-15, J-02
    let diary = Diary::default();
    let (runtime, session, open) = gate(&diary).await;
    let on = settings("[plugins.gate]");
    let (changed, opened, closed, ()) = tokio::join!(
        runtime.update_settings(on.clone()),
        runtime.create_session("two"),
        session.close(),
        async {
            open.add_permits(2);
        },
    );
    assert!(changed.is_ok() && closed.unwrap().failures.is_empty());
    let opened = opened.unwrap();
    assert_eq!(*opened.settings(), on);
    assert_eq!(diary.take(), "+ in + in -", "the second came in, and then the first one went");
    assert_eq!(runtime.sessions().len(), 1);
}

#[tokio::test]
async fn a_listener_may_ask_for_the_next_change_at_once() {
    // R-SET-29, F-35
    let runtime = start(vec![Part::new("a")], "").await;
    let mut stream = runtime.settings_stream();
    let (first, second) = tokio::join!(runtime.update_settings(settings("plugins.a.config.x = 1")), async {
        let seen = stream.next().await.unwrap();
        assert_eq!(seen, runtime.settings(), "it is in force by the time it is heard of");
        runtime.update_settings(settings("plugins.a.config.x = 2")).await
    },);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(*stream.next().await.unwrap(), settings("plugins.a.config.x = 2"));
}

#[tokio::test]
async fn a_session_plugin_that_needs_a_global_one_is_enabled_with_it_in_one_change() {
    // R-SET-05, R-SET-12, F-06, F-11
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Part::noted(Manifest::new("s").depends_on("g"), &diary))
        .plugin(
            Part::noted(Manifest::new("g"), &diary)
                .registers(|services| services.provide(VOICE).value("g".into()))
                .once(),
        )
        .settings(settings("plugins.g.enabled = false"))
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    // Strict about unknown references, and its service is configured before it ever was on.
    runtime.update_settings(settings("services.'g:voice'.priority = 7")).await.unwrap();
    assert_eq!(diary.take(), "+g +s");
    assert_eq!(runtime.global().candidates(&VOICE.id())[0].priority, Priority::new(7));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_never_ends_holds_nobody_up_for_ever() {
    // F-44
    let diary = Diary::default();
    let gate = Gate(Arc::new(Semaphore::new(0)), diary.clone());
    let runtime =
        PluginRuntime::builder().plugin(gate).hook_deadline(Duration::from_secs(3)).init().await.unwrap();
    let on = NewSession::new("one", ()).overlay(settings("[plugins.gate]"));
    let (opened, next) = tokio::join!(runtime.create_session(on), runtime.update_settings(settings("")));
    assert!(opened.unwrap_err().to_string().contains("it did not return within 3s"));
    assert!(next.is_ok(), "and the one that waited behind it was made");
    assert_eq!(diary.take(), "+ -");
}

#[tokio::test(start_paused = true)]
async fn sessions_wait_side_by_side_on_one_thread() {
    // R-SET-05
    const SESSIONS: usize = 100;
    let all_but_few = Arc::new(Barrier::new(SESSIONS / 2));
    let runtime = PluginRuntime::builder()
        .plugin(Meets(all_but_few))
        .settings(settings("plugins.meets.enabled = false"))
        .init()
        .await
        .unwrap();
    let mut open = Vec::new();
    for _ in 0..SESSIONS {
        open.push(runtime.create_session("one of many").await.unwrap());
    }
    runtime.update_settings(settings("")).await.unwrap();
    assert!(open.iter().all(|session| session.attached() == [id("meets")]));
}

/// Attaches when enough others do.
struct Meets(Arc<Barrier>);
impl Plugin for Meets {
    fn manifest(&self) -> Manifest {
        Manifest::new("meets")
    }
    async fn attach(&self, _: &SessionContext) -> PluginResult {
        self.0.wait().await;
        Ok(())
    }
}

#[tokio::test]
async fn a_session_that_waits_goes_on_while_others_begin() {
    // R-SET-05
    let arrived = Arc::new(AtomicBool::new(false));
    let runtime = PluginRuntime::builder()
        .plugin(FirstTakesItsTime(Arc::clone(&arrived)))
        .settings(settings("plugins.patient.enabled = false"))
        .init()
        .await
        .unwrap();
    let mut open = vec![runtime.create_session("first").await.unwrap()];
    for _ in 0..500 {
        open.push(runtime.create_session("another").await.unwrap());
    }
    open.push(runtime.create_session("last").await.unwrap());
    runtime.update_settings(settings("")).await.unwrap();
}

struct FirstTakesItsTime(Arc<AtomicBool>);
impl Plugin for FirstTakesItsTime {
    fn manifest(&self) -> Manifest {
        Manifest::new("patient")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        match cx.name().to_string().as_str() {
            "session `first`" => {
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                self.0.store(true, Ordering::Relaxed);
            }
            "session `last`" if !self.0.load(Ordering::Relaxed) => {
                return fails("the first is still waiting");
            }
            _ => {}
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_plan_whose_scopes_were_rearranged_is_carried_out_in_all_of_them() {
    // R-SET-05
    let runtime = start(vec![Part::new("a")], "plugins.a.enabled = false").await;
    let one = runtime.create_session("one").await.unwrap();
    let two = runtime.create_session("two").await.unwrap();
    let mut plan = runtime.plan(&settings("")).unwrap();
    plan.scopes.reverse();
    runtime.apply(plan).await.unwrap();
    assert_eq!((one.attached(), two.attached()), (vec![id("a")], vec![id("a")]));
}

#[tokio::test]
async fn what_fails_in_several_sessions_is_told_in_the_order_of_the_sessions() {
    let part = Part::new("a").attaches(|_| fails("no"));
    let runtime = start(vec![part], "plugins.a.enabled = false").await;
    let mut open = Vec::new();
    for name in ["one", "two", "three"] {
        open.push(runtime.create_session(name).await.unwrap());
    }
    let Err(ChangeError::Reverted { failures }) = runtime.update_settings(settings("")).await else {
        panic!("it fails to attach")
    };
    let told: Vec<_> = failures.iter().map(|failure| failure.scope.to_string()).collect();
    assert_eq!(told, ["session `one`", "session `two`", "session `three`"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_calculate_at_the_same_time_where_there_are_threads_for_it() {
    // R-SET-05
    let meeting = Arc::new(Meeting::default());
    let part = Part::new("a").attaches(move |_| {
        // Without an await: one thread alone would never get to the other session.
        if meeting.is_attended_by(2) { Ok(()) } else { fails("the other session did not come") }
    });
    let runtime = start(vec![part], "plugins.a.enabled = false").await;
    let one = runtime.create_session("one").await.unwrap();
    let two = runtime.create_session("two").await.unwrap();
    runtime.update_settings(settings("")).await.unwrap();
    assert_eq!((one.attached().len(), two.attached().len()), (1, 1));
}

/// Where threads wait for each other, though not for ever.
#[derive(Default)]
struct Meeting {
    came: Mutex<usize>,
    all_came: Condvar,
}

impl Meeting {
    fn is_attended_by(&self, guests: usize) -> bool {
        let mut came = self.came.lock().unwrap();
        *came += 1;
        self.all_came.notify_all();
        let patience = Duration::from_secs(30);
        let waited = self.all_came.wait_timeout_while(came, patience, |came| *came < guests).unwrap();
        !waited.1.timed_out()
    }
}
