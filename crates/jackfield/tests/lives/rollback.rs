use std::sync::Arc;

use futures_util::FutureExt;
use jackfield::{ChangeError, Hook, NewSession, prelude::*};
use jackfield_testkit::{Diary, Fault, Probe};

use crate::cast::{Part, Player, fails, id, player, settings};

const VOICE: Slot<str> = Slot::new("voice");

#[tokio::test]
async fn a_failed_change_leaves_every_session_with_what_it_had_of_its_own() {
    // R-SET-21, R-SET-22, R-SET-23, R-SET-24, R-TST-06, F-09, F-12, F-13
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("b", &diary).offers(VOICE, Priority::LOW))
        .plugin(Probe::new("bad", &diary).flag(FeatureFlag::EXPERIMENTAL))
        .init()
        .await
        .unwrap();
    let other = NewSession::new("other", ()).overlay(settings("plugins.a.enabled = false"));
    let sessions =
        [runtime.create_session("plain").await.unwrap(), runtime.create_session(other).await.unwrap()];
    // The settings in force are no longer those that anything was made from.
    runtime.update_settings_snapshot(settings("plugins.b.enabled = false")).await.unwrap();
    let before = sessions.each_ref().map(|session| session.resolve(VOICE).unwrap());
    let (status, overlays) = (runtime.status(), sessions.each_ref().map(jackfield::Session::overlay));
    let mut stream = runtime.settings_stream();
    diary.inject("bad", Hook::Attach, Fault::Error);

    let error =
        runtime.update_settings(settings("[plugins.bad]\nplugins.b.enabled = false")).await.unwrap_err();

    assert!(matches!(error, ChangeError::Reverted { .. }), "{error}");
    for (session, before) in sessions.iter().zip(&before) {
        assert!(Arc::ptr_eq(before, &session.resolve(VOICE).unwrap()), "the very same instance");
    }
    assert_eq!(sessions.each_ref().map(jackfield::Session::overlay), overlays);
    assert_eq!(runtime.status(), status);
    assert_eq!(*runtime.settings(), settings("plugins.b.enabled = false"));
    assert!(stream.next().now_or_never().is_none(), "nobody hears of what did not happen");
}

#[tokio::test]
async fn what_came_goes_before_what_went_comes_back_across_scopes_too() {
    // R-SET-20
    let diary = Diary::default();
    let noted = |manifest| Part::noted(manifest, &diary);
    let runtime = PluginRuntime::builder()
        .plugin(noted(Manifest::new("g-old")).once())
        .plugin(noted(Manifest::new("g-new")).once())
        .plugin(noted(Manifest::new("s-old").depends_on("g-old")))
        .plugin(noted(Manifest::new("s-new").depends_on("g-new")))
        .plugin(noted(Manifest::new("s-bad").depends_on("s-new")).attaches(|_| fails("no")))
        .settings(settings("plugins.g-new.enabled = false"))
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    runtime.update_settings(settings("plugins.g-old.enabled = false")).await.unwrap_err();
    assert_eq!(diary.take(), "-s-old -g-old +g-new +s-new +s-bad -s-bad -s-new -g-new +g-old +s-old");
}

#[tokio::test]
async fn a_session_that_fails_to_follow_its_own_settings_is_as_it_was() {
    // R-SET-19, R-SET-26, F-10
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary).offers(VOICE, Priority::NORMAL))
        .plugin(Probe::new("b", &diary).offers(VOICE, Priority::HIGH))
        .plugin(Probe::new("c", &diary))
        .settings(settings("plugins.b.enabled = false"))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let before = session.resolve(VOICE).unwrap();
    diary.take();
    diary.inject("c", Hook::SettingsChanged, Fault::Error);
    let over = settings("plugins.a.enabled = false\n[plugins.b]\n[services.'a:voice']\npriority = 1");
    session.update_overlay(over).await.unwrap_err();
    assert_eq!(diary.take(), "-a .a +b ~c -b .b +a");
    assert!(Arc::ptr_eq(&before, &session.resolve(VOICE).unwrap()));
    assert!(session.overlay().is_empty());
    assert_eq!(session.slots_of(&id("b")), []);
    assert_eq!(session.candidates(&VOICE.id())[0].priority, Priority::NORMAL);
}

#[tokio::test]
async fn what_fails_in_taking_back_never_hides_why_it_was_taken_back() {
    // R-SET-23, R-SET-24
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("old", &diary))
        .plugin(Probe::new("new", &diary))
        .settings(settings("plugins.new.enabled = false"))
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    diary.inject("new", Hook::Attach, Fault::Error);
    diary.inject("old", Hook::Attach, Fault::Panic);
    let error = runtime.update_settings(settings("plugins.old.enabled = false")).await.unwrap_err();
    let ChangeError::Degraded { failures, lost } = error else { panic!("{error}") };
    assert_eq!((failures[0].plugin.as_str(), lost[0].plugin.as_str()), ("new", "old"));
}

const TUNE: Slot<Player> = Slot::new("tune");

/// Has a service with a life of its own, and nothing to say of settings.
struct Band(Diary);
impl Plugin for Band {
    fn manifest(&self) -> Manifest {
        Manifest::new("band")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        player(services, TUNE, "tune", &self.0);
    }
}

/// Never attaches.
struct Bad;
impl Plugin for Bad {
    fn manifest(&self) -> Manifest {
        Manifest::new("bad").flag(FeatureFlag::EXPERIMENTAL)
    }
    async fn attach(&self, _: &SessionContext) -> PluginResult {
        fails("it is bad")
    }
}

#[tokio::test]
async fn a_service_that_did_not_come_back_is_tried_again_by_the_same_settings() {
    // R-SET-24
    let diary = Diary::default();
    let runtime = PluginRuntime::builder().plugin(Band(diary.clone())).plugin(Bad).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    runtime.update_settings(settings("")).await.unwrap();
    assert_eq!(diary.take(), "+tune");

    diary.note("tune");
    let bad = "plugins.bad.enabled = true\nservices.'band:tune'.enabled = false";
    let error = runtime.update_settings(settings(bad)).await.unwrap_err();
    let ChangeError::Degraded { lost, .. } = error else { panic!("{error}") };
    assert_eq!((lost[0].plugin.as_str(), lost[0].slot.as_ref()), ("band", Some(&TUNE.id())));
    assert_eq!(diary.take(), "-tune +tune");

    runtime.update_settings(settings("")).await.unwrap();
    assert_eq!(diary.take(), "+tune");
}
