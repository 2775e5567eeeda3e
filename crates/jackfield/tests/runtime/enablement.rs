//! Who takes part: flags, settings, needs, and what is said of plugins that need each other.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use jackfield::{
    Cause, FailurePolicy, Hook, PluginInfo, RuntimeBuilder, Standing, UnknownReferences, prelude::*,
};
use jackfield_testkit::{Diary, Fault, Probe};
use tracing::{Event, Level, Metadata, Subscriber, field::Field, span};

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

async fn runtime(plugins: impl IntoIterator<Item = Probe>) -> PluginRuntime {
    let builder = plugins.into_iter().fold(PluginRuntime::builder(), RuntimeBuilder::plugin);
    builder.init().await.unwrap()
}

/// What every plugin would be with these settings, by name: `on` or `off`.
async fn standings(runtime: &PluginRuntime, toml: &str) -> String {
    runtime.update_settings(settings(toml)).await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let plugins = runtime.status().scopes.pop().unwrap().plugins;
    let shown = plugins
        .iter()
        .map(|standing| format!("{} {}", standing.plugin, if standing.enabled { "on" } else { "off" }));
    let shown = shown.collect::<Vec<_>>().join(", ");
    drop(session.close().await.unwrap());
    shown
}

fn flagged(diary: &Diary) -> [Probe; 3] {
    [
        Probe::new("plain", diary),
        Probe::new("locked", diary).flag(FeatureFlag::LOCKED).flag(FeatureFlag::EXPERIMENTAL),
        Probe::new("experimental", diary).flag(FeatureFlag::EXPERIMENTAL).flag(FeatureFlag::new("beta")),
    ]
}

#[tokio::test]
async fn locked_goes_before_an_entry_and_an_entry_before_experimental() {
    // R-ENB-01, R-PLG-12
    let runtime = runtime(flagged(&Diary::default())).await;
    assert_eq!(standings(&runtime, "").await, "plain on, locked on, experimental off");
    let all_off = "plugins.plain.enabled = false\nplugins.locked.enabled = false\n[plugins.experimental]";
    assert_eq!(standings(&runtime, all_off).await, "plain off, locked on, experimental on");
}

#[tokio::test]
async fn a_flag_without_a_meaning_is_carried_and_changes_nothing() {
    // R-PLG-12
    let manifest = Manifest::new("a").flag(FeatureFlag::new("beta"));
    assert!(manifest.is_enabled_by_default() && !manifest.is_locked());
    assert_eq!(manifest.flags()[0].name(), "beta");
    let runtime = runtime([Probe::new("a", &Diary::default()).flag(FeatureFlag::new("beta"))]).await;
    assert_eq!(standings(&runtime, "").await, "a on");
}

#[tokio::test]
async fn to_mention_one_plugin_says_nothing_of_the_others() {
    // R-ENB-02
    let diary = Diary::default();
    let runtime = runtime([Probe::new("a", &diary), Probe::new("b", &diary)]).await;
    assert_eq!(standings(&runtime, "[plugins.a]").await, "a on, b on");
}

#[test]
fn whether_a_plugin_is_on_by_default_is_asked_of_its_manifest() {
    // R-ENB-03
    assert!(Manifest::new("a").is_enabled_by_default());
    assert!(!Manifest::new("a").flag(FeatureFlag::EXPERIMENTAL).is_enabled_by_default());
    assert!(
        Manifest::new("a").flag(FeatureFlag::EXPERIMENTAL).flag(FeatureFlag::LOCKED).is_enabled_by_default()
    );
}

#[tokio::test]
async fn what_is_wanted_is_asked_of_flags_and_settings_alone() {
    // R-ENB-04
    let diary = Diary::default();
    let needy = Probe::new("needy", &diary).needs("nobody");
    let runtime = runtime(flagged(&diary).into_iter().chain([needy])).await;
    let wanted = |id: &'static str, toml: &str| runtime.is_wanted(&PluginId::new(id), &settings(toml));
    assert!(wanted("needy", "") && wanted("locked", "plugins.locked.enabled = false"));
    assert!(!wanted("experimental", "") && wanted("experimental", "[plugins.experimental]"));
    assert!(!wanted("nobody", "[plugins.nobody]"));
    runtime.update_settings(settings("plugins.plain.enabled = false")).await.unwrap();
    assert!(!runtime.is_wanted(&PluginId::new("plain"), &runtime.settings()));
}

