//! Undoing, where undoing fails as well.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jackfield::{ChangeError, FeatureFlag, Hook, prelude::*};
use jackfield_testkit::{Diary, Fault, Probe};

use super::{bounded, settings};

/// A global plugin that can be told not to come back.
struct Ground(Diary, Arc<AtomicBool>);
impl GlobalPlugin for Ground {
    fn manifest(&self) -> Manifest {
        Manifest::new("ground")
    }
    async fn attach(&self, _: &GlobalContext) -> PluginResult {
        self.0.write("+ground");
        if self.1.load(Ordering::Relaxed) { Err("the ground is gone".into()) } else { Ok(()) }
    }
    async fn detach(&self, _: &GlobalContext) -> PluginResult {
        self.0.write("-ground");
        Ok(())
    }
}

fn names(plugins: &[PluginId]) -> String {
    plugins.iter().map(PluginId::as_str).collect::<Vec<_>>().join(" ")
}

fn lost(error: ChangeError) -> String {
    let ChangeError::Degraded { lost, .. } = error else { panic!("{error}") };
    lost.iter().map(|failure| failure.plugin.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn whoever_needs_a_global_plugin_that_is_lost_is_lost_too() {
    bounded(|| async {
        let (diary, broken) = (Diary::default(), Arc::new(AtomicBool::default()));
        let runtime = PluginRuntime::builder()
            .plugin(Ground(diary.clone(), Arc::clone(&broken)))
            .plugin(Probe::new("house", &diary).needs("ground"))
            .plugin(Probe::new("cloud", &diary))
            .plugin(Probe::new("new", &diary))
            .settings(settings("plugins.new.enabled = false"))
            .init()
            .await
            .unwrap();
        let _session = runtime.create_session("one").await.unwrap();
        diary.inject("new", Hook::Attach, Fault::Error);
        broken.store(true, Ordering::Relaxed);
        diary.take();

        let error = runtime.update_settings(settings("plugins.ground.enabled = false")).await.unwrap_err();
        assert_eq!(lost(error), "ground house");
        assert_eq!(diary.take(), "-house .house -ground +new -new .new +ground -ground");
        let status = runtime.status();
        assert_eq!(names(&status.scopes[1].attached), "cloud");
        assert_eq!(status.scopes[1].plugins[0].cause.to_string(), "needs ground, which is off");

        // Where the ground is missing, nobody builds on it.
        let _two = runtime.create_session("two").await.unwrap();
        assert_eq!(diary.take(), "+cloud");
        diary.heal();
        broken.store(false, Ordering::Relaxed);
        runtime.update_settings(settings("plugins.new.enabled = false")).await.unwrap();
        assert_eq!(names(&runtime.status().scopes[1].attached), "cloud house");
    });
}

#[test]
fn whoever_is_back_before_what_it_needs_goes_with_it() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = PluginRuntime::builder()
            .plugin(Probe::new("hen", &diary).needs("egg"))
            .plugin(Probe::new("egg", &diary).needs("hen"))
            .plugin(Probe::new("fox", &diary))
            .plugin(Probe::new("new", &diary))
            .settings(settings("plugins.new.enabled = false"))
            .init()
            .await
            .unwrap();
        let _session = runtime.create_session("one").await.unwrap();
        diary.inject("new", Hook::Attach, Fault::Error);
        diary.inject("egg", Hook::Attach, Fault::Error);
        diary.take();
        let error = runtime.update_settings(settings("plugins.egg.enabled = false")).await.unwrap_err();
        assert_eq!(lost(error), "egg hen");
        assert_eq!(
            diary.take(),
            "-egg .egg -hen .hen +new -new .new +hen +egg -egg .egg -hen .hen",
            "every attach has its detach"
        );
        assert_eq!(names(&runtime.status().scopes[1].attached), "fox");
    });
}

#[test]
fn those_who_are_back_keep_their_order_when_one_is_missing() {
    bounded(|| async {
        let diary = Diary::default();
        let builder = ["a", "b", "c", "d"]
            .iter()
            .fold(PluginRuntime::builder(), |builder, id| builder.plugin(Probe::new(id, &diary)))
            .plugin(Probe::new("new", &diary).flag(FeatureFlag::EXPERIMENTAL));
        let runtime = builder.init().await.unwrap();
        let session = runtime.create_session("one").await.unwrap();
        diary.inject("new", Hook::Attach, Fault::Error);
        diary.inject("a", Hook::Attach, Fault::Error);
        let off =
            "plugins.a.enabled = false\nplugins.b.enabled = false\nplugins.c.enabled = false\n[plugins.new]";
        runtime.update_settings(settings(off)).await.unwrap_err();
        assert_eq!(names(&runtime.status().scopes[1].attached), "b c d");
        diary.heal();
        diary.take();
        runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap();
        assert_eq!(diary.take(), "~b ~c ~d", "they are told in the order in which they attached");
        session.close().await.unwrap();
        assert_eq!(diary.take(), "-d .d -c .c -b .b");
    });
}
