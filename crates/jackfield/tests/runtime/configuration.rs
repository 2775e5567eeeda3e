//! Configurations: typed, checked before anything changes, and live.

use std::sync::{Arc, Mutex};

use jackfield::{ChangeError, NewSession, UnknownReferences, prelude::*};

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct FilterConfig {
    cutoff: f64,
    slope: u8,
}
impl Default for FilterConfig {
    fn default() -> Self {
        Self { cutoff: 1000.0, slope: 12 }
    }
}

const FILTER: Slot<Live<FilterConfig>> = Slot::new("filter");

/// Has a configuration of its own and a configured service; notes what it is told.
#[derive(Clone, Default)]
struct Filter(Arc<Mutex<Vec<String>>>);
impl Plugin for Filter {
    fn manifest(&self) -> Manifest {
        Manifest::new("filter").config::<FilterConfig>()
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(FILTER).configured(Arc::new);
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let config = cx.config::<FilterConfig>()?;
        assert!(cx.config::<String>().is_err(), "not the type that the manifest declares");
        self.0.lock().unwrap().push(format!("attached at {}", config.load().cutoff));
        Ok(())
    }
    async fn settings_changed(&self, cx: &SessionContext, change: &SettingsChange) -> PluginResult {
        let (old, new) = change.config::<FilterConfig>().ok_or("no configuration")?;
        assert_eq!(*cx.config::<FilterConfig>()?.load(), *new, "the live one is the new one");
        let note = format!("{} to {}, changed: {}", old.cutoff, new.cutoff, change.config_changed());
        self.0.lock().unwrap().push(note);
        if new.cutoff > 20_000.0 { Err("nobody hears that".into()) } else { Ok(()) }
    }
}

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

#[tokio::test]
async fn a_configuration_is_there_from_the_start_and_follows() {
    // J-07, F-05, R-CFG-09, R-CFG-11
    let filter = Filter::default();
    let runtime = PluginRuntime::builder()
        .plugin(filter.clone())
        .settings(settings("plugins.filter.config.cutoff = 500"))
        .init()
        .await
        .unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let report = runtime.update_settings(settings("plugins.filter.config.cutoff = 700")).await.unwrap();
    assert_eq!(report.plan.to_string(), "~ filter   (settings)   cutoff: 500 → 700");
    runtime.update_settings(settings("plugins.filter.config.cutoff = 700")).await.unwrap();
    drop(session);
    let notes = filter.0.lock().unwrap().join("; ");
    assert_eq!(notes, "attached at 500; 500 to 700, changed: true; 700 to 700, changed: false");
}

#[tokio::test]
async fn a_service_keeps_its_instance_and_sees_its_new_configuration() {
    // R-CFG-07
    // R-CFG-04: an entry that disappears leaves the defaults
    let runtime = PluginRuntime::builder().plugin(Filter::default()).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let service = session.resolve(FILTER).unwrap();
    let mut live = Live::clone(&service);
    assert_eq!(service.load().cutoff, 1000.0);

    runtime.update_settings(settings("services.'filter:filter'.config.cutoff = 300")).await.unwrap();
    live.changed().await;
    assert_eq!(service.load().cutoff, 300.0);
    runtime.update_settings(settings("services.'*:filter'.config.cutoff = 200")).await.unwrap();
    assert_eq!(service.load().cutoff, 200.0);
    runtime.update_settings(settings("")).await.unwrap();
    assert_eq!(service.load().cutoff, 1000.0);
    assert!(Arc::ptr_eq(&service, &session.resolve(FILTER).unwrap()));
}

#[tokio::test]
async fn an_undone_change_takes_the_configuration_back() {
    let filter = Filter::default();
    let runtime = PluginRuntime::builder().plugin(filter.clone()).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let service = session.resolve(FILTER).unwrap();
    let next = "plugins.filter.config.cutoff = 30000\nservices.'filter:filter'.config.cutoff = 1";
    let error = runtime.update_settings(settings(next)).await.unwrap_err();
    assert!(matches!(error, ChangeError::Reverted { .. }), "{error}");
    assert_eq!(service.load().cutoff, 1000.0);
}