#[test]
fn settings_alone_know_their_entry_and_nothing_else() {
    // R-ENB-05
    let settings = settings("plugins.a.enabled = false\n[plugins.b]");
    let says = |id: &'static str| settings.is_plugin_enabled(&PluginId::new(id));
    assert_eq!((says("a"), says("b"), says("c")), (false, true, true));
}

#[tokio::test]
async fn whoever_needs_somebody_who_is_off_is_off_and_so_on() {
    // R-ENB-06
    let diary = Diary::default();
    let chain = [("d", "c"), ("c", "b"), ("b", "a")].map(|(id, need)| Probe::new(id, &diary).needs(need));
    let runtime = runtime(chain.into_iter().chain([Probe::new("a", &diary)])).await;
    assert_eq!(standings(&runtime, "").await, "d on, c on, b on, a on");
    assert_eq!(standings(&runtime, "plugins.b.enabled = false").await, "d off, c off, b off, a on");
}

#[tokio::test]
async fn missing_switched_off_and_experimental_are_equally_not_there() {
    // R-ENB-07
    let diary = Diary::default();
    let of = |need: &'static str| Probe::new("a", &diary).needs(need);
    let cause = |need: &'static str| Cause::Needs { dependency: PluginId::new(need) };
    let experimental = Probe::new("b", &diary).flag(FeatureFlag::EXPERIMENTAL);
    for (runtime, toml, need) in [
        (runtime([of("nobody")]).await, "", "nobody"),
        (runtime([of("b"), Probe::new("b", &diary)]).await, "plugins.b.enabled = false", "b"),
        (runtime([of("b"), experimental]).await, "", "b"),
    ] {
        runtime.update_settings(settings(toml)).await.unwrap();
        let _session = runtime.create_session("one").await.unwrap();
        let standing = runtime.status().scopes[1].plugins[0].clone();
        assert_eq!(standing, Standing { plugin: PluginId::new("a"), enabled: false, cause: cause(need) });
    }
}

/// A global plugin that needs what it is told, and fails on demand.
struct House {
    needs: &'static str,
    falls: bool,
}
impl GlobalPlugin for House {
    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new("house");
        if self.needs.is_empty() { manifest } else { manifest.depends_on(self.needs) }
    }
    async fn attach(&self, _: &GlobalContext) -> PluginResult {
        if self.falls { Err("it burnt down".into()) } else { Ok(()) }
    }
}

#[tokio::test]
async fn sessions_need_globals_that_are_attached_and_globals_never_see_sessions() {
    // R-ENB-08
    for (needs, falls, attached) in [("", false, 1), ("", true, 0), ("guest", false, 0)] {
        let runtime = PluginRuntime::builder()
            .plugin(House { needs, falls })
            .plugin(Probe::new("guest", &Diary::default()).needs("house"))
            .failure_policy(FailurePolicy::Quarantine)
            .init()
            .await
            .unwrap();
        let session = runtime.create_session("one").await.unwrap();
        assert_eq!(
            (runtime.status().scopes[0].attached.len(), session.attached().len()),
            (attached, attached)
        );
    }
}

#[tokio::test]
async fn plugins_that_need_each_other_attach_all_the_same_and_fall_together() {
    // R-ENB-12
    let diary = Diary::default();
    let pair = [Probe::new("a", &diary).needs("b"), Probe::new("b", &diary).needs("a")];
    let runtime = runtime(pair).await;
    assert_eq!(standings(&runtime, "").await, "a on, b on");
    assert_eq!(diary.take(), "+a +b -b .b -a .a");
    assert_eq!(standings(&runtime, "plugins.a.enabled = false").await, "a off, b off");
}

/// What the log is told at the level of errors.
#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<String>>>);

