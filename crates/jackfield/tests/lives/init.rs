use std::sync::atomic::{AtomicUsize, Ordering};

use jackfield::{ChangeError, FailurePolicy, Hook, InitError, prelude::*};
use jackfield_testkit::Diary;

use crate::cast::{Part, fails, settings};

const VOICE: Slot<str> = Slot::new("voice");

/// Offers its name, and notes when it is asked what it offers; when it attaches, who has the slot.
fn singer(id: &'static str, diary: &Diary) -> Part {
    let (registers, attaches) = (diary.clone(), diary.clone());
    Part::new(id)
        .registers(move |services| {
            registers.write(format!("?{id}"));
            services.provide(VOICE).value(id.into());
        })
        .attaches(move |cx| {
            attaches.write(format!("+{id}({})", cx.resolve(VOICE)?));
            Ok(())
        })
}

/// Fails to register, unless it is asked for the first time, which is when it is added.
fn forgetful(id: &'static str, diary: &Diary) -> Part {
    let asked = AtomicUsize::new(0);
    singer(id, diary).registers(move |_| {
        assert_eq!(asked.fetch_add(1, Ordering::Relaxed), 0, "{id} has forgotten");
    })
}

#[tokio::test]
async fn all_have_registered_and_the_settings_are_in_force_before_the_first_attaches() {
    // R-INI-01, R-INI-03, R-SES-03
    for global in [true, false] {
        let diary = Diary::default();
        let builder =
            ["a", "b", "c"].into_iter().fold(PluginRuntime::builder(), |builder, id| match global {
                true => builder.plugin(singer(id, &diary).once()),
                false => builder.plugin(singer(id, &diary)),
            });
        let toml = "services.'b:voice'.priority = 600\nservices.'*:voice'.priority = 700\nservices.'b:voice'.enabled = true";
        let runtime = builder.settings(settings(toml)).init().await.unwrap();
        let _session = runtime.create_session("one").await.unwrap();
        assert_eq!(diary.take(), "?a ?b ?c ?a ?b ?c +a(b) +b(b) +c(b)");
    }
}

#[tokio::test]
async fn a_plugin_that_is_off_is_asked_what_it_offers_and_nothing_else() {
    // R-INI-02, J-04
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(singer("a", &diary).once())
        .plugin(singer("b", &diary))
        .settings(settings("plugins.a.enabled = false\nplugins.b.enabled = false"))
        .init()
        .await
        .unwrap();
    drop(runtime.create_session("one").await.unwrap().close().await.unwrap());
    runtime.update_settings(settings("plugins.a.enabled = false\nplugins.b.enabled = false")).await.unwrap();
    runtime.shutdown().await.unwrap();
    assert_eq!(diary.take(), "?a ?b");
}

#[tokio::test]
async fn all_who_fail_to_register_are_named_and_nobody_attaches() {
    // R-INI-04, R-SES-06, F-20
    let diary = Diary::default();
    let global = PluginRuntime::builder()
        .plugin(singer("a", &diary).once())
        .plugin(forgetful("b", &diary).once())
        .plugin(forgetful("c", &diary).once())
        .init()
        .await
        .unwrap_err();
    let InitError::Settings(global) = global else { panic!("{global}") };
    let runtime = PluginRuntime::builder()
        .plugin(singer("a", &diary))
        .plugin(forgetful("b", &diary))
        .plugin(forgetful("c", &diary))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap_err();
    for error in [global, session] {
        let ChangeError::Reverted { failures } = error else { panic!("{error}") };
        let who: Vec<_> = failures.iter().map(|failure| (failure.plugin.as_str(), failure.hook)).collect();
        assert_eq!(who, [("b", Hook::Register), ("c", Hook::Register)]);
    }
    assert!(!diary.take().contains('+'));
    assert!(runtime.sessions().is_empty());
    runtime.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_runtime_that_leaves_out_whoever_fails_starts_with_the_others_and_keeps_what_was_asked_for() {
    // R-INI-05, R-INI-07, R-INI-12
    let diary = Diary::default();
    let asked = settings("plugins.b = {}\nservices.'b:voice'.priority = 900");
    let runtime = PluginRuntime::builder()
        .plugin(singer("a", &diary).once())
        .plugin(singer("b", &diary).attaches(|_| fails("no voice")).once())
        .plugin(Part::new("c"))
        .settings(asked.clone())
        .failure_policy(FailurePolicy::Quarantine)
        .init()
        .await
        .unwrap();
    assert_eq!(&*runtime.global().resolve(VOICE).unwrap(), "a");
    assert_eq!(runtime.status().scopes[0].attached, [PluginId::new("a")]);
    assert_eq!(*runtime.settings(), asked);
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(runtime.session_running(&PluginId::new("c")).unwrap().name(), session.scope().name());
}

#[tokio::test]
async fn a_start_that_fails_takes_down_whoever_was_up() {
    // R-INI-05, R-DSP-08
    let diary = Diary::default();
    let error = PluginRuntime::builder()
        .plugin(Part::noted(Manifest::new("a"), &diary).once())
        .plugin(Part::noted(Manifest::new("b"), &diary).attaches(|_| fails("no voice")).once())
        .plugin(Part::noted(Manifest::new("c"), &diary).once())
        .init()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the runtime did not start: the change was taken back:\nplugin `b` failed to attach in global: no voice"
    );
    assert_eq!(diary.take(), "+a +b -b +c -c -a");
}

#[tokio::test]
async fn settings_that_are_wrong_are_refused_before_anybody_is_asked_for_anything() {
    // R-INI-06, R-INI-09, R-UNK-04, J-04, F-17
    let diary = Diary::default();
    let error = PluginRuntime::builder()
        .plugin(forgetful("a", &diary).once())
        .settings(settings("services.'a:nothing'.enabled = true"))
        .init()
        .await
        .unwrap_err();
    assert!(matches!(error, InitError::Settings(ChangeError::Refused(_))), "{error}");
    assert_eq!(diary.take(), "?a", "when it was added, and never again");
}

#[tokio::test]
async fn a_runtime_starts_once_and_what_starts_after_it_is_another() {
    // R-INI-10, R-INI-11, F-16
    let diary = Diary::default();
    let start = || PluginRuntime::builder().plugin(Part::noted(Manifest::new("a"), &diary).once()).init();
    let first = start().await.unwrap();
    let mut stream = first.settings_stream();
    first.shutdown().await.unwrap();
    let second = start().await.unwrap();
    assert_eq!(diary.take(), "+a -a +a");
    assert!(matches!(first.update_settings(settings("")).await, Err(ChangeError::Closed)));
    second.update_settings(settings("")).await.unwrap();
    assert!(stream.next().await.is_none(), "the first one's listeners hear nothing of the second");
    assert_eq!(diary.take(), "~a");
}

#[tokio::test]
async fn two_runtimes_in_one_process_do_not_notice_each_other() {
    // R-INI-11, R-SES-13
    let diary = Diary::default();
    let start = || PluginRuntime::builder().plugin(Part::noted(Manifest::new("a"), &diary)).init();
    let (one, two) = (start().await.unwrap(), start().await.unwrap());
    let (mine, theirs) = (one.create_session("s").await.unwrap(), two.create_session("s").await.unwrap());
    assert_eq!(mine.key(), theirs.key());
    diary.take();
    mine.update_overlay(settings("plugins.a.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "-a");
    assert!(theirs.overlay().is_empty());
    assert_eq!(two.session_running(&PluginId::new("a")).unwrap().name(), theirs.scope().name());
}
