use jackfield::{ChangeError, InitError, NewSession, Problems, UnknownReferences, prelude::*};
use jackfield_testkit::Diary;

use crate::cast::{Part, settings};

const VOICE: Slot<str> = Slot::new("voice");

fn singer(id: &'static str) -> Part {
    Part::new(id).registers(move |services| services.provide(VOICE).value(id.into()))
}

async fn lenient(policy: UnknownReferences) -> PluginRuntime {
    let builder = PluginRuntime::builder().plugin(singer("a")).unknown_references(policy);
    builder.init().await.unwrap()
}

/// Two plugins that do not exist, and a slot that `a` does not offer.
const WRONG: &str = "[plugins.b]\n[services.'c:voice']\n[services.'a:voise']\n[plugins.a]";

fn refused(error: ChangeError) -> Problems {
    match error {
        ChangeError::Refused(problems) => problems,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_way_in_refuses_what_nobody_answers_to_and_names_all_of_it() {
    // R-UNK-01, R-UNK-02, R-UNK-03, R-UNK-05
    let wrong = || settings(WRONG);
    let started = PluginRuntime::builder().plugin(singer("a")).settings(wrong()).init().await.unwrap_err();
    let InitError::Settings(started) = started else { panic!("{started}") };
    let runtime = PluginRuntime::builder().plugin(singer("a")).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let opened = runtime.create_session(NewSession::new("two", ()).overlay(wrong())).await.unwrap_err();
    for problems in [
        refused(started),
        refused(opened),
        refused(runtime.update_settings(wrong()).await.unwrap_err()),
        refused(runtime.update_latest(wrong()).await.unwrap_err()),
        refused(runtime.update_global_overlay(wrong()).await.unwrap_err()),
        refused(session.update_overlay(wrong()).await.unwrap_err()),
        runtime.plan(&wrong()).unwrap_err(),
    ] {
        assert_eq!(
            problems.to_string(),
            "plugins.b: there is no plugin `b`; did you mean `a`?\n\
             services.\"a:voise\": `a` offers no `voise`; did you mean `a:voice`?\n\
             services.\"c:voice\": there is no plugin `c`; did you mean `a`?"
        );
    }
}

#[tokio::test]
async fn what_is_ignored_is_dropped_without_a_word() {
    // R-UNK-01, R-UNK-07
    let runtime = lenient(UnknownReferences::Ignore).await;
    let report = runtime.update_settings(settings(WRONG)).await.unwrap();
    assert!(report.plan.skipped.is_empty());
    assert_eq!(*runtime.settings(), settings("[plugins.a]"));
}

#[tokio::test]
async fn what_is_passed_over_is_stored_nowhere() {
    // R-UNK-06, R-UNK-08
    let runtime = lenient(UnknownReferences::Skip).await;
    let known = settings("[plugins.a]");
    let session = runtime.create_session(NewSession::new("one", ()).overlay(settings(WRONG))).await.unwrap();
    assert_eq!(session.report().plan.skipped.len(), 3);
    assert_eq!(session.overlay(), known);
    session.update_overlay(RuntimeSettings::default()).await.unwrap();
    let report = session.update_overlay(settings(WRONG)).await.unwrap();
    assert_eq!((report.plan.skipped.len(), session.overlay()), (3, known.clone()));
    let report = runtime.update_settings(settings(WRONG)).await.unwrap();
    assert_eq!((report.plan.skipped.len(), &*runtime.settings()), (3, &known));
}

#[tokio::test]
async fn wildcards_and_plugins_of_the_other_scope_are_nobodys_mistake() {
    // R-UNK-09
    let runtime = PluginRuntime::builder()
        .plugin(singer("s"))
        .plugin(singer("g").once())
        .settings(settings(
            "services.'g:voice'.priority = 1\nservices.'s:voice'.priority = 2\n[services.'*:nothing']",
        ))
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    let problems = runtime.plan(&settings("services.'nobody:nothing'.priority = 1")).unwrap_err();
    assert_eq!(problems.0.len(), 1, "its slot is not asked for, where there is no plugin: {problems}");
}

#[tokio::test]
async fn a_pin_of_a_plugin_that_is_off_waits_for_it() {
    // R-UNK-10, R-UNK-11, J-05, F-06, F-07
    let diary = Diary::default();
    for global in [true, false] {
        let part = singer("a").attaches({
            let diary = diary.clone();
            move |cx| {
                diary.write(cx.candidates(&VOICE.id())[0].priority.to_string());
                Ok(())
            }
        });
        let off = settings("plugins.a.enabled = false\nservices.'a:voice'.priority = 7");
        let builder = PluginRuntime::builder().settings(off.clone());
        let builder = if global { builder.plugin(part.once()) } else { builder.plugin(part) };
        let runtime = builder.init().await.unwrap();
        let _session = runtime.create_session("one").await.unwrap();
        assert_eq!(*runtime.settings(), off, "it is kept");
        let on = settings("services.'a:voice'.priority = 8");
        runtime.update_settings(on).await.unwrap();
        assert_eq!(diary.take(), "8");
        runtime.update_settings(off.clone()).await.unwrap();
        assert_eq!(*runtime.settings(), off);
    }
}