impl Errors {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = String::new();
        event.record(&mut |field: &Field, value: &dyn Debug| {
            if field.name() == "remark" {
                write!(line, "{value:?}").unwrap();
            }
        });
        self.0.lock().unwrap().push(line);
    }
}

/// Listens on this thread. Somebody listens everywhere else, too: a record that was first met while nobody did may be
/// taken for one that nobody wants.
fn listen(errors: &Errors) -> tracing::subscriber::DefaultGuard {
    tracing::subscriber::set_global_default(Errors::default()).ok(); // only the first one counts
    let guard = tracing::subscriber::set_default(errors.clone());
    tracing::callsite::rebuild_interest_cache();
    guard
}

#[tokio::test]
async fn a_cycle_is_told_once_with_all_its_members() {
    // R-ENB-11, F-43
    let (errors, diary) = (Errors::default(), Diary::default());
    let _listening = listen(&errors);
    let runtime = runtime([
        Probe::new("downstream", &diary).needs("a"),
        Probe::new("c", &diary).needs("b"),
        Probe::new("a", &diary).needs("c").needs("root"),
        Probe::new("b", &diary).needs("a"),
        Probe::new("root", &diary),
        Probe::new("self", &diary).needs("self"),
    ])
    .await;
    let _one = runtime.create_session("one").await.unwrap();
    assert_eq!(errors.take(), ["`c`, `a`, `b` need each other", "`self` needs itself"]);
    let _two = runtime.create_session("two").await.unwrap();
    runtime.update_settings(settings("plugins.root.config.x = 1")).await.unwrap();
    assert!(errors.take().is_empty(), "not with every session and every change");
}

#[tokio::test]
async fn without_a_cycle_nothing_is_told() {
    // R-ENB-11
    let (errors, diary) = (Errors::default(), Diary::default());
    let _listening = listen(&errors);
    let diamond = [("a", ["b", "c"]), ("b", ["d", "d"]), ("c", ["d", "d"])];
    let diamond = diamond.map(|(id, needs)| Probe::new(id, &diary).needs(needs[0]).needs(needs[1]));
    let runtime = runtime(diamond.into_iter().chain([Probe::new("d", &diary)])).await;
    let _session = runtime.create_session("one").await.unwrap();
    assert!(errors.take().is_empty());
}

#[tokio::test]
async fn a_cycle_of_members_that_are_off_is_none() {
    // R-ENB-11
    let diary = Diary::default();
    let pair = [Probe::new("a", &diary).needs("b"), Probe::new("b", &diary).needs("a")];
    let runtime = runtime(pair).await;
    let _session = runtime.create_session("one").await.unwrap();
    let plan = runtime.plan(&settings("plugins.a.enabled = false")).unwrap();
    assert!(plan.remarks.is_empty());
}

#[tokio::test]
async fn a_locked_plugin_stays_on_without_what_it_needs_and_that_is_told_once() {
    // R-ENB-09, F-43
    let (errors, diary) = (Errors::default(), Diary::default());
    let _listening = listen(&errors);
    let locked = Probe::new("a", &diary).flag(FeatureFlag::LOCKED).needs("b");
    let runtime = runtime([locked, Probe::new("b", &diary)]).await;
    let session = runtime.create_session("one").await.unwrap();
    assert!(errors.take().is_empty());
    runtime.update_settings(settings("plugins.b.enabled = false")).await.unwrap();
    assert_eq!(session.attached(), [PluginId::new("a")]);
    assert_eq!(errors.take(), ["`a` is locked, and so takes part without `b`, which it needs"]);
    runtime.update_settings(settings("plugins.b.enabled = false")).await.unwrap();
    assert!(errors.take().is_empty());
}

#[tokio::test]
async fn a_plan_makes_its_remarks_before_anything_happens() {
    // R-ENB-09, R-ENB-11
    let diary = Diary::default();
    let waiting = Probe::new("a", &diary).needs("a").flag(FeatureFlag::EXPERIMENTAL);
    let runtime = runtime([waiting]).await;
    let _session = runtime.create_session("one").await.unwrap();
    let plan = runtime.plan(&settings("[plugins.a]")).unwrap();
    assert_eq!(plan.to_string(), "+ a   (settings)\n! `a` needs itself");
}

