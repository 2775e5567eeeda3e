//! What is most likely a mistake is said once.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex},
};

use jackfield::{FeatureFlag, PluginRuntime, RuntimeSettings, UnknownReferences};
use jackfield_testkit::{Diary, Probe};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Keeps the error records of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Text(String);
impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

#[tokio::test]
async fn plugins_that_need_each_other_are_named_once_and_attach() {
    // R-ENB-11, R-ENB-12, F-43
    let log = Log::default();
    let _here = tracing::subscriber::set_default(log.clone());
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("downstream", &diary).needs("hen"))
        .plugin(Probe::new("hen", &diary).needs("egg").needs("upstream"))
        .plugin(Probe::new("egg", &diary).needs("hen"))
        .plugin(Probe::new("upstream", &diary))
        .plugin(Probe::new("narcissus", &diary).needs("narcissus"))
        .init()
        .await
        .unwrap();
    let _one = runtime.create_session("one").await.unwrap();
    assert_eq!(diary.take(), "+upstream +narcissus +hen +downstream +egg", "a cycle is entered by a member");
    assert_eq!(log.take(), ["`hen`, `egg` need each other", "`narcissus` needs itself"]);

    let _two = runtime.create_session("two").await.unwrap();
    runtime.update_settings(settings("")).await.unwrap();
    assert!(log.take().is_empty(), "nothing about it is new");

    diary.take();
    let off = settings("plugins.egg.enabled = false\nplugins.narcissus.enabled = false");
    runtime.update_settings(off).await.unwrap();
    assert!(log.take().is_empty());
    runtime.update_settings(settings("plugins.narcissus.enabled = false")).await.unwrap();
    assert_eq!(log.take(), ["`hen`, `egg` need each other"], "once for two sessions");
}

#[tokio::test]
async fn a_locked_plugin_without_what_it_needs_is_on_and_named() {
    // R-ENB-09
    let log = Log::default();
    let _here = tracing::subscriber::set_default(log.clone());
    let diary = Diary::default();
    let runtime = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary))
        .plugin(Probe::new("l", &diary).needs("a").needs("ghost").flag(FeatureFlag::LOCKED))
        .init()
        .await
        .unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    assert_eq!(log.take(), ["`l` is locked, so it is on without `ghost`, which it needs"]);
    runtime.update_settings(settings("plugins.a.enabled = false")).await.unwrap();
    assert_eq!(log.take(), ["`l` is locked, so it is on without `a`, which it needs"]);
    assert_eq!(diary.take(), "+a +l -a .a ~l");
}

#[tokio::test]
async fn references_that_are_passed_over_are_one_record() {
    // R-UNK-06
    let log = Log::default();
    let _here = tracing::subscriber::set_default(log.clone());
    let runtime = PluginRuntime::builder().unknown_references(UnknownReferences::Skip).init().await.unwrap();
    runtime.update_settings(settings("[plugins.ghost]\n[plugins.ghoul]")).await.unwrap();
    let [record] = &log.take()[..] else { panic!("one record") };
    assert!(record.contains("ghost") && record.contains("ghoul"), "{record}");
}

#[tokio::test]
async fn a_chain_of_needs_may_be_long_and_a_cycle_wide() {
    // F-43: nothing recurses
    let diary = Diary::default();
    let names: Vec<&'static str> = (0..3000).map(|i| &*format!("p{i}").leak()).collect();
    let mut builder = PluginRuntime::builder();
    for (i, name) in names.iter().enumerate() {
        builder = builder.plugin(Probe::new(name, &diary).needs(names[(i + 1) % names.len()]));
    }
    let runtime = builder.init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    assert!(diary.take().starts_with("+p0 +p2999 +p2998"));
}