#[tokio::test]
async fn what_does_not_fit_its_type_is_refused_before_anything_happens() {
    // J-08
    let filter = Filter::default();
    let runtime = PluginRuntime::builder().plugin(filter.clone()).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    let toml = "[plugins.filter]\nconfig = { cutof = 3 }\n[services.'filter:filter'.config]\nslope = 1000\n[plugins.fliter]\n";
    let error = runtime.update_settings(settings(toml)).await.unwrap_err();
    let ChangeError::Refused(problems) = error else { panic!("{error}") };
    assert_eq!(
        problems.located_in_toml(toml).to_string(),
        "5:10: plugins.fliter: there is no plugin `fliter`; did you mean `filter`?\n\
         2:12: plugins.filter.config.cutof: unknown field `cutof`, expected `cutoff` or `slope`\n\
         4:1: services.\"filter:filter\".config.slope: invalid value: integer `1000`, expected u8"
    );
    assert_eq!(filter.0.lock().unwrap().len(), 1, "attached, and told of nothing");
}

#[tokio::test]
async fn what_waits_for_a_plugin_that_is_off_is_kept_and_checked() {
    // J-05, F-06, F-07, R-UNK-10
    let off =
        "plugins.filter = { enabled = false, config.slope = 6 }\nservices.'filter:filter'.config.slope = 24";
    let runtime =
        PluginRuntime::builder().plugin(Filter::default()).settings(settings(off)).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(*runtime.settings(), settings(off));
    let wrong = off.replace("24", "'steep'");
    assert!(runtime.plan(&settings(&wrong)).is_err());
    runtime.update_settings(settings(&off.replace("false", "true"))).await.unwrap();
    assert_eq!(session.resolve(FILTER).unwrap().load().slope, 24);
}

#[tokio::test]
async fn unknown_references_are_passed_over_where_that_is_the_policy() {
    // R-UNK-01, R-UNK-06, R-UNK-08
    let runtime = PluginRuntime::builder()
        .plugin(Filter::default())
        .unknown_references(UnknownReferences::Skip)
        .init()
        .await
        .unwrap();
    let next = settings("[plugins.gone]\n[plugins.filter]\n[services.'filter:nothing']\n[services.'gone:x']");
    let report = runtime.update_settings(next).await.unwrap();
    assert_eq!(report.plan.skipped.len(), 3);
    assert_eq!(*runtime.settings(), settings("[plugins.filter]"), "they are not stored either");
}

struct Renamed;
impl Plugin for Renamed {
    fn manifest(&self) -> Manifest {
        Manifest::new("equaliser").formerly("eq")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(FILTER).formerly("eq.filter").configured(Arc::new);
    }
}