#[tokio::test]
async fn what_is_wanted_and_what_runs_are_two_answers() {
    // R-ENB-13
    let diary = Diary::default();
    let needy = Probe::new("needy", &diary).needs("nobody");
    let runtime = runtime([needy, Probe::new("plain", &diary)]).await;
    let session = runtime.create_session("one").await.unwrap();
    let wanted = |id| runtime.is_wanted(&PluginId::new(id), &runtime.settings());
    assert!(wanted("needy") && wanted("plain"));
    assert_eq!(session.attached(), [PluginId::new("plain")]);
    assert_eq!(runtime.status().scopes[1].attached, session.attached());
}

#[tokio::test]
async fn a_session_knows_who_takes_part_in_it() {
    // R-ENB-14
    let diary = Diary::default();
    let runtime = runtime([Probe::new("b", &diary).needs("a"), Probe::new("a", &diary)]).await;
    let (one, two) =
        (runtime.create_session("one").await.unwrap(), runtime.create_session("two").await.unwrap());
    one.update_overlay(settings("plugins.b.enabled = false")).await.unwrap();
    assert_eq!(one.attached(), [PluginId::new("a")]);
    assert_eq!(two.attached(), [PluginId::new("a"), PluginId::new("b")]);
    runtime.shutdown().await.unwrap();
    assert!(two.attached().is_empty());
}

#[tokio::test]
async fn who_takes_part_is_asked_anew_at_the_start_for_every_session_and_at_every_change() {
    // R-ENB-15
    let diary = Diary::default();
    let builder = PluginRuntime::builder().plugin(House { needs: "", falls: false });
    let builder = builder.plugin(Probe::new("guest", &diary).needs("house"));
    let runtime = builder.settings(settings("plugins.house.enabled = false")).init().await.unwrap();
    let one = runtime.create_session("one").await.unwrap();
    assert!(one.attached().is_empty());
    runtime.update_settings(settings("")).await.unwrap();
    let two = runtime.create_session("two").await.unwrap();
    assert_eq!((one.attached().len(), two.attached().len()), (1, 1));
}

#[tokio::test]
async fn whoever_needs_a_plugin_that_failed_to_attach_does_not_take_part_either() {
    // R-ENB-15, F-40
    let diary = Diary::default();
    let builder = PluginRuntime::builder()
        .plugin(Probe::new("a", &diary))
        .plugin(Probe::new("b", &diary).needs("a"))
        .plugin(Probe::new("c", &diary).needs("b"));
    let runtime = builder.failure_policy(FailurePolicy::Quarantine).init().await.unwrap();
    diary.inject("a", Hook::Attach, Fault::Error);
    let session = runtime.create_session("one").await.unwrap();
    assert!(session.attached().is_empty());
    assert_eq!(diary.take(), "+a -a .a", "and nobody attached to it in vain");
}

#[tokio::test]
async fn a_plugin_of_neither_scope_cannot_be_added_and_one_of_either_never_waits_in_vain() {
    // F-33
    let diary = Diary::default();
    let builder = PluginRuntime::builder().plugin(House { needs: "", falls: false });
    let runtime = builder.plugin(Probe::new("a", &diary)).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    let status = runtime.status();
    let attached = status.scopes.iter().flat_map(|scope| &scope.attached).count();
    let listed: Vec<&PluginInfo> = status.plugins.iter().collect();
    assert_eq!(attached, listed.len(), "every plugin that is listed lives somewhere");
}

#[tokio::test]
async fn an_entry_of_nobody_switches_nobody_on() {
    // R-ENB-07
    let diary = Diary::default();
    let builder = PluginRuntime::builder().plugin(Probe::new("a", &diary).needs("nobody"));
    let builder =
        builder.unknown_references(UnknownReferences::Ignore).settings(settings("[plugins.nobody]"));
    let session = builder.init().await.unwrap().create_session("one").await.unwrap();
    assert!(session.attached().is_empty());
}