#[tokio::test]
async fn settings_that_use_a_former_name_mean_the_present_one() {
    let old = settings(
        "plugins.eq = {}\nservices.'eq:eq.filter'.config.slope = 6\nservices.'*:eq.filter'.priority = 1",
    );
    let runtime = PluginRuntime::builder().plugin(Renamed).settings(old).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    assert_eq!(session.resolve(FILTER).unwrap().load().slope, 6);
    let present = "plugins.equaliser = {}\nservices.'equaliser:filter'.config.slope = 6\nservices.'*:filter'.priority = 1";
    assert_eq!(*runtime.settings(), settings(present), "and are stored with it");
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Shape {
    #[default]
    Flat,
    Bell(#[schemars(range(min = 1, max = 10))] u32),
}

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct BandConfig {
    #[schemars(range(min = 1, max = 8))]
    bands: u8,
    #[schemars(length(max = 2))]
    gains: Vec<f64>,
    #[schemars(regex(pattern = r"^[a-z]+$"))]
    #[serde(alias = "title")]
    name: String,
    shape: Shape,
    #[schemars(range(min = 0.5))]
    width: Option<f64>,
}
impl Default for BandConfig {
    fn default() -> Self {
        Self { bands: 4, gains: vec![], name: "eq".to_owned(), shape: Shape::Flat, width: None }
    }
}

struct Bands;
impl Plugin for Bands {
    fn manifest(&self) -> Manifest {
        Manifest::new("bands").config::<BandConfig>()
    }
    async fn settings_changed(&self, _: &SessionContext, change: &SettingsChange) -> PluginResult {
        if change.config_changed() { Err("told of a change".into()) } else { Ok(()) }
    }
}

async fn refusal(toml: &str) -> String {
    let runtime = PluginRuntime::builder().plugin(Bands).init().await.unwrap();
    match runtime.update_settings(settings(toml)).await {
        Err(ChangeError::Refused(problems)) => problems.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_breaks_the_limits_of_its_schema_is_refused_all_of_it_at_once() {
    // R-CFG-13
    let toml = "[plugins.bands.config]\nbands = 9\ngains = [1, 2, 3]\nname = 'EQ'\nshape = { bell = 11 }\nwidth = 0.1";
    assert_eq!(
        refusal(toml).await,
        "plugins.bands.config.bands: 9 is greater than the maximum of 8\n\
         plugins.bands.config.gains: [1,2,3] has more than 2 items\n\
         plugins.bands.config.name: \"EQ\" does not match \"^[a-z]+$\"\n\
         plugins.bands.config.shape.bell: 11 is greater than the maximum of 10\n\
         plugins.bands.config.width: 0.1 is less than the minimum of 0.5"
    );
}

#[tokio::test]
async fn all_that_is_wrong_with_one_configuration_is_said_at_once() {
    // R-CFG-13
    let toml = "[plugins.bands.config]\nbands = 'four'\nwidth = 0.1\nbnads = 4\nname = 3";
    let refusal = refusal(toml).await;
    assert_eq!(
        refusal,
        "plugins.bands.config.bands: invalid type: string \"four\", expected u8\n\
         plugins.bands.config.bnads: unknown field `bnads`\n\
         plugins.bands.config.name: 3 is not of type \"string\"\n\
         plugins.bands.config.width: 0.1 is less than the minimum of 0.5"
    );
}

#[tokio::test]
async fn what_can_be_read_is_not_refused_for_a_shape_that_the_schema_does_not_know() {
    let runtime = PluginRuntime::builder().plugin(Bands).init().await.unwrap();
    let former_name = settings("plugins.bands.config.title = 'treble'");
    runtime.update_settings(former_name).await.unwrap();
}

#[tokio::test]
async fn a_configuration_that_says_the_same_in_other_words_is_no_change() {
    // R-CFG-19, J-08
    let runtime = PluginRuntime::builder().plugin(Bands).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    let wordy = settings("[plugins.bands.config]\nbands = 4\ntitle = 'eq'\nshape = 'flat'");
    assert_eq!(runtime.plan(&wordy).unwrap().to_string(), "nothing to do");
    runtime.update_settings(wordy).await.unwrap();
}

#[tokio::test]
async fn a_configured_singleton_finds_its_neighbours_and_may_fail_to_be_made() {
    // R-CFG-08
    const NAME: Slot<str> = Slot::new("name");
    const SIGN: Slot<String> = Slot::new("sign");
    struct Signs;
    impl Plugin for Signs {
        fn manifest(&self) -> Manifest {
            Manifest::new("signs")
        }
        fn register(&self, services: &mut Registrar<'_>) {
            services.provide(NAME).try_singleton(|_| Ok("jack".into()));
            services.provide(SIGN).configured_singleton(|services, config: Live<FilterConfig>| {
                let (name, slope) = (services.resolve(NAME)?, config.load().slope);
                if slope == 0 {
                    Err("it would be flat".into())
                } else {
                    Ok(Arc::new(format!("{name} {slope}")))
                }
            });
        }
    }
    let runtime = PluginRuntime::builder().plugin(Signs).init().await.unwrap();
    assert_eq!(*runtime.create_session("one").await.unwrap().resolve(SIGN).unwrap(), "jack 12");
    let flat = NewSession::new("two", ()).overlay(settings("services.'signs:sign'.config.slope = 0"));
    let error = runtime.create_session(flat).await.unwrap_err().to_string();
    assert!(
        error
            .ends_with("service `sign` of plugin `signs` failed to build in session `two`: it would be flat"),
        "{error}"
    );
}

#[tokio::test]
async fn what_only_a_session_made_good_is_refused_once_it_has_closed() {
    let runtime = PluginRuntime::builder().plugin(Filter::default()).init().await.unwrap();
    let over = settings("plugins.filter.config.cutoff = 500");
    let session = runtime.create_session(NewSession::new("one", ()).overlay(over)).await.unwrap();
    let bad = settings("plugins.filter.config.cutoff = 'low'");
    runtime.update_settings(bad.clone()).await.unwrap();
    session.close().await.unwrap();
    assert!(matches!(runtime.update_settings(bad).await, Err(ChangeError::Refused(_))));
}
